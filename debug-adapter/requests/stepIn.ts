/** Steps in: into the function, the enclave or the server that the line enters. */
import type { Handler } from './handler';

export const stepInRequest: Handler<'stepIn'> = {
  command: 'stepIn',
  needs: 'stop',
  shape: { threadId: 'count' },
  run(session, { threadId }, call) {
    session.requireThread(threadId);
    call.after(() => session.resume((target) => target.startStep('stepIn', threadId)));
  },
};
