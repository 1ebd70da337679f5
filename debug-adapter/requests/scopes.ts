/** Arguments, locals, statics of the file, and registers of a frame. */
import type { Handler } from './handler';

export const scopesRequest: Handler<'scopes'> = {
  command: 'scopes',
  needs: 'stop',
  shape: { frameId: 'count' },
  run(session, { frameId }) {
    return { scopes: session.debuggee.inspection.scopes(frameId) };
  },
};
