/**
 * Ends of threads and processes. A process going down marks its threads as dying; each leaves the kernel where it stands (a driver's
 * call is told and finishes first), then exits; with the last one go devices, descriptors and memory, in steps.
 */
import type { Core } from './core';
import { signalName } from './errno';
import { closeAll } from './files/descriptors';
import { forget, leaveCurrent, makeReady, unblockThreads, wake } from './scheduler';
import { dropTimers } from './timers';
import type { Call, Job } from './state';

/** Number of the pseudo call a dying thread makes: exit. */
const EXIT = 93;
export const exitCall = (status: number): Call => ({
  number: EXIT,
  args: [status, 0, 0, 0, 0, 0],
  phase: undefined,
  woken: undefined,
  sbi: undefined,
});

/** Marks the process as going down: with an exit status, or by a signal (non-zero). Nothing when it already is. */
export function endProcess(core: Core, pid: number, status: number, signal: number): void {
  const process = core.process(pid);
  if (process.ending) return;
  core.setProcess(pid, { ending: { status, signal }, pending: [] });
  const threads = core.state.threads.withMutations((map) => {
    for (const tid of process.threads) map.set(tid, { ...map.get(tid)!, dying: true });
  });
  core.set({ threads });
  unblockThreads(core, process.threads, 'signal');
  core.charge(process.threads.length);
}

/** The thread is gone; its exit's user-memory work has been done. */
export function removeThread(core: Core, tid: number, status: number): void {
  const thread = core.thread(tid);
  if (core.state.current === tid) leaveCurrent(core);
  forget(core, tid);
  core.set({ threads: core.state.threads.remove(tid) });
  const process = core.process(thread.pid);
  const threads = process.threads.filter((other) => other !== tid);
  // Lists of threads were copied.
  core.charge(threads.length >> 2);
  core.setProcess(thread.pid, { threads, cpu: process.cpu + thread.cpu });
  core.emit({ kind: 'thread-exited', pid: thread.pid, tid });
  if (threads.length > 0) return;
  if (!process.ending) core.setProcess(thread.pid, { ending: { status, signal: 0 } });
  addJob(core, { kind: 'exit-device', pid: thread.pid, device: 0 });
}

export function addJob(core: Core, work: Job['work']): void {
  const id = core.state.nextJob;
  const job: Job = { id, work, phase: undefined, sbi: undefined, wait: undefined };
  core.set({ nextJob: id - 1, jobs: core.state.jobs.set(id, job) });
  makeReady(core, id);
}

/** All devices have been told: descriptors go, then memory. */
export function closeProcess(core: Core, pid: number): void {
  dropTimers(core, pid, true);
  closeAll(core, pid);
  addJob(core, { kind: 'exit-memory', pid, position: 0 });
}

/** Memory has been freed: the process is gone; the machine ends with the first one. */
export function removeProcess(core: Core, pid: number): void {
  const { ending } = core.process(pid);
  const signal = ending?.signal ?? 0;
  const status = signal > 0 ? 128 + signal : (ending?.status ?? 0) & 0xff;
  core.set({ processes: core.state.processes.remove(pid) });
  core.emit({ kind: 'process-exited', pid, status, ...(signal > 0 ? { signal: signalName(signal) } : {}) });
  wake(core, `exit:${pid}`);
  if (pid !== 1) return;
  core.set({ exitStatus: status });
  core.machine.halt();
}
