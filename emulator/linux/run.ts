/**
 * The kernel's loop, one `advance` at a time: what is most urgent now, done in one bounded piece. Order: page-table changes, the
 * fence after them, input from outside, jobs, then threads.
 */
import { withRegisters, savedPc } from '../hart/registers';
import { va } from '../units';
import { attempt, Cost, type Core } from './core';
import { expireAlarms } from './alarms';
import { bootStep, panic } from './boot';
import { Errno, Signal } from './errno';
import { signalGroup } from './family';
import type { Program } from './program';
import { runJob, readyYielded } from './jobs';
import { nextEntries } from './memory/tables';
import { fence, loadRoot } from './paging';
import { exitCall, FIRST_PROCESS } from './process';
import { addJob, block, expireTimers, pickNext, preempt, setTimer, sliceOver, timerReady, wake } from './scheduler';
import { deliver, deliverable, interrupted, kernelInfo, sendSignal } from './signals';
import { park } from './stopping';
import { typed } from './tty';
import type { Call, Thread } from './state';
import { traceExit } from './strace/strace';
import { callName, handlerOf } from './calls/table';
import type { Outcome } from './calls/call';
import { clearSoftware, enterFromUser, outOfMemory, userFault } from './traps';

const EXIT_NUMBER = 93;

/** Takes in why S mode was entered. True when the step has to end here. */
export function arrive(core: Core): boolean {
  const { doing } = core.state;
  if (doing.at === 'kernel') return false;
  core.set({ doing: { at: 'kernel' } });
  if (doing.at === 'user') return enterFromUser(core);
  if (doing.at === 'idle') {
    clearSoftware(core);
    return false;
  }
  const result = { error: core.hart.getX(10), value: core.hart.getX(11) };
  switch (doing.owner) {
    case 'boot':
      if (result.error !== 0)
        panic(core, `the firmware refused to set up page-table protection (error ${result.error})`);
      break;
    case 'tables':
      if (result.error !== 0) core.log(`The firmware refused a page-table change (error ${result.error})`);
      core.set({ entries: core.state.entries.skip(doing.count) });
      break;
    case 'thread': {
      const { call } = core.thread(core.state.current!);
      core.setThread(core.state.current!, { call: { ...call!, sbi: result } });
      break;
    }
    case 'job': {
      const job = core.state.jobs.get(doing.count)!;
      core.set({ jobs: core.state.jobs.set(job.id, { ...job, sbi: result }) });
      break;
    }
    case 'timer':
      break;
  }
  return false;
}

/** One piece of work; false when the hart has left S or the step has to end. */
export function advance(core: Core, program: Program): boolean {
  core.charge(1);
  if (core.state.entries.size > 0) {
    const { call, count } = nextEntries(core);
    core.sbi(call, 'tables', count);
    return false;
  }
  if (core.state.fence) return fence(core);
  if (core.state.boot.phase !== 'done' && core.state.boot.phase !== 'devices') return bootStep(core);
  // A device's driver takes in what the firmware answered before anybody else can ask it.
  const { current } = core.state;
  if (current !== undefined && core.thread(current).call?.sbi) return runThread(core);
  if (core.state.inputs.size > 0) {
    takeInput(core);
    return true;
  }
  if (expireTimers(core)) return true;
  expireAlarms(core);
  if (core.state.readyJobs.size > 0) return runJob(core, program);
  const running = runThread(core);
  readyYielded(core);
  return running;
}

function takeInput(core: Core): void {
  const input = core.state.inputs.first()!;
  core.set({ inputs: core.state.inputs.shift() });
  switch (input.kind) {
    case 'stdin': {
      if (core.options.interactive) {
        typed(core, input.bytes, input.end);
        break;
      }
      const { chunks, end } = core.state.stdin;
      const more = input.bytes.length > 0 && !end ? chunks.push(input.bytes) : chunks;
      core.set({ stdin: { chunks: more, end: end || input.end } });
      wake(core, 'stdin');
      break;
    }
    case 'device':
      addJob(core, { kind: 'command', answer: input.id, path: input.path, command: input.command });
      break;
    case 'signal': {
      const info = kernelInfo({ SIGINT: Signal.INT, SIGKILL: Signal.KILL, SIGTERM: Signal.TERM }[input.signal]);
      // As typed: for whoever is in the foreground. The others are for the program as a whole.
      const { foreground } = core.state.tty;
      if (input.signal === 'SIGINT' && foreground !== 0) signalGroup(core, foreground, info);
      else if (core.state.processes.has(FIRST_PROCESS)) sendSignal(core, FIRST_PROCESS, undefined, info);
      break;
    }
  }
}

function runThread(core: Core): boolean {
  if (core.state.current === undefined) {
    if (core.state.ready.size === 0) return idle(core);
    core.charge(Cost.SWITCH);
    pickNext(core);
  }
  const tid = core.state.current!;
  const thread = core.thread(tid);
  const { stopped, memory } = core.process(thread.pid);
  if (stopped && !thread.dying && !thread.call?.sbi) {
    park(core, tid);
    return true;
  }
  if (core.state.root !== memory.root) return loadRoot(core, memory.root);
  if (thread.call) return runCall(core, thread, thread.call);
  if (thread.dying) {
    core.setThread(tid, { call: exitCall(core.process(thread.pid).ending?.status ?? 0) });
    return true;
  }
  const signal = deliverable(core, thread);
  if (signal) {
    core.saveLive();
    const fault = attempt(core, () => deliver(core, tid, signal));
    if (fault) frameFault(core, tid, fault);
    return true;
  }
  if (thread.savedMask !== undefined) core.setThread(tid, { mask: thread.savedMask, savedMask: undefined });
  if (sliceOver(core)) {
    preempt(core);
    return true;
  }
  return toUser(core, tid);
}

/** The frame of a signal handler could not be written: bring its stack in, or the process dies of SIGSEGV. */
function frameFault(core: Core, tid: number, fault: Parameters<typeof userFault>[2]): void {
  const result = userFault(core, tid, fault, core.user.end);
  if (result === 'no-memory') outOfMemory(core, tid);
  else if (result !== 'done') {
    const { pid } = core.thread(tid);
    const SEGV = 11;
    core.setProcess(pid, { actions: core.process(pid).actions.remove(SEGV) });
    sendSignal(core, pid, tid, { signal: SEGV, code: 0x80, pid: 0, address: 0, value: 0 });
    core.setThread(tid, { mask: 0n });
  }
}

function runCall(core: Core, thread: Thread, call: Call): boolean {
  const { tid } = thread;
  const handler = handlerOf(call.number);
  if (!handler) {
    missing(core, thread, call.number);
    finishCall(core, tid, -Errno.ENOSYS);
    return true;
  }
  let outcome: Outcome = 0;
  const fault = attempt(core, () => {
    outcome = handler({ core, thread, process: core.process(thread.pid), call }, ...call.args);
  });
  core.charge(Cost.STEP);
  if (!fault) {
    const ended = outcome as Outcome;
    if (call.traced && typeof ended === 'object' && ended.do === 'done') traceExit(core, thread, call, undefined);
    return apply(core, tid, ended);
  }
  const result = core.user.outside ? 'bad-address' : userFault(core, tid, fault, core.user.end);
  if (result === 'done') return true;
  if (result === 'no-memory') outOfMemory(core, tid);
  // A thread's exit, and whatever else can't be taken back, goes on whatever its memory looks like.
  const instead =
    call.number === EXIT_NUMBER
      ? ((call.phase as number | undefined) ?? 0) + 1
      : (call.phase as { readonly onFault?: unknown } | undefined)?.onFault;
  if (instead !== undefined) {
    core.setThread(tid, { call: { ...call, phase: instead } });
    return true;
  }
  finishCall(core, tid, -Errno.EFAULT);
  return true;
}

function missing(core: Core, thread: Thread, number: number): void {
  if (core.state.missing.has(number)) return;
  if (core.state.missing.size < 1024) core.set({ missing: core.state.missing.set(number, true) });
  core.emit({ kind: 'missing-system-call', pid: thread.pid, name: callName(number), number });
}

/** Does what a handler asked for; false when the hart has left S. */
function apply(core: Core, tid: number, outcome: Outcome): boolean {
  if (typeof outcome === 'number') {
    finishCall(core, tid, outcome);
    return true;
  }
  if (outcome.do === 'done') {
    if (core.state.threads.has(tid)) core.setThread(tid, { call: undefined });
    return true;
  }
  if (outcome.do === 'make-way') {
    if (sliceOver(core)) preempt(core);
    else if (!timerReady(core, true)) {
      setTimer(core);
      return false;
    }
    return true;
  }
  const thread = core.thread(tid);
  const call: Call = { ...thread.call!, phase: outcome.phase, woken: undefined, sbi: undefined };
  core.setThread(tid, { call });
  switch (outcome.do) {
    case 'more':
      return true;
    case 'yield':
      preempt(core);
      return true;
    case 'sbi':
      core.sbi(outcome.call, 'thread');
      return false;
    case 'block': {
      const inDriver = outcome.wait.queues[0]?.startsWith('device:') === true;
      const interruptible = !outcome.wait.killable && deliverable(core, core.thread(tid)) !== undefined;
      if (!inDriver && (thread.dying || interruptible)) core.setThread(tid, { call: { ...call, woken: 'signal' } });
      else block(core, tid, outcome.wait);
      return true;
    }
  }
}

/** Ends a system call with a result, or makes it start again after a signal that needs no answer. */
function finishCall(core: Core, tid: number, value: number): void {
  const thread = core.thread(tid);
  if (thread.call?.traced) traceExit(core, thread, thread.call, value);
  let result = value;
  if (value === -Errno.ERESTARTNOINTR) {
    restart(core, tid, thread.call!.args[0]!);
    return;
  }
  if (value === -Errno.ERESTART_RESTARTBLOCK) {
    const error = interrupted(core, thread, value);
    // A default action comes first; it mostly leaves nobody to see the result.
    if (error === undefined && !thread.dying && !deliverable(core, core.thread(tid))) {
      core.setThread(tid, { call: { ...core.thread(tid).call!, woken: undefined } });
      return;
    }
    result = -Errno.EINTR;
  }
  if (value === -Errno.ERESTARTSYS || value === -Errno.ERESTARTNOHAND) {
    const error = interrupted(core, thread, value);
    if (error === undefined) {
      restart(core, tid, thread.call!.args[0]!);
      return;
    }
    result = error;
  }
  core.setResult(tid, result);
  core.setThread(tid, { call: undefined });
}

/** Back to the ecall, with a0 as it was. */
function restart(core: Core, tid: number, a0: number): void {
  core.saveLive();
  const { registers } = core.thread(tid);
  core.setThread(tid, {
    call: undefined,
    registers: withRegisters(registers, { pc: savedPc(registers) - 4, x: { 10: a0 } }),
  });
}

function idle(core: Core): boolean {
  if (core.state.yielded.length > 0) return true;
  if (!timerReady(core, false)) {
    setTimer(core);
    return false;
  }
  core.set({ doing: { at: 'idle' } });
  core.hart.waitForInterrupt();
  return false;
}

function toUser(core: Core, tid: number): boolean {
  if (!timerReady(core, true)) {
    setTimer(core);
    return false;
  }
  const thread = core.thread(tid);
  if (!core.state.live) {
    core.hart.loadRegisters(thread.registers);
    core.hart.sepc = va(savedPc(thread.registers));
  }
  core.set({ live: true, doing: { at: 'user' }, userSince: core.now });
  core.hart.sret();
  return false;
}
