/** Stops the program wherever it is. */
import type { Handler } from './handler';

export const pauseRequest: Handler<'pause'> = {
  command: 'pause',
  needs: 'launch',
  shape: { threadId: 'count?' },
  run(session, _args, call) {
    call.after(() => session.debuggee.target.pause());
  },
};
