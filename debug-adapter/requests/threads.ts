/** The threads of the host programs. Enclaves are not threads: they are in the stacks of those, and in their names. */
import { printable } from '../inspect/printable';
import type { ThreadInfo } from '../../emulator/linux/types';
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
    const all = system.threads();
    const several = all.some(({ pid }) => pid !== all[0]!.pid);
    const threads = all.map((thread) => ({ id: thread.tid, name: nameOf(thread, several, inside.get(thread.tid)) }));
    return { threads };
  },
};

/** `host (2)`, `host (2) in server #3`; with several processes `host (5) of process 4`; `host (2), stopped` by job control. */
function nameOf({ name, tid, pid, state }: ThreadInfo, several: boolean, enclave: EnclaveInfo | undefined): string {
  const of = several && tid !== pid ? ` of process ${pid}` : '';
  const own = `${printable(name)} (${tid})${of}${state === 'stopped' ? ', stopped' : ''}`;
  if (!enclave) return own;
  const stopped = enclave.state === 'STOPPED' ? ', stopped' : '';
  return `${own} in ${printable(enclave.name) || 'enclave'} #${enclave.instance}${stopped}`;
}
