/**
 * Timers that belong to no waiting thread: timerfd, POSIX timers, interval timers. An alarm is a tick and whose it is; when it is reached
 * its owner is told (here: wakes a queue or sends a signal). Timers on CPU time have no alarm: they are looked at when their process has run.
 */
import type { Core } from './core';
import { timerQueue } from './files/kinds/timer';
import { wake } from './scheduler';
import { posixExpired, realExpired } from './timers';

/** Whose an alarm is: a timerfd's open file `id`, POSIX timer `id` of `pid`, or the ITIMER_REAL of `pid`. One alarm each. */
export interface AlarmOwner {
  readonly kind: 'file' | 'posix' | 'real';
  readonly pid: number;
  readonly id: number;
}
export interface Alarm {
  readonly deadline: number;
  readonly owner: AlarmOwner;
}

const same = (a: AlarmOwner, b: AlarmOwner): boolean => a.kind === b.kind && a.pid === b.pid && a.id === b.id;

export function cancelAlarm(core: Core, owner: AlarmOwner): void {
  const { alarms } = core.state;
  if (alarms.some((alarm) => same(alarm.owner, owner)))
    core.set({ alarms: alarms.filter((alarm) => !same(alarm.owner, owner)) });
}

/** Sets the owner's alarm, which replaces an earlier one; Infinity for none. Alarms of one tick go off in the order they were set. */
export function setAlarm(core: Core, owner: AlarmOwner, deadline: number): void {
  cancelAlarm(core, owner);
  if (deadline === Infinity) return;
  const { alarms } = core.state;
  const behind = alarms.findIndex((alarm) => alarm.deadline > deadline);
  const at = behind < 0 ? alarms.length : behind;
  core.set({ alarms: [...alarms.slice(0, at), { deadline, owner }, ...alarms.slice(at)] });
}

/** Tells the owners of alarms that have been reached. What they set anew lies in the future. */
export function expireAlarms(core: Core): void {
  for (let first = core.state.alarms[0]; first && first.deadline <= core.now; first = core.state.alarms[0]) {
    core.set({ alarms: core.state.alarms.slice(1) });
    core.charge(1);
    const { kind, pid, id } = first.owner;
    if (kind === 'file') wake(core, timerQueue(id));
    else if (kind === 'posix') posixExpired(core, pid, id);
    else realExpired(core, pid);
  }
}
