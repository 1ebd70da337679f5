/**
 * Ends of threads and processes. A process going down marks its threads as dying; each leaves the kernel where it stands (a driver's
 * call is told and finishes first), then exits; with the last one go devices, descriptors and memory, in steps. What is left then is a
 * zombie, until its parent asks (family.ts). The first process is the machine's program: with it end all others, then the machine halts.
 */
import type { Core } from './core';
import { Signal, signalName } from './errno';
import { bequeath, endsInFamily } from './family';
import { closeAll } from './files/descriptors';
import { detachMemory } from './memory/lending';
import { passOver } from './crowd';
import { addJob, forget, leaveCurrent, wake } from './scheduler';
import { dropTimers } from './timers';
import { leaveTty } from './tty';
import type { Call, Process } from './state';

/** Number of the pseudo call a dying thread makes: exit. */
const EXIT = 93;
export const FIRST_PROCESS = 1;

/** What a process has when it begins, whatever its parent is or was. */
export const FRESH_PROCESS = {
  pending: [],
  threads: [],
  ending: undefined,
  children: [],
  borrows: 0,
  executed: false,
  stopped: undefined,
  continued: false,
  subreaper: false,
  cpu: 0,
  childCpu: 0,
} as const satisfies Partial<Process>;

export const exitCall = (status: number): Call => ({
  number: EXIT,
  args: [status, 0, 0, 0, 0, 0],
  phase: undefined,
  woken: undefined,
  sbi: undefined,
});

/** Marks the process as going down: with an exit status, or by a signal (non-zero). Nothing when it already is. */
export function endProcess(core: Core, pid: number, status: number, signal: number): void {
  const { ending, threads, stopped } = core.process(pid);
  if (ending) return;
  core.setProcess(pid, { ending: { status, signal }, pending: [], stopped: undefined });
  passOver(core, [
    { what: 'end', tids: threads },
    { what: 'ready', tids: stopped?.parked.toArray() ?? [] },
  ]);
}

/** The thread is gone; its exit's user-memory work has been done. */
export function removeThread(core: Core, tid: number, status: number): void {
  const thread = core.thread(tid);
  // Nearly always the thread itself exits; then it stands in no queue, and the run queue need not be searched.
  if (core.state.current === tid) leaveCurrent(core);
  else forget(core, tid);
  core.set({ threads: core.state.threads.remove(tid) });
  const process = core.process(thread.pid);
  const threads = [...process.threads];
  threads.splice(threads.indexOf(tid), 1);
  // Lists of threads were copied.
  core.charge(threads.length >> 2);
  core.setProcess(thread.pid, { threads, cpu: process.cpu + thread.cpu });
  core.emit({ kind: 'thread-exited', pid: thread.pid, tid });
  if (threads.length === 1) wake(core, aloneQueue(thread.pid));
  if (threads.length > 0) return;
  if (!process.ending) core.setProcess(thread.pid, { ending: { status, signal: 0 } });
  addJob(core, { kind: 'exit-device', pid: thread.pid, device: 0, exec: false });
}

/** Where a thread waits for all others of its process to be gone. */
export const aloneQueue = (pid: number): string => `alone:${pid}`;
/** Where a parent waits until a child of vfork has a program of its own, or has ended. */
export const vforkQueue = (pid: number): string => `vfork:${pid}`;

/** All devices have been told: descriptors go, then memory. */
export function closeProcess(core: Core, pid: number): void {
  dropTimers(core, pid, true);
  // The leader of the terminal's session.
  if (core.state.tty.session === pid) leaveTty(core);
  closeAll(core, pid);
  leaveMemory(core, pid, pid);
  wake(core, vforkQueue(pid));
}

/** Takes its address space from a process and has it freed, when nobody else uses it; then process `gone` (0 for none) is removed. */
export function leaveMemory(core: Core, pid: number, gone: number): void {
  const memory = detachMemory(core, pid);
  if (memory) addJob(core, { kind: 'free-memory', memory, position: 0, pid: gone });
  else if (gone !== 0) addJob(core, { kind: 'exit', pid: gone });
}

/** Nothing is left of the process but its family's interest in it. */
export function removeProcess(core: Core, pid: number): void {
  const process = core.process(pid);
  const ending = process.ending ?? { status: 0, signal: 0 };
  const { signal } = ending;
  const status = signal > 0 ? 128 + signal : ending.status & 0xff;
  core.set({ processes: core.state.processes.remove(pid) });
  core.emit({ kind: 'process-exited', pid, status, ...(signal > 0 ? { signal: signalName(signal) } : {}) });
  bequeath(core, process);
  endsInFamily(core, process, ending);
  if (pid === FIRST_PROCESS) {
    core.set({ exitStatus: status });
    for (const other of [...core.state.processes.keys()].sort((a, b) => a - b)) endProcess(core, other, 0, Signal.KILL);
  }
  if (core.state.processes.size === 0) core.machine.halt();
}
