/** Steps over: to the next line of the same frame, or of the one it returns to. Calls run through, also into enclaves. */
import type { Handler } from './handler';

export const nextRequest: Handler<'next'> = {
  command: 'next',
  needs: 'stop',
  shape: { threadId: 'count' },
  run(session, { threadId }, call) {
    session.requireThread(threadId);
    call.after(() => session.resume((target) => target.startStep('next', threadId)));
  },
};
