/** The client leaves: the debuggee and the adapter end. */
import type { Handler } from './handler';

export const disconnectRequest: Handler<'disconnect'> = {
  command: 'disconnect',
  needs: 'nothing',
  shape: {},
  run(session, _args, call) {
    call.after(() => session.leave());
  },
};
