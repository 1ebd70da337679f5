/**
 * Stopping and continuing a process (job control, signal(7)). All its threads stop: those that are blocked stay so, the others are parked
 * when it would be their turn, wherever in the kernel they are. The parent is told both times.
 */
import { List } from 'immutable';
import type { Core } from './core';
import { Signal } from './errno';
import { Cld, isOrphaned, tellParent } from './family';
import { passOver } from './crowd';
import { leaveCurrent } from './scheduler';

/** Signals whose default action stops a process. */
export const STOPPING: ReadonlySet<number> = new Set([Signal.STOP, Signal.TSTP, Signal.TTIN, Signal.TTOU]);

/** The default action of a stopping signal: nothing for one of a terminal when nobody could continue the process. */
export function stopProcess(core: Core, pid: number, signal: number): void {
  const process = core.process(pid);
  if (process.ending || process.stopped) return;
  if (signal !== Signal.STOP && isOrphaned(core, process.group)) return;
  core.setProcess(pid, { stopped: { signal, told: false, parked: List() }, continued: false });
  tellParent(core, process, Cld.STOPPED, signal);
}

export function continueProcess(core: Core, pid: number): void {
  const process = core.process(pid);
  if (!process.stopped) return;
  core.setProcess(pid, { stopped: undefined, continued: true });
  passOver(core, [
    { what: 'ready', tids: process.stopped.parked.toArray() },
    // What came meanwhile was left pending.
    { what: 'interrupt', tids: process.threads },
  ]);
  tellParent(core, process, Cld.CONTINUED, Signal.CONT);
}

/** The current thread's process is stopped: the thread leaves the hart until it is continued. */
export function park(core: Core, tid: number): void {
  const { pid } = core.thread(tid);
  const stopped = core.process(pid).stopped!;
  leaveCurrent(core);
  core.setProcess(pid, { stopped: { ...stopped, parked: stopped.parked.push(tid) } });
}
