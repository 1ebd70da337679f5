/** Threads and processes: clone, exit, ids, robust futex lists. */
import { withRegisters } from '../../hart/registers';
import { Errno } from '../errno';
import type { Core } from '../core';
import { endProcess, removeThread } from '../process';
import { makeReady } from '../scheduler';
import { NO_STACK } from '../signals';
import type { Thread } from '../state';
import { wakeFutex } from './futex';
import type { CallContext, Handler, Outcome } from './call';

const enum Clone {
  VM = 0x100,
  FS = 0x200,
  FILES = 0x400,
  SIGHAND = 0x800,
  THREAD = 0x10000,
  SETTLS = 0x80000,
  PARENT_SETTID = 0x100000,
  CHILD_CLEARTID = 0x200000,
  CHILD_SETTID = 0x1000000,
}
const THREAD_FLAGS = Clone.VM | Clone.FS | Clone.FILES | Clone.SIGHAND | Clone.THREAD;
/** Threads of the whole machine: few enough that a step may look at all of them. (Linux's own limit for 512 MiB of RAM.) */
const MAX_THREADS = 4096;

interface CloneRequest {
  readonly flags: number;
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
}

function cloneThread({ core, thread, process }: CallContext, request: CloneRequest): Outcome {
  const { flags, stack, parentTid, childTid, tls } = request;
  if ((flags & THREAD_FLAGS) !== THREAD_FLAGS) {
    core.log('clone: this host OS makes threads only; a new process (fork, vfork) is not supported');
    return -Errno.ENOSYS;
  }
  if (core.state.threads.size >= MAX_THREADS) return -Errno.EAGAIN;
  const tid = core.state.nextPid;
  if (flags & Clone.PARENT_SETTID) core.user.writeU32(parentTid, tid);
  if (flags & Clone.CHILD_SETTID) core.user.writeU32(childTid, tid);
  core.saveLive();
  const { registers } = core.thread(thread.tid);
  const x: Record<number, number> = { 10: 0 };
  if (stack !== 0) x[2] = stack;
  if (flags & Clone.SETTLS) x[4] = tls;
  const child: Thread = {
    tid,
    pid: process.pid,
    name: thread.name,
    registers: withRegisters(registers, { x }),
    call: undefined,
    wait: undefined,
    mask: thread.mask,
    savedMask: undefined,
    pending: [],
    altStack: NO_STACK,
    clearChildTid: flags & Clone.CHILD_CLEARTID ? childTid : 0,
    robustList: 0,
    dying: process.ending !== undefined,
    cpu: 0,
  };
  core.set({ nextPid: tid + 1, threads: core.state.threads.set(tid, child) });
  core.setProcess(process.pid, { threads: [...process.threads, tid] });
  core.charge(process.threads.length >> 2);
  makeReady(core, tid);
  core.emit({ kind: 'thread-started', pid: process.pid, tid });
  return tid;
}

const clone: Handler = (context, flags, stack, parentTid, tls, childTid) =>
  cloneThread(context, { flags: flags!, stack: stack!, parentTid: parentTid!, tls: tls!, childTid: childTid! });

const CLONE_ARGS_SIZE = 64;
const clone3: Handler = (context, address, size) => {
  if (size! < CLONE_ARGS_SIZE || size! > 4096) return -Errno.EINVAL;
  const field = (index: number): number => context.core.user.readI64(address! + index * 8);
  const [stack, length] = [field(5), field(6)];
  return cloneThread(context, {
    flags: field(0),
    childTid: field(2),
    parentTid: field(3),
    stack: stack === 0 ? 0 : stack + length,
    tls: field(7),
  });
};

const OWNER_DIED = 0x40000000;
const WAITERS = 0x80000000;
const TID_MASK = 0x3fffffff;
const ROBUST_LIMIT = 2048;

/** Marks the mutexes a thread leaves behind, and wakes whoever waits for them. */
function releaseRobust(core: Core, thread: Thread): void {
  const head = thread.robustList;
  if (head === 0) return;
  const offset = core.user.readI64(head + 8);
  const pending = core.user.readI64(head + 16);
  const entries: number[] = [];
  for (let at = core.user.readI64(head); at !== head && entries.length < ROBUST_LIMIT; at = core.user.readI64(at)) {
    entries.push(at);
    if (at % 2 !== 0) break;
  }
  if (pending !== 0) entries.push(pending);
  for (const entry of entries) {
    const word = core.user.readU32(entry + offset);
    if ((word & TID_MASK) !== thread.tid) continue;
    core.user.writeU32(entry + offset, ((word & WAITERS) | OWNER_DIED) >>> 0);
    if (word & WAITERS) wakeFutex(core, thread.pid, entry + offset, 1);
  }
}

/** exit, in phases, so that one user address that can't be written does not keep the thread alive. */
const exit: Handler = ({ core, thread, call }, status) => {
  const phase = (call.phase as number | undefined) ?? 0;
  if (phase === 0) {
    releaseRobust(core, thread);
    return { do: 'more', phase: 1 };
  }
  if (phase === 1) {
    if (thread.clearChildTid !== 0) {
      core.user.writeU32(thread.clearChildTid, 0);
      wakeFutex(core, thread.pid, thread.clearChildTid, 1);
    }
    return { do: 'more', phase: 2 };
  }
  removeThread(core, thread.tid, status!);
  return { do: 'done' };
};

const exit_group: Handler = ({ core, thread, process }, status) => {
  endProcess(core, process.pid, status!, 0);
  core.setThread(thread.tid, { dying: true });
  return 0;
};

const set_robust_list: Handler = ({ core, thread }, head, size) => {
  if (size !== 24) return -Errno.EINVAL;
  core.setThread(thread.tid, { robustList: head! });
  return 0;
};

const get_robust_list: Handler = ({ core, thread }, tid, headAt, sizeAt) => {
  const target = tid === 0 ? thread : core.state.threads.get(tid!);
  if (!target) return -Errno.ESRCH;
  core.user.writeI64(headAt!, target.robustList);
  core.user.writeI64(sizeAt!, 24);
  return 0;
};

export const processCalls: Readonly<Record<string, Handler>> = {
  clone,
  clone3,
  exit,
  exit_group,
  set_robust_list,
  get_robust_list,
  set_tid_address: ({ core, thread }, address) => {
    core.setThread(thread.tid, { clearChildTid: address! });
    return thread.tid;
  },
  sched_yield: ({ call }) => (call.phase === undefined ? { do: 'yield', phase: true } : 0),
  getpid: ({ process }) => process.pid,
  getppid: ({ process }) => process.parent,
  gettid: ({ thread }) => thread.tid,
  getpgid: ({ process }) => process.pid,
  getsid: ({ process }) => process.pid,
  setpgid: () => 0,
  setsid: ({ process }) => process.pid,
  /** There are no children to wait for. */
  wait4: () => -Errno.ECHILD,
  waitid: () => -Errno.ECHILD,
};
