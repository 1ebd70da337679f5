/** One page of the tree of hosts, templates, enclaves and servers. */
import type { Handler } from './handler';

export const enclaveListRequest: Handler<'enclave/list'> = {
  command: 'enclave/list',
  needs: 'launch',
  shape: { parent: 'object?', start: 'count?', count: 'count?' },
  run(session, args) {
    return session.debuggee.announcer.tree.list(args);
  },
};
