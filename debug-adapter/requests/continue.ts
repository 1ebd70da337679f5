/** Runs on until something stops the program. All threads run. */
import type { Handler } from './handler';

export const continueRequest: Handler<'continue'> = {
  command: 'continue',
  needs: 'stop',
  shape: { threadId: 'count' },
  run(session, _args, call) {
    call.after(() => session.resume((target) => target.resume()));
    return { allThreadsContinued: true };
  },
};
