/** What a trap from user code means: a system call, a page to bring in, a signal, or an interrupt. */
import { Cause, Interrupt } from '../hart/types';
import { MemoryFault } from '../machine/ports';
import { va } from '../units';
import { Cost, type Core } from './core';
import { Signal, signalName } from './errno';
import { pageIn, type PagedIn } from './memory/paging-in';
import { USER_TOP } from './memory/layout';
import { endProcess } from './process';
import { expireCpuTimers } from './timers';
import { traceEntry } from './strace/strace';
import { actionOf, maskBit } from './signals';
import type { Call, SignalInfo } from './state';

const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRALN = 1;
const BUS_ADRERR = 2;
const TRAP_BRKPT = 1;
const ILL_ILLOPC = 1;

/** The current thread trapped from user mode. True when the step has to end here, so that an event can be acted on. */
export function enterFromUser(core: Core): boolean {
  const { hart } = core;
  const tid = core.state.current!;
  const thread = core.thread(tid);
  core.charge(Cost.TRAP);
  core.setThread(tid, { cpu: thread.cpu + core.now - core.state.userSince });
  expireCpuTimers(core, thread.pid);
  if (hart.scauseIsInterrupt) {
    if (hart.scause === Interrupt.SupervisorTimer) core.set({ timerSet: undefined });
    clearSoftware(core);
    return false;
  }
  if (hart.scause === Cause.EcallFromUser) {
    core.charge(Cost.CALL);
    const args = [10, 11, 12, 13, 14, 15].map((register) => hart.getX(register));
    const call: Call = { number: hart.getX(17), args, phase: undefined, woken: undefined, sbi: undefined };
    hart.sepc = va(hart.sepc + 4);
    const traced = core.options.trace && traceEntry(core, thread, call.number, args);
    core.setThread(tid, { call: traced ? { ...call, traced } : call });
    return false;
  }
  return exception(core, tid, hart.scause as Cause, hart.stval);
}

/** Takes back the firmware's "look": what it is about is found in the state. */
export function clearSoftware(core: Core): void {
  core.hart.setPending(Interrupt.SupervisorSoftware, false);
}

const isPageFault = (cause: Cause): boolean =>
  cause === Cause.InstructionPageFault || cause === Cause.LoadPageFault || cause === Cause.StorePageFault;

function exception(core: Core, tid: number, cause: Cause, address: number): boolean {
  const signal = (number: number, code: number, at: number): boolean =>
    forceSignal(core, tid, { signal: number, code, pid: 0, address: at, value: 0 }, cause);
  const pc = core.hart.sepc;
  if (isPageFault(cause)) {
    const result = userFault(core, tid, new MemoryFault(cause, address), address + 1);
    if (result === 'done') return false;
    if (result === 'no-memory') return outOfMemory(core, tid);
    if (result === 'bus-error') return signal(Signal.BUS, BUS_ADRERR, address);
    return signal(Signal.SEGV, result === 'bad-address' ? SEGV_MAPERR : SEGV_ACCERR, address);
  }
  switch (cause) {
    case Cause.Breakpoint:
      return signal(Signal.TRAP, TRAP_BRKPT, pc);
    case Cause.IllegalInstruction:
      return signal(Signal.ILL, ILL_ILLOPC, pc);
    case Cause.InstructionAddressMisaligned:
    case Cause.LoadAddressMisaligned:
    case Cause.StoreAddressMisaligned:
      return signal(Signal.BUS, BUS_ADRALN, address);
    default:
      return signal(Signal.SEGV, SEGV_ACCERR, address);
  }
}

/** Pages in for user code or for the kernel's access on a thread's behalf. */
export function userFault(core: Core, tid: number, fault: MemoryFault, end: number): PagedIn {
  if (!(fault.address >= 0 && fault.address < USER_TOP)) return 'bad-address';
  return pageIn(core, core.process(core.thread(tid).pid), fault, end, tid);
}

/** Memory is used up: the process pays. */
export function outOfMemory(core: Core, tid: number): boolean {
  const { pid } = core.thread(tid);
  core.log(`Out of memory: killed process ${pid} (${core.process(pid).name})`);
  endProcess(core, pid, 0, Signal.KILL);
  return false;
}

/**
 * A signal for what the thread's own instruction did: it can't be put off. When no handler takes it, the fault is told while the
 * thread still stands at the instruction, and the step ends.
 */
function forceSignal(core: Core, tid: number, info: SignalInfo, cause: Cause): boolean {
  const thread = core.thread(tid);
  const { handler } = actionOf(core.process(thread.pid), info.signal);
  const taken = handler > 1 && (thread.mask & maskBit(info.signal)) === 0n;
  if (taken) {
    core.setThread(tid, { pending: [info, ...thread.pending] });
    return false;
  }
  core.saveLive();
  core.emit({
    kind: 'process-fault',
    pid: thread.pid,
    tid,
    signal: signalName(info.signal),
    cause,
    address: info.address,
  });
  endProcess(core, thread.pid, 0, info.signal);
  return true;
}
