/** timerfd, POSIX timers and setitimer, and signalfd4: system calls over timers.ts and the kinds of open file. */
import { Errno, O, SIGNAL_MAX, SIGSET_BYTES, Signal, TIMER_ABSTIME } from '../errno';
import type { Core } from '../core';
import { openAs, openFileOf } from '../files/descriptors';
import { armTimer, expirations } from '../files/kinds/timer';
import { setOpenFile } from '../files/open-files';
import { UNMASKABLE } from '../signals';
import {
  armInterval,
  armPosix,
  clockOf,
  remaining,
  setTimers,
  STOPPED,
  timersOf,
  type PosixTimer,
  type Setting,
} from '../timers';
import { cancelAlarm } from '../alarms';
import {
  absoluteDeadline,
  cpuClock,
  isMonotonic,
  isRealtime,
  readTimeSpec,
  ticksOf,
  timeOf,
  writeTimeSpec,
} from './time';
import type { CallContext, Handler } from './call';

/** struct itimerspec: interval, value. */
const VALUE = 16;

/**
 * What a struct itimerspec asks for on a clock that shows `now`: undefined when it is no valid one. The deadline of an absolute time on
 * a clock of the machine is in ticks already.
 */
function settingAt(
  core: Core,
  address: number,
  now: number,
  absolute: boolean,
  realtime: boolean,
): Setting | undefined {
  const every = readTimeSpec(core, address);
  const value = readTimeSpec(core, address + VALUE);
  if (!every || !value) return undefined;
  if (value.seconds === 0 && value.nanoseconds === 0) return STOPPED;
  const interval = ticksOf(core, every);
  const deadline = absolute ? absoluteDeadline(core, value, realtime) : now + ticksOf(core, value);
  return { deadline, interval: interval === Infinity ? 0 : interval };
}

function writeSetting(core: Core, address: number, setting: Setting, now: number): void {
  const { interval } = setting;
  writeTimeSpec(core, address, timeOf(core, setting.deadline === Infinity && interval === 0 ? 0 : interval));
  writeTimeSpec(core, address + VALUE, timeOf(core, remaining(setting, now)));
}

const timerfd_create: Handler = ({ core, process }, clock, flags) => {
  if (flags! & ~(O.CLOEXEC | O.NONBLOCK)) return -Errno.EINVAL;
  if (!isRealtime(clock!) && !isMonotonic(clock!)) return -Errno.EINVAL;
  return openAs(
    core,
    process.pid,
    { kind: 'timer', clock: clock!, ...STOPPED, flags: O.RDWR | (flags! & O.NONBLOCK), path: 'anon_inode:[timerfd]' },
    (flags! & O.CLOEXEC) !== 0,
  );
};

const TFD_TIMER_CANCEL_ON_SET = 2;
const timerfd_settime: Handler = ({ core, process }, fd, flags, newAt, oldAt) => {
  // The clock is never set, so nothing cancels a timer.
  if (flags! & ~(TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) return -Errno.EINVAL;
  const open = openFileOf(core, process, fd! | 0);
  const absolute = (flags! & TIMER_ABSTIME) !== 0;
  const realtime = open?.file.kind === 'timer' && isRealtime(open.file.clock);
  const setting = settingAt(core, newAt!, core.now, absolute, realtime);
  if (!open) return -Errno.EBADF;
  if (!setting || open.file.kind !== 'timer') return -Errno.EINVAL;
  if (oldAt) writeSetting(core, oldAt, open.file, core.now);
  armTimer(core, open.id, setting.deadline, setting.interval);
  return 0;
};

const timerfd_gettime: Handler = ({ core, process }, fd, address) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'timer') return -Errno.EINVAL;
  core.charge(expirations(open.file, core.now) > 0 ? 1 : 0);
  writeSetting(core, address!, open.file, core.now);
  return 0;
};

const ITIMERS = 3;
/** struct itimerval: interval and value, in seconds and microseconds. */
function intervalAt(core: Core, address: number, now: number): Setting | undefined {
  const read = (at: number): number | undefined => {
    const seconds = core.user.readI64(at);
    const microseconds = core.user.readI64(at + 8);
    if (seconds < 0 || microseconds < 0 || microseconds >= 1e6) return undefined;
    return ticksOf(core, { seconds, nanoseconds: microseconds * 1000 });
  };
  const interval = read(address);
  const value = read(address + VALUE);
  if (interval === undefined || value === undefined) return undefined;
  return value === 0 ? STOPPED : { deadline: now + value, interval: interval === Infinity ? 0 : interval };
}

function writeInterval(core: Core, address: number, setting: Setting, now: number): void {
  [setting.deadline === Infinity ? 0 : setting.interval, remaining(setting, now)].forEach((ticks, i) => {
    const { seconds, nanoseconds } = timeOf(core, ticks);
    core.user.writeI64(address + i * VALUE, seconds);
    core.user.writeI64(address + i * VALUE + 8, Math.floor(nanoseconds / 1000));
  });
}

const clockOfInterval = ({ core, process }: CallContext, which: number): number =>
  clockOf(core, process.pid, which === 0 ? undefined : { of: 0 });

const getitimer: Handler = (context, which, address) => {
  const { core, process } = context;
  const setting = timersOf(core, process.pid).intervals[which!];
  if (!setting) return -Errno.EINVAL;
  writeInterval(core, address!, setting, clockOfInterval(context, which!));
  return 0;
};
const setitimer: Handler = (context, which, newAt, oldAt) => {
  const { core, process } = context;
  if (!(which! >= 0 && which! < ITIMERS)) return -Errno.EINVAL;
  const now = clockOfInterval(context, which!);
  const setting = newAt ? intervalAt(core, newAt, now) : STOPPED;
  if (!setting) return -Errno.EINVAL;
  if (oldAt) writeInterval(core, oldAt, timersOf(core, process.pid).intervals[which!]!, now);
  armInterval(core, process.pid, which!, setting);
  return 0;
};

/** POSIX timers of one process. */
const MAX_TIMERS = 256;
const enum SigEvent {
  SIGNAL = 0,
  NONE = 1,
  THREAD = 2,
  THREAD_ID = 4,
}

/** struct sigevent: value, signal, notify, thread. */
function eventAt(
  { core, process }: CallContext,
  address: number,
  id: number,
): Pick<PosixTimer, 'signal' | 'tid' | 'value'> | undefined {
  if (!address) return { signal: Signal.ALRM, tid: 0, value: id };
  const value = core.user.readI64(address);
  const signal = core.user.readI32(address + 8);
  const notify = core.user.readI32(address + 12);
  const tid = core.user.readI32(address + 16);
  if (notify === SigEvent.NONE) return { signal: 0, tid: 0, value };
  if (signal < 1 || signal > SIGNAL_MAX) return undefined;
  if (notify === SigEvent.SIGNAL || notify === SigEvent.THREAD) return { signal, tid: 0, value };
  if (notify !== (SigEvent.SIGNAL | SigEvent.THREAD_ID) || !process.threads.includes(tid)) return undefined;
  return { signal, tid, value };
}

const timer_create: Handler = (context, clock, sigevent, idAt) => {
  const { core, process } = context;
  const timers = timersOf(core, process.pid);
  const cpu = cpuClock(context, clock! | 0);
  if (!cpu && !isRealtime(clock!) && !isMonotonic(clock!)) return -Errno.EINVAL;
  if (timers.posix.size >= MAX_TIMERS) return -Errno.EAGAIN;
  const id = timers.next;
  const event = eventAt(context, sigevent!, id);
  if (!event) return -Errno.EINVAL;
  core.user.writeU32(idAt!, id);
  const timer: PosixTimer = { ...STOPPED, ...event, clock: clock! | 0, cpu, queued: false, overrun: 0 };
  setTimers(core, process.pid, { posix: timers.posix.set(id, timer), next: (id + 1) & 0x7fff_ffff });
  return 0;
};

const timer_settime: Handler = ({ core, process }, id, flags, newAt, oldAt) => {
  const timer = timersOf(core, process.pid).posix.get(id! | 0);
  if (!timer || !newAt) return -Errno.EINVAL;
  const now = clockOf(core, process.pid, timer.cpu);
  const absolute = (flags! & TIMER_ABSTIME) !== 0;
  const setting = settingAt(core, newAt, now, absolute, !timer.cpu && isRealtime(timer.clock));
  if (!setting) return -Errno.EINVAL;
  if (oldAt) writeSetting(core, oldAt, timer, now);
  armPosix(core, process.pid, id! | 0, setting);
  return 0;
};
const timer_gettime: Handler = ({ core, process }, id, address) => {
  const timer = timersOf(core, process.pid).posix.get(id! | 0);
  if (!timer) return -Errno.EINVAL;
  writeSetting(core, address!, timer, clockOf(core, process.pid, timer.cpu));
  return 0;
};
const timer_getoverrun: Handler = ({ core, process }, id) =>
  timersOf(core, process.pid).posix.get(id! | 0)?.overrun ?? -Errno.EINVAL;
const timer_delete: Handler = ({ core, process }, id) => {
  const { posix } = timersOf(core, process.pid);
  if (!posix.has(id! | 0)) return -Errno.EINVAL;
  cancelAlarm(core, { kind: 'posix', pid: process.pid, id: id! | 0 });
  setTimers(core, process.pid, { posix: posix.remove(id! | 0) });
  return 0;
};

const signalfd4: Handler = ({ core, process }, fd, maskAt, size, flags) => {
  if (size !== SIGSET_BYTES || flags! & ~(O.CLOEXEC | O.NONBLOCK)) return -Errno.EINVAL;
  const mask = core.user.readU64(maskAt!) & ~UNMASKABLE;
  if ((fd! | 0) === -1)
    return openAs(
      core,
      process.pid,
      { kind: 'signal', mask, flags: O.RDWR | (flags! & O.NONBLOCK), path: 'anon_inode:[signalfd]' },
      (flags! & O.CLOEXEC) !== 0,
    );
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'signal') return -Errno.EINVAL;
  setOpenFile(core, open.id, { ...open.file, mask });
  return fd!;
};

export const timerCalls: Readonly<Record<string, Handler>> = {
  timerfd_create,
  timerfd_settime,
  timerfd_gettime,
  getitimer,
  setitimer,
  timer_create,
  timer_settime,
  timer_gettime,
  timer_getoverrun,
  timer_delete,
  signalfd4,
};
