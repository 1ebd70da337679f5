/** Steps out: to where the caller goes on, also out of an enclave or a server. */
import type { Handler } from './handler';

export const stepOutRequest: Handler<'stepOut'> = {
  command: 'stepOut',
  needs: 'stop',
  shape: { threadId: 'count' },
  run(session, { threadId }, call) {
    session.requireThread(threadId);
    call.after(() => session.resume((target) => target.startStep('stepOut', threadId)));
  },
};
