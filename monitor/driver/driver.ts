/**
 * /dev/penglai_enclave_dev: the untrusted kernel's side of the monitor. Owns the dispatch of ioctls and of steps; the work lies in the
 * files beside this one. Reaches memory through the kernel's port and the monitor through SBI calls only.
 */
import type { CharacterDevice, DeviceStep } from '../../emulator/linux/device';
import { PAGE_SIZE, va } from '../../emulator/units';
import { AttestParam, DEVICE_PATH, Ioctl } from '../abi';
import { hex } from '../hazards';
import { asked, askAgain, control, reclaim } from './control';
import { Driver, SharedPage, give, type DriverOptions } from './core';
import {
  callCreate,
  created,
  fillPages,
  notCreated,
  planPool,
  readImage,
  startCreate,
  userParams,
  writeTables,
} from './create';
import { EFAULT, EINVAL } from './errno';
import { extended, takeBack, takenBack } from './extend';
import { grant, granted, initPersistency } from './ocalls';
import { imageBytes } from './image';
import { freeRegions, mmapRegion, newRegion, regionCall, regionMapped } from './regions';
import { raise } from './permission';
import { killed, noMemory, ran, runCall, startRun, waited } from './run';
import { recordsOf, type DriverState, type EnclaveRecord } from './state';
import { ask, finish, goOn, zeroPiece, type Request, type Step, type Turn } from './step';
import { traceCommand, traceEnd, traceIoctl } from './trace';

/** A command from outside the machine. */
export interface DriverCommand {
  readonly operation: 'stop' | 'resume' | 'destroy';
  readonly eid: number;
}

export interface PenglaiDevice extends CharacterDevice {
  /** By the id the host sees. */
  records(): readonly EnclaveRecord[];
  /** By the address the monitor tells the new enclave's number at. */
  byEidPointer(address: number): EnclaveRecord | undefined;
  /** The enclave that a host thread is inside RUN for. */
  byRunner(tid: number): EnclaveRecord | undefined;
  image(hash: string): Uint8Array | undefined;
}

const MAX_ARGUMENT = 1024;
const sizeOf = (command: number): number => (command >>> 16) & 0x3fff;

export function createDriver(options: DriverOptions): PenglaiDevice {
  const driver = new Driver(options);
  return {
    path: DEVICE_PATH,
    mode: 0o666,
    module: 'penglai',
    // What install scripts of the SDK give to mknod, whatever the kernel gave the driver.
    minors: [62],
    boot: () => give(0),
    open: () => undefined,
    release: () => undefined,
    ioctl(kernel, request, file, state, input) {
      const turn: Turn = { driver, kernel, caller: input.caller, input };
      const next = state !== undefined ? step(turn, state as Step) : begin(turn, request, file);
      if (options.trace) traceEnd(turn, request.command >>> 0, state as Step | undefined, next);
      return next;
    },
    mmap: (kernel, data, length) => mmapRegion(driver, kernel, data, length),
    mapped: (kernel, data, by) => regionMapped(driver, kernel, data, by),
    processExited(kernel, pid, state, input) {
      const turn: Turn = { driver, kernel, caller: input.caller, input };
      return step(turn, (state as Step | undefined) ?? { at: 'reclaim', pid, asked: undefined, skip: [] });
    },
    command(kernel, command, state, input) {
      const turn: Turn = { driver, kernel, caller: input.caller, input };
      const next = state !== undefined ? step(turn, state as Step) : beginCommand(turn, command as DriverCommand);
      if (options.trace) traceEnd(turn, 0, state as Step | undefined, next);
      return next;
    },
    snapshot: () => driver.state,
    restore: (root) => void (driver.state = root as DriverState),
    records: () => recordsOf(driver.state),
    byEidPointer(address) {
      const eid = driver.state.byShared.get((address - SharedPage.eid) / PAGE_SIZE);
      return eid === undefined ? undefined : driver.record(eid);
    },
    byRunner(tid) {
      const eid = driver.state.byRunner.get(tid);
      return eid === undefined ? undefined : driver.record(eid);
    },
    image(hash) {
      const image = driver.state.images.get(hash);
      return image && imageBytes(image, 0, image.size);
    },
  };
}

const REGIONS: Readonly<Record<number, readonly ['shm' | 'relay', 'get' | 'at' | 'dt' | 'ctl']>> = {
  [Ioctl.SHMGET]: ['shm', 'get'],
  [Ioctl.SHMAT]: ['shm', 'at'],
  [Ioctl.SHMDT]: ['shm', 'dt'],
  [Ioctl.SHMCTL]: ['shm', 'ctl'],
  [Ioctl.SCHRODINGER_GET]: ['relay', 'get'],
  [Ioctl.SCHRODINGER_AT]: ['relay', 'at'],
  [Ioctl.SCHRODINGER_DT]: ['relay', 'dt'],
  [Ioctl.SCHRODINGER_CTL]: ['relay', 'ctl'],
};
const CONTROLS: Readonly<Record<number, 'stop' | 'resume' | 'destroy'>> = {
  [Ioctl.STOP_ENCLAVE]: 'stop',
  [Ioctl.RESUME_ENCLAVE]: 'resume',
  [Ioctl.DESTROY_ENCLAVE]: 'destroy',
};
const KNOWN = new Set<number>(Object.values(Ioctl));

/** The first step of an ioctl; its argument is copied once. */
function begin(
  t: Turn,
  request: Parameters<CharacterDevice['ioctl']>[1],
  file: Parameters<typeof regionCall>[4],
): DeviceStep {
  const { driver, kernel } = t;
  const command = request.command >>> 0;
  const known = sizeOf(command) <= MAX_ARGUMENT && KNOWN.has(command);
  const bytes = known ? kernel.port.user.read(request.argument, sizeOf(command)) : undefined;
  if (driver.options.trace) traceIoctl(t, command, bytes);
  if (bytes) return start(t, command, { address: request.argument, bytes }, file);
  const problem = sizeOf(command) > MAX_ARGUMENT ? 'its argument has more than 1024 bytes' : 'no such request';
  raise(t, 'bad-ioctl', { command: hex(command), problem });
  driver.log(kernel, `[ERROR] ioctl is failed cmd:${command.toString(16)}`);
  return give(EFAULT);
}

function beginCommand(t: Turn, { operation, eid }: DriverCommand): DeviceStep {
  if (t.driver.options.trace) traceCommand(t, operation, eid);
  if (!['stop', 'resume', 'destroy'].includes(operation)) return give(EINVAL);
  return control(t, operation, eid, undefined);
}

function start(t: Turn, command: number, request: Request, file: Parameters<typeof regionCall>[4]): DeviceStep {
  const region = REGIONS[command];
  if (region) return regionCall(t, ...region, request, file);
  const view = new DataView(request.bytes.buffer, request.bytes.byteOffset, request.bytes.byteLength);
  if (command === Ioctl.PERSISTENCY_INIT)
    return goOn(1000, finish(request, initPersistency(t, view.getInt32(0, true))));
  if (command === Ioctl.ATTEST_ENCLAVE) {
    const isShadow = view.getInt32(AttestParam.isShadow, true) === 1;
    return control(t, 'attest', view.getInt32(AttestParam.eid, true), request, isShadow);
  }
  const param = userParams(request.bytes);
  const operation = CONTROLS[command];
  if (operation) return control(t, operation, param.eid, request, param.isShadow === 1);
  if (command === Ioctl.CREATE_ENCLAVE) return goOn(1, { at: 'begin', request, param });
  return startRun(t, request, param);
}

function step(t: Turn, state: Step): DeviceStep {
  switch (state.at) {
    case 'calls': {
      const [call, ...calls] = state.calls;
      return call ? ask(call, { ...state, calls }) : step(t, state.then);
    }
    case 'zero':
      return zeroPiece(t, state);
    case 'region':
      return newRegion(t, state);
    case 'freed':
      return freeRegions(t, state);
    case 'left':
      return takeBack();
    case 'finish':
      t.kernel.port.user.write(va(state.request.address), state.request.bytes);
      return give(state.value);
    case 'begin':
      return startCreate(t, state);
    case 'read':
      return readImage(t, state);
    case 'plan':
      return planPool(t, state);
    case 'fill':
      return fillPages(t, state);
    case 'tables':
      return writeTables(t, state);
    case 'create':
      return callCreate(t, state);
    case 'created':
      return created(t, state);
    case 'not-created':
      return notCreated(t, state);
    case 'extended':
      return extended(t, state);
    case 'taken-back':
      return takenBack(t);
    case 'run':
      return runCall(t, state);
    case 'no-memory':
      return noMemory(t, state);
    case 'ran':
      return ran(t, state);
    case 'waited':
      return waited(t, state);
    case 'killed':
      return killed(t, state);
    case 'grant':
      return grant(t, state);
    case 'granted':
      return granted(t, state);
    case 'asked':
      return asked(t, state);
    case 'ask-again':
      return askAgain(t, state);
    case 'reclaim':
      return reclaim(t, state);
  }
}
