/** Clocks and sleeping. All clocks are derived from the machine's tick. */
import { Errno, TIMER_ABSTIME } from '../errno';
import type { Core } from '../core';
import { wallClock } from '../files/stat';
import type { Process } from '../state';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

const enum Clock {
  REALTIME = 0,
  MONOTONIC = 1,
  PROCESS_CPUTIME = 2,
  THREAD_CPUTIME = 3,
  MONOTONIC_RAW = 4,
  REALTIME_COARSE = 5,
  MONOTONIC_COARSE = 6,
  BOOTTIME = 7,
  REALTIME_ALARM = 8,
  BOOTTIME_ALARM = 9,
  TAI = 11,
}
export const isRealtime = (clock: number): boolean =>
  clock === Clock.REALTIME || clock === Clock.REALTIME_COARSE || clock === Clock.REALTIME_ALARM || clock === Clock.TAI;
export const isMonotonic = (clock: number): boolean =>
  clock === Clock.MONOTONIC ||
  clock === Clock.MONOTONIC_RAW ||
  clock === Clock.MONOTONIC_COARSE ||
  clock === Clock.BOOTTIME ||
  clock === Clock.BOOTTIME_ALARM;

const NANO = 1e9;

export interface TimeSpec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A struct timespec; undefined when it is not a valid one. */
export function readTimeSpec(core: Core, address: number): TimeSpec | undefined {
  const seconds = core.user.readI64(address);
  const nanoseconds = core.user.readI64(address + 8);
  return seconds < 0 || nanoseconds < 0 || nanoseconds >= NANO ? undefined : { seconds, nanoseconds };
}

export function writeTimeSpec(core: Core, address: number, { seconds, nanoseconds }: TimeSpec): void {
  core.user.writeI64(address, seconds);
  core.user.writeI64(address + 8, nanoseconds);
}

/** Length of a time in ticks, rounded up; Infinity for more than can be counted. */
export function ticksOf(core: Core, { seconds, nanoseconds }: TimeSpec): number {
  const { clockHz } = core.options;
  const ticks = seconds * clockHz + Math.ceil((nanoseconds * clockHz) / NANO);
  return ticks < 2 ** 52 ? ticks : Infinity;
}
export function timeOf(core: Core, ticks: number): TimeSpec {
  const { clockHz } = core.options;
  const seconds = Math.floor(ticks / clockHz);
  return { seconds, nanoseconds: Math.floor(((ticks - seconds * clockHz) * NANO) / clockHz) };
}

/** Tick at which a relative struct timespec at `address` is over; undefined when it is not valid. */
export function relativeDeadline(core: Core, address: number): number | undefined {
  const time = readTimeSpec(core, address);
  return time && core.now + ticksOf(core, time);
}

/** Tick at which some milliseconds are over; Infinity for a negative number of them. */
export const millisecondsDeadline = (core: Core, milliseconds: number): number =>
  milliseconds < 0 ? Infinity : core.now + Math.ceil((milliseconds * core.options.clockHz) / 1000);

/** Tick of an absolute time on a clock. */
export function absoluteDeadline(core: Core, time: TimeSpec, realtime: boolean): number {
  const seconds = realtime ? time.seconds - core.options.epoch : time.seconds;
  return seconds < 0 ? 0 : ticksOf(core, { seconds, nanoseconds: time.nanoseconds });
}

export function processTicks(core: Core, process: Process): number {
  return process.threads.reduce((sum, tid) => sum + core.thread(tid).cpu, process.cpu);
}

/** The thread, or with 0 the process, whose CPU time a clock counts; undefined for another clock, or none of this process. */
export function cpuClock({ core, thread, process }: CallContext, clock: number): { of: number } | undefined {
  if (clock === Clock.PROCESS_CPUTIME) return { of: 0 };
  if (clock === Clock.THREAD_CPUTIME) return { of: thread.tid };
  if (clock >= 0) return undefined;
  // Per-process and per-thread CPU clocks: ~id << 3, with bit 2 for a thread.
  const id = ~(clock >> 3);
  if ((clock & 4) === 0) return id === 0 || id === process.pid ? { of: 0 } : undefined;
  const tid = id === 0 ? thread.tid : id;
  return core.state.threads.get(tid)?.pid === process.pid ? { of: tid } : undefined;
}

function clockNow(context: CallContext, clock: number): TimeSpec | undefined {
  const { core, process } = context;
  if (isRealtime(clock)) return wallClock(core, core.now);
  if (isMonotonic(clock)) return timeOf(core, core.now);
  const cpu = cpuClock(context, clock);
  if (!cpu) return undefined;
  return timeOf(core, cpu.of === 0 ? processTicks(core, process) : core.thread(cpu.of).cpu);
}

const clock_gettime: Handler = (context, clock, address) => {
  const time = clockNow(context, clock! | 0);
  if (!time) return -Errno.EINVAL;
  writeTimeSpec(context.core, address!, time);
  return 0;
};

const clock_getres: Handler = (context, clock, address) => {
  if (!clockNow(context, clock! | 0)) return -Errno.EINVAL;
  const nanoseconds = Math.max(1, Math.round(NANO / context.core.options.clockHz));
  if (address) writeTimeSpec(context.core, address, { seconds: 0, nanoseconds });
  return 0;
};

const gettimeofday: Handler = ({ core }, address, zone) => {
  const { seconds, nanoseconds } = wallClock(core, core.now);
  if (address) {
    core.user.writeI64(address, seconds);
    core.user.writeI64(address + 8, Math.floor(nanoseconds / 1000));
  }
  if (zone) core.user.writeU64(zone, 0n);
  return 0;
};

interface Sleeping {
  readonly deadline: number;
}
function sleep(context: CallContext, deadline: number, remainderAt: number): Outcome {
  const { core, call } = context;
  if (call.woken === 'timeout' || core.now >= deadline) return 0;
  if (call.woken === 'signal') {
    if (remainderAt) writeTimeSpec(core, remainderAt, timeOf(core, Math.max(0, deadline - core.now)));
    return -Errno.ERESTART_RESTARTBLOCK;
  }
  return { do: 'block', wait: waitFor([], deadline), phase: { deadline } satisfies Sleeping };
}
const begun = (context: CallContext): number | undefined => (context.call.phase as Sleeping | undefined)?.deadline;

const nanosleep: Handler = (context, request, remainder) => {
  const deadline = begun(context) ?? relativeDeadline(context.core, request!);
  return deadline === undefined ? -Errno.EINVAL : sleep(context, deadline, remainder!);
};

const clock_nanosleep: Handler = (context, clock, flags, request, remainder) => {
  const { core } = context;
  const id = clock! | 0;
  if (!isRealtime(id) && !isMonotonic(id)) return id === Clock.PROCESS_CPUTIME ? -Errno.EOPNOTSUPP : -Errno.EINVAL;
  const absolute = (flags! & TIMER_ABSTIME) !== 0;
  let deadline = begun(context);
  if (deadline === undefined) {
    const time = readTimeSpec(core, request!);
    if (!time) return -Errno.EINVAL;
    deadline = absolute ? absoluteDeadline(core, time, isRealtime(id)) : core.now + ticksOf(core, time);
  }
  return sleep(context, deadline, absolute ? 0 : remainder!);
};

/** USER_HZ. */
const CLOCK_TICKS = 100;
const times: Handler = ({ core, process }, address) => {
  const inClockTicks = (ticks: number): number => Math.floor((ticks * CLOCK_TICKS) / core.options.clockHz);
  if (address) {
    core.user.writeI64(address, inClockTicks(processTicks(core, process)));
    core.user.writeI64(address + 8, 0);
    core.user.writeI64(address + 16, inClockTicks(process.childCpu));
    core.user.writeI64(address + 24, 0);
  }
  return inClockTicks(core.now);
};

export const timeCalls: Readonly<Record<string, Handler>> = {
  clock_gettime,
  clock_getres,
  gettimeofday,
  nanosleep,
  clock_nanosleep,
  times,
};
