/** The threads of the host programs. Enclaves are not threads: they are in the stacks of those, and in their names. */
import { printable } from '../inspect/printable';
import type { EnclaveInfo } from '../../monitor/system/types';
import type { Handler } from './handler';

export const threadsRequest: Handler<'threads'> = {
  command: 'threads',
  needs: 'launch',
  shape: {},
  run(session) {
    const { system } = session.debuggee;
    const inside = new Map<number, EnclaveInfo>();
    // Of a chain of calls the last one has control.
    for (const enclave of system.enclaves())
      if (enclave.tid !== undefined && enclave.callee === undefined) inside.set(enclave.tid, enclave);
    const threads = system.threads().map(({ tid, name }) => ({ id: tid, name: nameOf(name, tid, inside.get(tid)) }));
    return { threads };
  },
};

/** `host (2)`, `host (2) in server #3`. */
function nameOf(name: string, tid: number, enclave: EnclaveInfo | undefined): string {
  const own = `${printable(name)} (${tid})`;
  if (!enclave) return own;
  const stopped = enclave.state === 'STOPPED' ? ', stopped' : '';
  return `${own} in ${printable(enclave.name) || 'enclave'} #${enclave.instance}${stopped}`;
}
