/** The threads of the host programs. Enclaves are not threads: they are in the stacks of those. */
import type { Handler } from './handler';

export const threadsRequest: Handler<'threads'> = {
  command: 'threads',
  needs: 'launch',
  shape: {},
  run(session) {
    const threads = session.debuggee.system.threads();
    return { threads: threads.map(({ tid, name }) => ({ id: tid, name: `${name} (${tid})` })) };
  },
};
