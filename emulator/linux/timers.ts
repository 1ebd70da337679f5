/**
 * Interval timers (setitimer) and POSIX timers (timer_create) of processes: what they are set to and what their expiry does. They belong to
 * the process, not its program's memory: fork gives a child none, exec keeps interval timers only, exit drops all.
 */
import { Map } from 'immutable';
import { cancelAlarm, setAlarm } from './alarms';
import type { Core } from './core';
import { Signal } from './errno';
import { kernelInfo, sendSignal } from './signals';
import type { SignalInfo } from './state';

/** Ticks from one expiry of a repeating timer to the next at least: so that its handling leaves time for others. */
const SHORTEST = 5000;
/** Ticks in which timers on CPU time are exact: more than the way from the timer to user code takes. */
const FINEST = 1000;
const SI_TIMER = -2;
const DELAYTIMER_MAX = 0x7fff_ffff;

/** Ticks of the timer's clock: machine ticks, or ticks of CPU time. Deadline Infinity: not running. */
export interface Setting {
  readonly deadline: number;
  readonly interval: number;
}
export const STOPPED: Setting = { deadline: Infinity, interval: 0 };

export interface PosixTimer extends Setting {
  readonly clock: number;
  /** CPU time is what counts: of thread `of`, or of the process when that is 0. */
  readonly cpu: { readonly of: number } | undefined;
  /** 0 for SIGEV_NONE. */
  readonly signal: number;
  /** Thread that gets the signal; 0 for the process. */
  readonly tid: number;
  readonly value: number;
  /** Its signal is pending; when that is taken, it goes on from `deadline`. */
  readonly queued: boolean;
  /** Expiries that the last delivered signal stood for, besides its own. */
  readonly overrun: number;
}

/** setitimer's: 0 real, 1 virtual, 2 prof. */
export type IntervalTimers = readonly [Setting, Setting, Setting];

export interface ProcessTimers {
  readonly intervals: IntervalTimers;
  readonly posix: Map<number, PosixTimer>;
  readonly next: number;
}
const NONE: ProcessTimers = { intervals: [STOPPED, STOPPED, STOPPED], posix: Map(), next: 0 };

export const timersOf = (core: Core, pid: number): ProcessTimers => core.state.timersOf.get(pid) ?? NONE;

export function setTimers(core: Core, pid: number, patch: Partial<ProcessTimers>): void {
  core.set({ timersOf: core.state.timersOf.set(pid, { ...timersOf(core, pid), ...patch }) });
}

const setPosix = (core: Core, pid: number, id: number, timer: PosixTimer): void =>
  setTimers(core, pid, { posix: timersOf(core, pid).posix.set(id, timer) });

/** The next deadline of a repeating timer that lies in the future, and the expiries that are left out before it. */
function following({ deadline, interval }: Setting, now: number): { deadline: number; missed: number } {
  if (interval === 0) return { deadline: Infinity, missed: 0 };
  const earliest = now + (interval < SHORTEST ? SHORTEST : 1);
  const steps = Math.max(1, Math.ceil((earliest - deadline) / interval));
  return { deadline: deadline + steps * interval, missed: steps - 1 };
}

/** CPU ticks of a process so far. */
function processCpu(core: Core, pid: number): number {
  const { threads, cpu } = core.process(pid);
  return threads.reduce((sum, tid) => sum + core.thread(tid).cpu, cpu);
}

/** What a timer's clock shows. */
export function clockOf(core: Core, pid: number, cpu: PosixTimer['cpu']): number {
  if (!cpu) return core.now;
  return cpu.of === 0 ? processCpu(core, pid) : (core.state.threads.get(cpu.of)?.cpu ?? 0);
}

/** Time until the next expiry, on the timer's clock; 0 when it is not running. */
export function remaining(setting: Setting, now: number): number {
  const { deadline, interval } = setting;
  if (deadline === Infinity) return 0;
  if (deadline > now) return deadline - now;
  return interval === 0 ? 0 : interval - ((now - deadline) % interval);
}

/** Sets a POSIX timer going, or stops it; a signal it has pending does not set it going any more. */
export function armPosix(core: Core, pid: number, id: number, setting: Setting): void {
  const timer = { ...timersOf(core, pid).posix.get(id)!, ...setting, queued: false };
  setPosix(core, pid, id, timer);
  const silent = timer.signal === 0 || timer.cpu !== undefined;
  setAlarm(core, { kind: 'posix', pid, id }, silent ? Infinity : timer.deadline);
}

/** Sets an interval timer going, or stops it. */
export function armInterval(core: Core, pid: number, which: number, setting: Setting): void {
  const [real, virtual, prof] = timersOf(core, pid).intervals;
  const pick = (index: number, old: Setting): Setting => (which === index ? setting : old);
  setTimers(core, pid, { intervals: [pick(0, real), pick(1, virtual), pick(2, prof)] });
  if (which === 0) setAlarm(core, { kind: 'real', pid, id: 0 }, setting.deadline);
}

/** A POSIX timer's signal is sent; the timer goes on when that is taken, so that one is pending at most. */
export function posixExpired(core: Core, pid: number, id: number): void {
  const timer = timersOf(core, pid).posix.get(id);
  if (!timer || !core.state.processes.has(pid)) return;
  const { signal, value, tid } = timer;
  if (tid !== 0 && core.state.threads.get(tid)?.pid !== pid) return;
  const info: SignalInfo = { signal, code: SI_TIMER, pid: 0, address: 0, value, timer: { id, overrun: 0 } };
  setPosix(core, pid, id, { ...timer, queued: true });
  sendSignal(core, pid, tid === 0 ? undefined : tid, info);
  // It may be ignored, or one of its number be pending already.
  const { pending } = tid === 0 ? core.process(pid) : core.thread(tid);
  if (!pending.includes(info)) timerTaken(core, pid, info);
}

/** A timer's signal has been taken: how it is to be told. The timer goes on. */
export function timerTaken(core: Core, pid: number, info: SignalInfo): SignalInfo {
  const { id } = info.timer!;
  const timer = timersOf(core, pid).posix.get(id);
  if (!timer?.queued) return info;
  const { deadline, missed } = following(timer, clockOf(core, pid, timer.cpu));
  const overrun = Math.min(missed, DELAYTIMER_MAX);
  setPosix(core, pid, id, { ...timer, overrun });
  armPosix(core, pid, id, { deadline, interval: timer.interval });
  return { ...info, timer: { id, overrun } };
}

const INTERVAL_SIGNALS = [Signal.ALRM, Signal.VTALRM, Signal.PROF];

/** An interval timer has expired: its signal, and on to the next time. */
function intervalExpired(core: Core, pid: number, which: number, now: number): void {
  const setting = timersOf(core, pid).intervals[which]!;
  armInterval(core, pid, which, { ...setting, deadline: following(setting, now).deadline });
  if (core.state.processes.has(pid)) sendSignal(core, pid, undefined, kernelInfo(INTERVAL_SIGNALS[which]!));
}

export const realExpired = (core: Core, pid: number): void => intervalExpired(core, pid, 0, core.now);

/** The POSIX timers of a process that count CPU time and wait for it, by id. */
const cpuTimers = (timers: ProcessTimers): [number, PosixTimer][] =>
  [...timers.posix]
    .filter(([, timer]) => timer.cpu && !timer.queued && timer.signal !== 0 && timer.deadline < Infinity)
    .sort(([a], [b]) => a - b);

/** A process has used CPU time: its timers on that. */
export function expireCpuTimers(core: Core, pid: number): void {
  const timers = core.state.timersOf.get(pid);
  if (!timers) return;
  const running = [1, 2].filter((which) => timers.intervals[which]!.deadline < Infinity);
  if (running.length > 0) {
    const now = processCpu(core, pid);
    for (const which of running) if (timers.intervals[which]!.deadline <= now) intervalExpired(core, pid, which, now);
  }
  for (const [id, timer] of cpuTimers(timers))
    if (timer.deadline <= clockOf(core, pid, timer.cpu)) posixExpired(core, pid, id);
}

/** Ticks that the current thread may run until a timer on CPU time expires. */
export function cpuTimeLeft(core: Core): number {
  const { current, timersOf: all } = core.state;
  const thread = current === undefined ? undefined : core.thread(current);
  const timers = thread && all.get(thread.pid);
  if (!timers) return Infinity;
  let left = Infinity;
  for (const { deadline } of timers.intervals.slice(1))
    if (deadline < Infinity) left = Math.min(left, deadline - processCpu(core, thread.pid));
  for (const [, timer] of cpuTimers(timers)) {
    if (timer.cpu!.of !== 0 && timer.cpu!.of !== thread.tid) continue;
    left = Math.min(left, timer.deadline - clockOf(core, thread.pid, timer.cpu));
  }
  return Math.max(FINEST, left);
}

/** Exec: POSIX timers are gone. Exit (`all`): the interval timers too. */
export function dropTimers(core: Core, pid: number, all: boolean): void {
  const timers = core.state.timersOf.get(pid);
  if (!timers) return;
  for (const id of [...timers.posix.keys()].sort((a, b) => a - b)) cancelAlarm(core, { kind: 'posix', pid, id });
  if (all) {
    cancelAlarm(core, { kind: 'real', pid, id: 0 });
    core.set({ timersOf: core.state.timersOf.remove(pid) });
  } else setTimers(core, pid, { posix: Map(), next: 0 });
}
