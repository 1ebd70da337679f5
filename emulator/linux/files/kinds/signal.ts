/** signalfd(2): pending signals of the thread that reads, and of its process, as records. */
import type { Core } from '../../core';
import { Errno } from '../../errno';
import { pendingIn, signalQueue, takePending } from '../../signals';
import type { SignalInfo } from '../../state';
import { Poll, type FileOf, type Kind } from './kind';

/** struct signalfd_siginfo. */
const RECORD = 128;

function recordOf(info: SignalInfo): Uint8Array {
  const view = new DataView(new ArrayBuffer(RECORD));
  view.setUint32(0, info.signal, true);
  view.setInt32(8, info.code, true);
  if (info.timer) {
    view.setUint32(24, info.timer.id, true);
    view.setUint32(32, info.timer.overrun, true);
  } else view.setUint32(12, info.pid, true);
  if (info.child) {
    view.setInt32(40, info.child.status, true);
    view.setBigUint64(56, BigInt(info.child.time), true);
  }
  view.setInt32(44, info.value | 0, true);
  view.setBigUint64(48, BigInt.asUintN(64, BigInt(info.value)), true);
  view.setBigUint64(72, BigInt.asUintN(64, BigInt(info.address)), true);
  return new Uint8Array(view.buffer);
}

/** The first pending signal in `mask` of the thread the kernel works for. */
const first = (core: Core, mask: bigint): SignalInfo | undefined => {
  const tid = core.state.current;
  return tid === undefined ? undefined : pendingIn(core, tid, mask)[0];
};

export const signal: Kind<FileOf<'signal'>> = {
  read(core, _id, file, length) {
    if (length < RECORD) return -Errno.EINVAL;
    const tid = core.state.current!;
    const taken = pendingIn(core, tid, file.mask).slice(0, Math.floor(length / RECORD));
    if (taken.length === 0) return { wait: signalQueue(core.thread(tid).pid) };
    const bytes = new Uint8Array(taken.length * RECORD);
    taken.forEach((info, i) => bytes.set(recordOf(takePending(core, tid, info)), i * RECORD));
    return bytes;
  },
  ready(core, _id, file) {
    const tid = core.state.current;
    return {
      events: first(core, file.mask) ? Poll.IN : 0,
      ...(tid === undefined ? {} : { reading: signalQueue(core.thread(tid).pid) }),
    };
  },
};
