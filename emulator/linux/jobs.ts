/** Kernel work that belongs to no thread: booting drivers, commands from outside, what a process leaves behind. One step each. */
import { Cause } from '../hart/types';
import { attempt, type Core } from './core';
import type { DeviceInput, DeviceStep } from './device';
import { callerOf, deviceAt, driverKernel, guarded } from './drivers';
import { Errno } from './errno';
import { panic } from './boot';
import { execQueue, startProgram } from './exec';
import type { Program } from './program';
import { dropFrom } from './memory/areas';
import { USER_TOP } from './memory/layout';
import { freeObject, recount } from './memory/objects';
import { freeTables } from './memory/tables';
import { loadRoot } from './paging';
import { crowdPiece } from './crowd';
import { closeProcess, removeProcess } from './process';
import { addJob, block, makeReady, wake, wakeSome } from './scheduler';
import type { Job } from './state';

const remove = (core: Core, job: Job): void => core.set({ jobs: core.state.jobs.remove(job.id) });
const update = (core: Core, job: Job, patch: Partial<Job>): void =>
  core.set({ jobs: core.state.jobs.set(job.id, { ...job, ...patch }) });

/** Runs one step of the first ready job; false when the hart has left S. */
export function runJob(core: Core, program: Program): boolean {
  const id = core.state.readyJobs.first()!;
  const job = core.state.jobs.get(id)!;
  if (job.work.kind === 'free-memory') return freeMemory(core, job, job.work);
  if (job.work.kind === 'exit') return exit(core, job, job.work.pid);
  if (job.work.kind === 'free-object') return freePages(core, job, job.work);
  if (job.work.kind === 'wake') return wakeMore(core, job, job.work);
  if (job.work.kind === 'crowd') {
    goOn(core, job, crowdPiece(core, job.work));
    return true;
  }
  let step: DeviceStep | undefined;
  const fault = attempt(core, () => {
    step = deviceStep(core, job);
  });
  if (fault) step = { do: 'return', value: fault.cause === Cause.LoadAccessFault ? -Errno.EIO : -Errno.EFAULT };
  core.charge(1);
  return applyStep(core, job, step!, program);
}

function deviceStep(core: Core, job: Job): DeviceStep {
  const { work } = job;
  const kernel = driverKernel(core);
  const pid = work.kind === 'exit-device' ? work.pid : 0;
  const input: DeviceInput = { caller: callerOf(core, pid, 0), killed: false, ...(job.sbi ? { sbi: job.sbi } : {}) };
  if (work.kind === 'command') {
    const device = deviceAt(core, work.path);
    if (!device) return { do: 'return', value: -Errno.ENODEV };
    return guarded(core, device, () => device.command(kernel, work.command, job.phase, input));
  }
  if (work.kind !== 'boot-device' && work.kind !== 'exit-device') return { do: 'return', value: 0 };
  const device = core.options.devices[work.device];
  if (!device) return { do: 'return', value: 0 };
  if (work.kind === 'boot-device') return guarded(core, device, () => device.boot(kernel, job.phase, input));
  return guarded(core, device, () => device.processExited(kernel, work.pid, job.phase, input));
}

function applyStep(core: Core, job: Job, step: DeviceStep, program: Program): boolean {
  const next = { phase: step.do === 'return' ? undefined : step.state, sbi: undefined };
  // A job that goes on stays at the head; one that returns, yields or waits leaves it.
  if (step.do !== 'work' && step.do !== 'sbi') core.set({ readyJobs: core.state.readyJobs.shift() });
  switch (step.do) {
    case 'return':
      remove(core, job);
      finish(core, job, step.value, program);
      return true;
    case 'work':
      update(core, job, next);
      core.charge(Math.max(1, Math.floor(step.ticks)));
      return true;
    case 'yield':
      update(core, job, next);
      core.set({ yielded: [...core.state.yielded, job.id] });
      return true;
    case 'wait':
      update(core, job, next);
      block(core, job.id, { queues: [`device:${step.queue}`], deadline: Infinity, bitset: ~0 });
      return true;
    case 'sbi':
      update(core, job, next);
      core.sbi(step.call, 'job', job.id);
      return false;
  }
}

function finish(core: Core, job: Job, value: number, program: Program): void {
  const { work } = job;
  if (work.kind === 'command') core.emit({ kind: 'device-answer', id: work.answer, result: value });
  else if (work.kind === 'boot-device') booted(core, work.device, value, program);
  else if (work.kind === 'exit-device') {
    if (work.device + 1 < core.options.devices.length) addJob(core, { ...work, device: work.device + 1 });
    else if (work.exec) wake(core, execQueue(work.pid));
    else closeProcess(core, work.pid);
  }
}

function booted(core: Core, device: number, value: number, program: Program): void {
  const known = core.options.devices[device];
  if (value < 0 && known) panic(core, `the driver of ${known.path} failed to start (error ${-value})`);
  else if (device + 1 < core.options.devices.length) addJob(core, { kind: 'boot-device', device: device + 1 });
  else {
    core.set({ boot: { phase: 'done', index: 0 } });
    startProgram(core, program);
  }
}

/** Frees the pages of an address space, then its tables, which nothing may use any more. */
function freeMemory(core: Core, job: Job, work: Extract<Job['work'], { kind: 'free-memory' }>): boolean {
  const { pid, position, memory: before } = work;
  if (position < USER_TOP) {
    const { memory, next } = dropFrom(core, before, position, USER_TOP);
    update(core, job, { work: { ...work, memory, position: next } });
    return true;
  }
  if (core.state.root === before.root) return loadRoot(core, core.state.kernelRoot);
  core.set({ readyJobs: core.state.readyJobs.shift() });
  remove(core, job);
  freeTables(core, before);
  recount(core, before.areas, []);
  // After the jobs that free shared objects.
  if (pid !== 0) addJob(core, { kind: 'exit', pid });
  return true;
}

function exit(core: Core, job: Job, pid: number): boolean {
  core.set({ readyJobs: core.state.readyJobs.shift() });
  remove(core, job);
  removeProcess(core, pid);
  return true;
}

/** The job goes on with this work; without any it is done. */
function goOn(core: Core, job: Job, work: Job['work'] | undefined): void {
  if (work) {
    update(core, job, { work });
    return;
  }
  core.set({ readyJobs: core.state.readyJobs.shift() });
  remove(core, job);
}

/** Wakes a piece of those who stood in a queue when it was woken. */
function wakeMore(core: Core, job: Job, work: Extract<Job['work'], { kind: 'wake' }>): boolean {
  const { next } = wakeSome(core, work.queue, work);
  goOn(core, job, next === undefined ? undefined : { ...work, from: next });
  return true;
}

/** Frees the pages of a shared object that nothing shows any more. */
function freePages(core: Core, job: Job, work: Extract<Job['work'], { kind: 'free-object' }>): boolean {
  const position = freeObject(core, work.object, work.position);
  if (position !== undefined) {
    update(core, job, { work: { ...work, position } });
    return true;
  }
  core.set({ readyJobs: core.state.readyJobs.shift() });
  remove(core, job);
  return true;
}

/** Jobs that yielded go on after a thread had its turn. */
export function readyYielded(core: Core): void {
  const { yielded } = core.state;
  if (yielded.length === 0) return;
  core.set({ yielded: [] });
  for (const id of yielded) makeReady(core, id);
}
