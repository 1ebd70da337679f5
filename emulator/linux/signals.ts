/**
 * Signals: sending, choosing, default actions and the frame of a handler (riscv Linux: siginfo, ucontext, return through the
 * read-execute trampoline page, as there is no SA_RESTORER).
 */
import { newRegisters, savedFcsr, savedX, savedX64, savedF64, savedPc, withRegisters } from '../hart/registers';
import type { SavedRegisters } from '../hart/types';
import type { Core } from './core';
import { Errno, SI_KERNEL, SS_ONSTACK, Signal } from './errno';
import { TRAMPOLINE } from './memory/layout';
import { endProcess } from './process';
import { interrupt, wake } from './scheduler';
import { continueProcess, STOPPING, stopProcess } from './stopping';
import { timerTaken } from './timers';
import type { AlternateStack, Process, SignalAction, SignalInfo, Thread } from './state';

export const enum SigFlag {
  NOCLDSTOP = 1,
  NOCLDWAIT = 2,
  SIGINFO = 4,
  ONSTACK = 0x08000000,
  RESTART = 0x10000000,
  NODEFER = 0x40000000,
  RESETHAND = 0x80000000,
}
export const SS_DISABLE = 2;
export const NO_STACK: AlternateStack = { sp: 0, size: 0, flags: SS_DISABLE };

const INFO_SIZE = 128;
const UCONTEXT = INFO_SIZE;
const UC_STACK = UCONTEXT + 16;
const UC_MASK = UCONTEXT + 40;
const UC_REGISTERS = UCONTEXT + 176;
const UC_FLOATS = UC_REGISTERS + 256;
const UC_FCSR = UC_FLOATS + 256;
const FRAME_SIZE = UCONTEXT + 176 + 256 + 528;

const IGNORED = new Set<number>([Signal.CHLD, Signal.URG, Signal.WINCH, Signal.CONT]);

export const maskBit = (signal: number): bigint => 1n << BigInt(signal - 1);
export const UNMASKABLE = maskBit(Signal.KILL) | maskBit(Signal.STOP);

const DEFAULT: SignalAction = { handler: 0, flags: 0, mask: 0n };
export const actionOf = (process: Process, signal: number): SignalAction => process.actions.get(signal) ?? DEFAULT;

export const ignores = (process: Process, signal: number): boolean => {
  const { handler } = actionOf(process, signal);
  return handler === 1 || (handler === 0 && IGNORED.has(signal));
};

/** The first pending signal the thread takes: its own before the process's, lowest number first, in the order they came. */
export function deliverable(core: Core, thread: Thread): SignalInfo | undefined {
  const own = core.state.processes.get(thread.pid)!.pending;
  if (thread.pending.length === 0 && own.length === 0) return undefined;
  const lowest = (list: readonly SignalInfo[]): SignalInfo | undefined =>
    list.filter(({ signal }) => (thread.mask & maskBit(signal)) === 0n).sort((a, b) => a.signal - b.signal)[0];
  return lowest(thread.pending) ?? lowest(own);
}

/** A signal that will end the process without its code having a say. */
const fatal = (process: Process, signal: number): boolean =>
  signal === Signal.KILL || (actionOf(process, signal).handler === 0 && !IGNORED.has(signal) && !STOPPING.has(signal));

/** Takes what is pending of some signals away from a process and its threads. */
export function flushPending(core: Core, pid: number, which: (signal: number) => boolean): void {
  const stays = (info: SignalInfo): boolean => !which(info.signal);
  const { pending, threads } = core.process(pid);
  const gone = pending.filter((info) => !stays(info));
  if (gone.length > 0) core.setProcess(pid, { pending: pending.filter(stays) });
  for (const tid of threads) {
    const own = core.thread(tid).pending;
    if (own.length === 0 || own.every(stays)) continue;
    gone.push(...own.filter((info) => !stays(info)));
    core.setThread(tid, { pending: own.filter(stays) });
  }
  for (const info of gone) if (info.timer) timerTaken(core, pid, info);
  core.charge(threads.length >> 2);
}

/** Stopping and continuing cancel each other, whatever the process does with the signals. */
function cancelOpposite(core: Core, pid: number, signal: number): void {
  if (signal === Signal.CONT) {
    flushPending(core, pid, (other) => STOPPING.has(other));
    continueProcess(core, pid);
  } else if (STOPPING.has(signal)) flushPending(core, pid, (other) => other === Signal.CONT);
}

/** Woken when a process, or one of its threads, has a signal more pending: sigtimedwait and signalfd wait in it. */
export const signalQueue = (pid: number): string => `signals:${pid}`;

/** Signals of a set that a thread could take, in the order it would. */
export function pendingIn(core: Core, tid: number, set: bigint): SignalInfo[] {
  const thread = core.thread(tid);
  const inOrder = (list: readonly SignalInfo[]): SignalInfo[] =>
    list.filter(({ signal }) => (set & maskBit(signal)) !== 0n).sort((a, b) => a.signal - b.signal);
  return [...inOrder(thread.pending), ...inOrder(core.process(thread.pid).pending)];
}

/** A signal that the kernel itself sends. */
export const kernelInfo = (signal: number): SignalInfo => ({ signal, code: SI_KERNEL, pid: 0, address: 0, value: 0 });

/** A signal for a thread, or for whichever thread of the process takes it first. */
export function sendSignal(core: Core, pid: number, tid: number | undefined, info: SignalInfo): void {
  if (core.process(pid).ending) return;
  cancelOpposite(core, pid, info.signal);
  const process = core.process(pid);
  const candidates = tid === undefined ? process.threads : [tid];
  const takes = (id: number): boolean => (core.thread(id).mask & maskBit(info.signal)) === 0n;
  // One that is blocked stays pending all the same: sigwait and signalfd take it, or its action changes meanwhile.
  if (ignores(process, info.signal) && candidates.slice(0, 1).every(takes)) return;
  const known = tid === undefined ? process.pending : core.thread(tid).pending;
  // Standard signals don't queue.
  if (info.signal < 32 && known.some((other) => other.signal === info.signal)) return;
  if (known.length >= 1024) return;
  if (tid === undefined) core.setProcess(pid, { pending: [...known, info] });
  else core.setThread(tid, { pending: [...known, info] });
  wake(core, signalQueue(pid));
  const taker = candidates.find(takes);
  if (taker === undefined || (process.stopped && info.signal !== Signal.KILL)) return;
  if (fatal(process, info.signal)) endProcess(core, pid, 0, info.signal);
  else if (stops(process, info.signal)) {
    // At once: a thread inside of a driver would look much later.
    takePending(core, taker, info);
    stopProcess(core, pid, info.signal);
  } else interrupt(core, taker);
}

const stops = (process: Process, signal: number): boolean =>
  STOPPING.has(signal) && (signal === Signal.STOP || actionOf(process, signal).handler === 0);

/** Takes a signal off the list it is pending in; returns it as it is to be told. */
export function takePending(core: Core, tid: number, info: SignalInfo): SignalInfo {
  const thread = core.thread(tid);
  const process = core.process(thread.pid);
  if (thread.pending.includes(info)) core.setThread(tid, { pending: thread.pending.filter((other) => other !== info) });
  else core.setProcess(thread.pid, { pending: process.pending.filter((other) => other !== info) });
  return info.timer ? timerTaken(core, thread.pid, info) : info;
}

/** Gives the signal to the thread: runs its handler or the default action. The caller has saved the registers. */
export function deliver(core: Core, tid: number, info: SignalInfo): void {
  const thread = core.thread(tid);
  const process = core.process(thread.pid);
  const told = takePending(core, tid, info);
  if (ignores(process, info.signal)) return;
  if (stops(process, info.signal)) {
    stopProcess(core, thread.pid, info.signal);
    return;
  }
  const action = actionOf(process, info.signal);
  if (action.handler === 0 || info.signal === Signal.KILL) endProcess(core, thread.pid, 0, info.signal);
  else enterHandler(core, tid, told, action);
}

/** Takes a registers copy and stack to where the handler begins. Throws MemoryFault when the frame can't be written. */
function enterHandler(core: Core, tid: number, info: SignalInfo, action: SignalAction): void {
  const thread = core.thread(tid);
  const { registers, altStack } = thread;
  const sp = savedX(registers, 2);
  const inside = sp > altStack.sp && sp <= altStack.sp + altStack.size;
  const useAlternate = (action.flags & SigFlag.ONSTACK) !== 0 && (altStack.flags & SS_DISABLE) === 0 && !inside;
  const top = useAlternate ? altStack.sp + altStack.size : sp;
  const frame = Math.floor((top - FRAME_SIZE) / 16) * 16;
  core.user.write(frame, frameBytes(thread, info, inside));
  core.chargeBytes(FRAME_SIZE);
  const block = (action.flags & SigFlag.NODEFER) === 0 ? maskBit(info.signal) : 0n;
  const changed = withRegisters(registers, {
    pc: action.handler,
    x: { 1: TRAMPOLINE, 2: frame, 10: info.signal, 11: frame, 12: frame + UCONTEXT },
  });
  core.setThread(tid, {
    registers: changed,
    mask: (thread.mask | action.mask | block) & ~UNMASKABLE,
    savedMask: undefined,
  });
  if (((action.flags >>> 0) & SigFlag.RESETHAND) !== 0)
    core.setProcess(thread.pid, { actions: core.process(thread.pid).actions.remove(info.signal) });
}

/** struct siginfo at the start of `view`. */
export function writeInfo(view: DataView, info: SignalInfo): void {
  view.setInt32(0, info.signal, true);
  view.setInt32(8, info.code, true);
  if (info.child) {
    view.setInt32(16, info.pid, true);
    view.setInt32(24, info.child.status, true);
    view.setBigUint64(32, BigInt(info.child.time), true);
    return;
  }
  const ofFault = info.code > 0 && info.code !== SI_KERNEL;
  if (ofFault) {
    view.setBigUint64(16, BigInt.asUintN(64, BigInt(info.address)), true);
    return;
  }
  view.setInt32(16, info.timer?.id ?? info.pid, true);
  view.setInt32(20, info.timer?.overrun ?? 0, true);
  view.setBigUint64(24, BigInt.asUintN(64, BigInt(info.value)), true);
}

/** struct siginfo. */
export function infoBytes(info: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(INFO_SIZE);
  writeInfo(new DataView(bytes.buffer), info);
  return bytes;
}

function frameBytes(thread: Thread, info: SignalInfo, onAlternate: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(FRAME_SIZE));
  const put = (at: number, value: bigint | number): void =>
    view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  writeInfo(view, info);
  const { altStack, registers } = thread;
  put(UC_STACK, altStack.sp);
  view.setInt32(UC_STACK + 8, altStack.flags | (onAlternate ? SS_ONSTACK : 0), true);
  put(UC_STACK + 16, altStack.size);
  put(UC_MASK, thread.savedMask ?? thread.mask);
  put(UC_REGISTERS, savedPc(registers));
  for (let x = 1; x < 32; x++) put(UC_REGISTERS + 8 * x, savedX64(registers, x));
  for (let f = 0; f < 32; f++) put(UC_FLOATS + 8 * f, savedF64(registers, f));
  view.setInt32(UC_FCSR, savedFcsr(registers), true);
  return new Uint8Array(view.buffer);
}

/** rt_sigreturn: registers, mask and alternate stack from the frame at sp. Throws MemoryFault when it can't be read. */
export function sigreturn(core: Core, tid: number): void {
  const frame = savedX(core.thread(tid).registers, 2);
  const bytes = core.user.read(frame, FRAME_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const get = (at: number): bigint => view.getBigUint64(at, true);
  const x: Record<number, bigint> = {};
  const f: Record<number, bigint> = {};
  for (let i = 1; i < 32; i++) x[i] = get(UC_REGISTERS + 8 * i);
  for (let i = 0; i < 32; i++) f[i] = get(UC_FLOATS + 8 * i);
  const pc = Number(BigInt.asIntN(64, get(UC_REGISTERS)));
  const registers: SavedRegisters = newRegisters({ pc, x, f, fcsr: view.getInt32(UC_FCSR, true) });
  const altStack = {
    sp: Number(BigInt.asIntN(64, get(UC_STACK))),
    flags: view.getInt32(UC_STACK + 8, true) & SS_DISABLE,
    size: Number(BigInt.asIntN(64, get(UC_STACK + 16))),
  };
  core.setThread(tid, { registers, mask: get(UC_MASK) & ~UNMASKABLE, altStack });
}

/**
 * The value a call that was interrupted ends with, given the signal about to be delivered: -EINTR, or undefined when the call is to
 * start again.
 */
export function interrupted(core: Core, thread: Thread, error: number): number | undefined {
  const process = core.process(thread.pid);
  let info = deliverable(core, thread);
  // What is ignored interrupts nothing.
  for (; info && ignores(process, info.signal); info = deliverable(core, core.thread(thread.tid)))
    takePending(core, thread.tid, info);
  if (!info) return undefined;
  const action = actionOf(process, info.signal);
  if (action.handler === 0) return undefined;
  if (error === -Errno.ERESTARTSYS && (action.flags & SigFlag.RESTART) !== 0) return undefined;
  return -Errno.EINTR;
}
