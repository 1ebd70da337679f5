/** timerfd_create(2): reading takes the number of times the timer has expired since it was set or read. */
import type { Core } from '../../core';
import { cancelAlarm, setAlarm } from '../../alarms';
import { setOpenFile } from '../open-files';
import { Poll, type FileOf, type Kind } from './kind';
import { Errno } from '../../errno';

type Timer = FileOf<'timer'>;
export const timerQueue = (id: number): string => `file:${id}:read`;

/** Times it has expired that nobody has read. */
export function expirations({ deadline, interval }: Timer, now: number): number {
  if (deadline > now) return 0;
  return interval > 0 ? 1 + Math.floor((now - deadline) / interval) : 1;
}

/** Sets or (with Infinity) stops it. */
export function armTimer(core: Core, id: number, deadline: number, interval: number): void {
  const file = core.state.openFiles.get(id) as Timer;
  setOpenFile(core, id, { ...file, deadline, interval });
  setAlarm(core, { kind: 'file', pid: 0, id }, deadline);
}

export const timer: Kind<Timer> = {
  read(core, id, file, length) {
    if (length < 8) return -Errno.EINVAL;
    const count = expirations(file, core.now);
    if (count === 0) return { wait: timerQueue(id) };
    armTimer(core, id, file.interval > 0 ? file.deadline + count * file.interval : Infinity, file.interval);
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(count), true);
    return new Uint8Array(view.buffer);
  },
  ready: (core, id, file) => ({
    events: expirations(file, core.now) > 0 ? Poll.IN : 0,
    reading: timerQueue(id),
  }),
  closed(core, id) {
    cancelAlarm(core, { kind: 'file', pid: 0, id });
    return undefined;
  },
};
