/** clone and clone3: threads, and processes with memory of their own (fork) or their parent's (vfork, posix_spawn). */
import { withRegisters } from '../../hart/registers';
import type { SavedRegisters } from '../../hart/types';
import { Errno, SIGNAL_MAX } from '../errno';
import type { Core } from '../core';
import { abandonProcess, beginProcess, completeProcess } from '../fork';
import { forkPages } from '../memory/fork';
import { USER_TOP } from '../memory/layout';
import { vforkQueue } from '../process';
import { makeReady } from '../scheduler';
import { NO_STACK } from '../signals';
import type { Call, Thread } from '../state';
import type { CallContext, Handler, Outcome } from './call';

const enum Clone {
  EXIT_SIGNAL = 0xff,
  VM = 0x100,
  FS = 0x200,
  FILES = 0x400,
  SIGHAND = 0x800,
  VFORK = 0x4000,
  PARENT = 0x8000,
  THREAD = 0x10000,
  SETTLS = 0x80000,
  PARENT_SETTID = 0x100000,
  CHILD_CLEARTID = 0x200000,
  CHILD_SETTID = 0x1000000,
}
/** What threads of one process share in any case. */
const THREAD_FLAGS = Clone.VM | Clone.FS | Clone.FILES | Clone.SIGHAND;
/** Flags with an effect nobody can see here: SYSVSEM, DETACHED, UNTRACED, PTRACE, IO. */
const WITHOUT_EFFECT = 0x40000 | 0x400000 | 0x800000 | 0x2000 | 0x80000000;
const KNOWN =
  Clone.EXIT_SIGNAL |
  THREAD_FLAGS |
  Clone.THREAD |
  Clone.VFORK |
  Clone.PARENT |
  Clone.SETTLS |
  Clone.PARENT_SETTID |
  Clone.CHILD_CLEARTID |
  Clone.CHILD_SETTID |
  WITHOUT_EFFECT;
/** Threads of the whole machine, and zombies. (Linux's own limit for 4 GiB of RAM.) */
const MAX_THREADS = 32768;

interface CloneRequest {
  readonly flags: number;
  readonly exitSignal: number;
  readonly clearsHandlers: boolean;
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
}

/** A process in the making, or made and waited for. */
type Phase =
  | { readonly at: 'pages'; readonly child: number; readonly position: number }
  | { readonly at: 'vfork'; readonly child: number }
  /** In the child: its first step. */
  | { readonly at: 'born'; readonly address: number; readonly onFault: { readonly at: 'alive' } }
  | { readonly at: 'alive' };

function refusal({ core }: CallContext, { flags, exitSignal, clearsHandlers }: CloneRequest): number | undefined {
  const has = (bits: number): boolean => (flags & bits) !== 0;
  if (has(Clone.THREAD) && !has(Clone.SIGHAND)) return -Errno.EINVAL;
  if (has(Clone.SIGHAND) && (!has(Clone.VM) || clearsHandlers)) return -Errno.EINVAL;
  if (exitSignal < 0 || exitSignal > SIGNAL_MAX) return -Errno.EINVAL;
  const shared = flags & THREAD_FLAGS & ~Clone.VM;
  if (has(~KNOWN) || shared !== (has(Clone.THREAD) ? THREAD_FLAGS & ~Clone.VM : 0)) {
    core.log(`clone: flags 0x${(flags >>> 0).toString(16)} are not supported; fork, vfork and POSIX threads are`);
    return -Errno.EINVAL;
  }
  return core.state.threads.size + core.state.zombies.size >= MAX_THREADS ? -Errno.EAGAIN : undefined;
}

function childRegisters(core: Core, tid: number, { stack, flags, tls }: CloneRequest): SavedRegisters {
  core.saveLive();
  const x: Record<number, number> = { 10: 0 };
  if (stack !== 0) x[2] = stack;
  if (flags & Clone.SETTLS) x[4] = tls;
  return withRegisters(core.thread(tid).registers, { x });
}

function startThread({ core, thread, process }: CallContext, request: CloneRequest): Outcome {
  const { flags, parentTid, childTid } = request;
  const tid = core.state.nextPid;
  if (flags & Clone.PARENT_SETTID) core.user.writeU32(parentTid, tid);
  if (flags & Clone.CHILD_SETTID) core.user.writeU32(childTid, tid);
  const child: Thread = {
    tid,
    pid: process.pid,
    name: thread.name,
    registers: childRegisters(core, thread.tid, request),
    call: undefined,
    wait: undefined,
    mask: thread.mask,
    savedMask: undefined,
    pending: [],
    altStack: NO_STACK,
    clearChildTid: flags & Clone.CHILD_CLEARTID ? childTid : 0,
    robustList: 0,
    dying: thread.dying,
    cpu: 0,
  };
  core.set({ nextPid: tid + 1, threads: core.state.threads.set(tid, child) });
  core.setProcess(process.pid, { threads: [...process.threads, tid] });
  core.charge(process.threads.length >> 2);
  makeReady(core, tid);
  core.emit({ kind: 'thread-started', pid: process.pid, tid });
  return tid;
}

function startProcess(context: CallContext, request: CloneRequest): Outcome {
  const { core, process } = context;
  const { flags, parentTid } = request;
  if (flags & Clone.PARENT_SETTID) core.user.probe(parentTid, 4, 'write');
  const parent = flags & Clone.PARENT ? process.parent : process.pid;
  const borrows = (flags & Clone.VM) !== 0;
  const child = beginProcess(core, process, { parent, exitSignal: request.exitSignal, borrows });
  if (child === undefined) return -Errno.ENOMEM;
  core.charge(process.descriptors.size);
  if (request.clearsHandlers)
    core.setProcess(child, { actions: process.actions.filter(({ handler }) => handler === 1) });
  if (borrows) return complete(context, request, child);
  return { do: 'more', phase: { at: 'pages', child, position: 0 } satisfies Phase };
}

function doublePages(
  context: CallContext,
  request: CloneRequest,
  { child, position }: Phase & { at: 'pages' },
): Outcome {
  const { core, process } = context;
  if (position === USER_TOP) return complete(context, request, child);
  const next = forkPages(core, process.pid, child, position);
  if (next !== undefined) return { do: 'more', phase: { at: 'pages', child, position: next } satisfies Phase };
  abandonProcess(core, child);
  return -Errno.ENOMEM;
}

function complete(context: CallContext, request: CloneRequest, child: number): Outcome {
  const { core, thread, call } = context;
  const { flags, parentTid, childTid } = request;
  if (flags & Clone.PARENT_SETTID) core.user.writeU32(parentTid, child);
  const born: Phase = { at: 'born', address: childTid, onFault: { at: 'alive' } };
  const first: Call = { ...call, phase: born, woken: undefined, sbi: undefined };
  completeProcess(core, child, core.thread(thread.tid), childRegisters(core, thread.tid, request), {
    call: flags & Clone.CHILD_SETTID ? first : undefined,
    clearChildTid: flags & Clone.CHILD_CLEARTID ? childTid : 0,
  });
  if (!(flags & Clone.VFORK)) return child;
  const wait = { queues: [vforkQueue(child)], deadline: Infinity, bitset: ~0, killable: true };
  return { do: 'block', wait, phase: { at: 'vfork', child } satisfies Phase };
}

function cloneAny(context: CallContext, request: CloneRequest): Outcome {
  const phase = context.call.phase as Phase | undefined;
  if (phase?.at === 'pages') return doublePages(context, request, phase);
  const refused = refusal(context, request);
  if (refused !== undefined) return refused;
  return request.flags & Clone.THREAD ? startThread(context, request) : startProcess(context, request);
}

/** What is left when the process has been made: the parent's waiting, the child's first step. */
function afterwards({ core, thread, call }: CallContext): Outcome | undefined {
  const phase = call.phase as Phase | undefined;
  switch (phase?.at) {
    case 'vfork':
      return phase.child;
    case 'born':
      core.user.writeU32(phase.address, thread.tid);
      return 0;
    case 'alive':
      return 0;
    default:
      return undefined;
  }
}

const clone: Handler = (context, flags, stack, parentTid, tls, childTid) =>
  afterwards(context) ??
  cloneAny(context, {
    flags: flags!,
    exitSignal: flags! & Clone.EXIT_SIGNAL,
    clearsHandlers: false,
    stack: stack!,
    parentTid: parentTid!,
    tls: tls!,
    childTid: childTid!,
  });

const CLONE_ARGS_SIZE = 64;
const clone3: Handler = (context, address, size) => {
  const after = afterwards(context);
  if (after !== undefined) return after;
  if (size! < CLONE_ARGS_SIZE || size! > 4096) return -Errno.EINVAL;
  const field = (index: number): number => context.core.user.readI64(address! + index * 8);
  const [stack, length] = [field(5), field(6)];
  // Beyond 32 bits only CLONE_CLEAR_SIGHAND is known: handlers of the parent are none of the child's.
  const high = Math.floor(field(0) / 2 ** 32);
  const flags = (field(0) % 2 ** 32) | 0;
  if (flags & Clone.EXIT_SIGNAL || high < 0 || high > 1) return -Errno.EINVAL;
  return cloneAny(context, {
    flags,
    exitSignal: field(4),
    clearsHandlers: high === 1,
    childTid: field(2),
    parentTid: field(3),
    stack: stack === 0 ? 0 : stack + length,
    tls: field(7),
  });
};

export const cloneCalls: Readonly<Record<string, Handler>> = { clone, clone3 };
