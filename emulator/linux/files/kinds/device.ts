/** Open files of character devices: their ioctls run as the driver's resumable steps (device.ts of the host OS). */
import { va } from '../../../units';
import { waitFor, type CallContext, type Outcome } from '../../calls/call';
import type { Core } from '../../core';
import type { DeviceStep } from '../../device';
import { callerOf, deviceAt, driverKernel, guarded } from '../../drivers';
import { Errno } from '../../errno';
import { sliceOver, timerReady } from '../../scheduler';
import { setOpenFile } from '../open-files';
import { ALWAYS, type FileOf, type Kind } from './kind';

/** The driver's part of an ioctl in progress, plain data. */
export interface DevicePhase {
  readonly device: string;
  /** The open file it began with. */
  readonly file: number;
  readonly state: unknown;
}

export const isDevicePhase = (phase: unknown): phase is DevicePhase =>
  typeof phase === 'object' && phase !== null && 'device' in phase && 'state' in phase;

/** An ioctl in progress goes on with what it began with, whatever another thread has done to the descriptor (fdget holds the file). */
export function ioctlInProgress(context: CallContext, { device: path, file: id }: DevicePhase): Outcome {
  const file = context.core.state.openFiles.get(id);
  return ioctl(context, id, { device: path, data: file?.kind === 'device' ? file.data : undefined });
}

function ioctl(context: CallContext, id: number, file: Pick<FileOf<'device'>, 'device' | 'data'>): Outcome {
  const { core, thread, call } = context;
  const device = deviceAt(core, file.device);
  if (!device) return -Errno.ENOTTY;
  // What the driver asks of the firmware may take long, like user code: it starts with the timer set, and within the thread's slice.
  // What the firmware has answered is taken in at once: nobody may ask about what is gone as far as the firmware knows, but not yet the driver.
  if (!call.sbi && (sliceOver(core) || !timerReady(core, true))) return { do: 'make-way' };
  let data = file.data;
  const handle = {
    get data() {
      return data;
    },
    set(next: unknown) {
      data = next;
      const now = core.state.openFiles.get(id);
      if (now?.kind === 'device') setOpenFile(core, id, { ...now, data: next });
    },
  };
  const request = { command: call.args[1]! >>> 0, argument: va(call.args[2]!) };
  const input = {
    caller: callerOf(core, thread.pid, thread.tid),
    killed: thread.dying,
    ...(call.sbi ? { sbi: call.sbi } : {}),
  };
  const state = (call.phase as DevicePhase | undefined)?.state;
  const step = guarded(core, device, () => device.ioctl(driverKernel(core), request, handle, state, input));
  return outcomeOf(core, step, (next) => ({ device: device.path, file: id, state: next }) satisfies DevicePhase);
}

function outcomeOf(core: Core, step: DeviceStep, phase: (state: unknown) => unknown): Outcome {
  switch (step.do) {
    case 'return':
      return step.value;
    case 'sbi':
      return { do: 'sbi', call: step.call, phase: phase(step.state) };
    case 'yield':
      return { do: 'yield', phase: phase(step.state) };
    case 'wait':
      return { do: 'block', wait: waitFor([`device:${step.queue}`]), phase: phase(step.state) };
    case 'work':
      core.charge(step.ticks);
      return { do: 'more', phase: phase(step.state) };
  }
}

export const device: Kind<FileOf<'device'>> = {
  ready: () => ALWAYS,
  /** Nothing to seek in: every position is 0. */
  size: () => 0,
  ioctl,
  closed(core, _id, file) {
    deviceAt(core, file.device)?.release(driverKernel(core), file.data);
    return undefined;
  },
};
