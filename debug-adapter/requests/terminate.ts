/** Ends the program. Nothing of it is on this machine, so it ends at once. */
import type { Handler } from './handler';

export const terminateRequest: Handler<'terminate'> = {
  command: 'terminate',
  capability: { supportsTerminateRequest: true },
  needs: 'initialize',
  shape: {},
  run(session, _args, call) {
    call.after(() => session.end());
  },
};
