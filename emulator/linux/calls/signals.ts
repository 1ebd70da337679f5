/** System calls about signals. */
import { Errno, SIGNAL_MAX, SIGSET_BYTES, SS_ONSTACK, Signal } from '../errno';
import type { Core } from '../core';
import { kinOf, membersOf, signalGroup } from '../family';
import {
  actionOf,
  deliverable,
  flushPending,
  ignores,
  infoBytes,
  maskBit,
  pendingIn,
  sendSignal,
  signalQueue,
  sigreturn,
  SS_DISABLE,
  takePending,
  UNMASKABLE,
} from '../signals';
import { savedX } from '../../hart/registers';
import type { AlternateStack, SignalInfo, Thread } from '../state';
import { readTimeSpec, relativeDeadline } from './time';
import { waitFor, type CallContext, type Handler } from './call';

const rt_sigaction: Handler = ({ core, process }, signal, newAt, oldAt, size) => {
  if (size !== SIGSET_BYTES || signal! < 1 || signal! > SIGNAL_MAX) return -Errno.EINVAL;
  if (newAt && (signal === Signal.KILL || signal === Signal.STOP)) return -Errno.EINVAL;
  const old = actionOf(process, signal!);
  const action = newAt
    ? {
        handler: core.user.readI64(newAt),
        flags: core.user.readI32(newAt + 8),
        mask: core.user.readU64(newAt + 16) & ~UNMASKABLE,
      }
    : undefined;
  if (oldAt) {
    core.user.probe(oldAt, 24, 'write');
    core.user.writeI64(oldAt, old.handler);
    core.user.writeU64(oldAt + 8, BigInt(old.flags >>> 0));
    core.user.writeU64(oldAt + 16, old.mask);
  }
  if (!action) return 0;
  core.setProcess(process.pid, { actions: process.actions.set(signal!, action) });
  if (ignores(core.process(process.pid), signal!)) flushPending(core, process.pid, (other) => other === signal);
  return 0;
};

const rt_sigprocmask: Handler = ({ core, thread }, how, setAt, oldAt, size) => {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  let { mask } = thread;
  if (setAt) {
    const set = core.user.readU64(setAt);
    if (how === 0) mask |= set;
    else if (how === 1) mask &= ~set;
    else if (how === 2) mask = set;
    else return -Errno.EINVAL;
  }
  if (oldAt) core.user.writeU64(oldAt, thread.mask);
  core.setThread(thread.tid, { mask: mask & ~UNMASKABLE });
  return 0;
};

const rt_sigreturn: Handler = ({ core, thread }) => {
  core.saveLive();
  sigreturn(core, thread.tid);
  return { do: 'done' };
};

const rt_sigpending: Handler = ({ core, thread, process }, address, size) => {
  if (size! > SIGSET_BYTES) return -Errno.EINVAL;
  const set = [...thread.pending, ...process.pending].reduce((bits, info) => bits | maskBit(info.signal), 0n);
  core.user.writeU64(address!, set & thread.mask);
  return 0;
};

const rt_sigsuspend: Handler = ({ core, thread, call }, maskAt, size) => {
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  if (call.woken === 'signal') return -Errno.ERESTARTNOHAND;
  const mask = core.user.readU64(maskAt!) & ~UNMASKABLE;
  core.setThread(thread.tid, { savedMask: thread.savedMask ?? thread.mask, mask });
  if (deliverable(core, core.thread(thread.tid))) return -Errno.ERESTARTNOHAND;
  return { do: 'block', wait: waitFor([]), phase: true };
};

interface Waiting {
  readonly deadline: number;
}
const rt_sigtimedwait: Handler = (context, setAt, infoAt, timeoutAt, size) => {
  const { core, thread, process, call } = context;
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const set = core.user.readU64(setAt!) & ~UNMASKABLE;
  const [found] = pendingIn(core, thread.tid, set);
  if (found) {
    const told = takePending(core, thread.tid, found);
    if (infoAt) core.user.write(infoAt, infoBytes(told));
    return found.signal;
  }
  if (call.woken === 'timeout') return -Errno.EAGAIN;
  if (call.woken === 'signal') return -Errno.EINTR;
  const before = call.phase as Waiting | undefined;
  if (!before && timeoutAt && !readTimeSpec(core, timeoutAt)) return -Errno.EINVAL;
  const deadline = before?.deadline ?? (timeoutAt ? relativeDeadline(core, timeoutAt)! : Infinity);
  if (deadline <= core.now) return -Errno.EAGAIN;
  return { do: 'block', wait: waitFor([signalQueue(process.pid)], deadline), phase: { deadline } satisfies Waiting };
};

const SI_TKILL = -6;
const infoFrom = (context: CallContext, signal: number, code: number): SignalInfo => ({
  signal,
  code,
  pid: context.process.pid,
  address: 0,
  value: 0,
});

/** Sends to a process; a zombie takes any signal, and signal 0 only asks. */
function toProcess(core: Core, number: number, info: SignalInfo | undefined): number {
  // Any thread's number names its process.
  const pid = core.state.threads.get(number)?.pid ?? number;
  if (!kinOf(core, pid)) return -Errno.ESRCH;
  if (info && core.state.processes.has(pid)) sendSignal(core, pid, undefined, info);
  return 0;
}

/** A positive number is a process, 0 the caller's group, -1 everybody else, any other a group. */
const kill: Handler = (context, target, signal) => {
  const { core, process } = context;
  const id = target! | 0;
  if (!valid(signal!)) return -Errno.EINVAL;
  const info = infoFrom(context, signal!, 0);
  if (id > 0) return toProcess(core, id, signal === 0 ? undefined : info);
  if (id === -1) {
    const others = [...core.state.processes.keys()].filter((pid) => pid !== process.pid).sort((a, b) => a - b);
    if (signal !== 0) for (const pid of others) toProcess(core, pid, info);
    return others.length > 0 ? 0 : -Errno.ESRCH;
  }
  const group = id === 0 ? process.group : -id;
  const isThere = signal === 0 ? membersOf(core, group).length > 0 : signalGroup(core, group, info);
  return isThere || [...core.state.zombies.values()].some((zombie) => zombie.group === group) ? 0 : -Errno.ESRCH;
};

function toThread(context: CallContext, tgid: number | undefined, tid: number, info: SignalInfo | undefined): number {
  const thread = context.core.state.threads.get(tid);
  if (!thread || (tgid !== undefined && thread.pid !== tgid)) return -Errno.ESRCH;
  if (info) sendSignal(context.core, thread.pid, tid, info);
  return 0;
}
const valid = (signal: number): boolean => signal >= 0 && signal <= SIGNAL_MAX;

const tgkill: Handler = (context, tgid, tid, signal) => {
  if (!valid(signal!) || tgid! <= 0 || tid! <= 0) return -Errno.EINVAL;
  return toThread(context, tgid, tid!, signal ? infoFrom(context, signal, SI_TKILL) : undefined);
};
const tkill: Handler = (context, tid, signal) => {
  if (!valid(signal!) || tid! <= 0) return -Errno.EINVAL;
  return toThread(context, undefined, tid!, signal ? infoFrom(context, signal, SI_TKILL) : undefined);
};

function queued({ core, process }: CallContext, signal: number, address: number): SignalInfo | number {
  const code = core.user.readI32(address + 8);
  const value = core.user.readI64(address + 24);
  return code >= 0 ? -Errno.EPERM : { signal, code, pid: process.pid, address: 0, value };
}
const rt_sigqueueinfo: Handler = (context, pid, signal, address) => {
  if (!valid(signal!)) return -Errno.EINVAL;
  const info = queued(context, signal!, address!);
  if (typeof info === 'number') return info;
  return toProcess(context.core, pid!, signal === 0 ? undefined : info);
};
const rt_tgsigqueueinfo: Handler = (context, tgid, tid, signal, address) => {
  if (!valid(signal!)) return -Errno.EINVAL;
  const info = queued(context, signal!, address!);
  return typeof info === 'number' ? info : toThread(context, tgid, tid!, signal ? info : undefined);
};

const MINSIGSTKSZ = 2048;

function stackPointer(core: Core, thread: Thread): number {
  return core.state.live && core.state.current === thread.tid ? core.hart.getX(2) : savedX(thread.registers, 2);
}

const sigaltstack: Handler = ({ core, thread }, newAt, oldAt) => {
  const old = thread.altStack;
  const sp = stackPointer(core, thread);
  const inside = (old.flags & SS_DISABLE) === 0 && sp > old.sp && sp <= old.sp + old.size;
  let next: AlternateStack | undefined;
  if (newAt) {
    const flags = core.user.readI32(newAt + 8) & ~SS_ONSTACK;
    next = { sp: core.user.readI64(newAt), flags: flags & SS_DISABLE, size: core.user.readI64(newAt + 16) };
    if (inside) return -Errno.EPERM;
    if (flags & ~(SS_DISABLE | 0x80000000)) return -Errno.EINVAL;
    if (!(flags & SS_DISABLE) && next.size < MINSIGSTKSZ) return -Errno.ENOMEM;
  }
  if (oldAt) {
    core.user.probe(oldAt, 24, 'write');
    core.user.writeI64(oldAt, old.sp);
    core.user.writeU64(oldAt + 8, BigInt(old.flags | (inside ? SS_ONSTACK : 0)));
    core.user.writeI64(oldAt + 16, old.size);
  }
  if (next) core.setThread(thread.tid, { altStack: next });
  return 0;
};

export const signalCalls: Readonly<Record<string, Handler>> = {
  rt_sigaction,
  rt_sigprocmask,
  rt_sigreturn,
  rt_sigpending,
  rt_sigsuspend,
  rt_sigtimedwait,
  rt_sigqueueinfo,
  rt_tgsigqueueinfo,
  kill,
  tkill,
  tgkill,
  sigaltstack,
};
