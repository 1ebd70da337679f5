/** The driver's side of the trace: ioctls with their arguments by name, and what became of them. Nothing here runs unless it was asked for. */
import type { DeviceStep } from '../../emulator/linux/device';
import { errorName } from '../../emulator/linux/strace/names';
import { AtParam, AttestParam, CtlParam, GetParam, Ioctl, UserParam } from '../abi';
import type { IoctlEntered, IoctlLeft, TraceArguments, TraceValue } from '../trace/events';
import { hexText, shown } from '../trace/names';
import { userParams } from './create';
import type { Step, Turn } from './step';

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Ioctl).map(([name, command]) => [command, name]),
);
const TYPES = ['NORMAL', 'SERVER', 'SHADOW'];

/** `bytes` is the argument as it was copied; undefined for a request that does not exist. */
export function traceIoctl(t: Turn, command: number, bytes: Uint8Array | undefined): void {
  const name = NAMES[command];
  const args = name && bytes ? argumentsOf(command, bytes) : { command: hexText(command) };
  tellEntered(t, name ?? 'unknown', args);
}

/** A command from outside, for which no thread calls. */
export function traceCommand(t: Turn, operation: string, eid: number): void {
  tellEntered(t, `${operation.toUpperCase()}_ENCLAVE`, { eid: hexText(eid) });
}

function tellEntered(t: Turn, name: string, args: TraceArguments): void {
  const { pid, tid } = t.caller;
  const record = typeof args['eid'] === 'string' ? t.driver.record(Number(args['eid'])) : undefined;
  const about = record && t.driver.options.instanceOf?.(record);
  const after = t.kernel.spent();
  const whom = about === undefined ? {} : { about };
  const event: IoctlEntered = { kind: 'ioctl-entered', name, args, pid, tid, ...whom, after };
  t.kernel.emit(event);
}

/** After a step: the call's end, if `next` is that. `done` is the step that was made. */
export function traceEnd(t: Turn, command: number, done: Step | undefined, next: DeviceStep): void {
  if (next.do !== 'return') return;
  const { pid, tid } = t.caller;
  const { value } = next;
  const out = done?.at === 'finish' && value >= 0 ? outOf(command, done.request.bytes) : {};
  const error = value < 0 ? { error: errorName(-value) } : {};
  const event: IoctlLeft = { kind: 'ioctl-left', pid, tid, result: value, ...error, out, after: t.kernel.spent() };
  t.kernel.emit(event);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u64 = (bytes: Uint8Array, at: number): TraceValue => shown(viewOf(bytes).getBigUint64(at, true), 'size');
const s32 = (bytes: Uint8Array, at: number): number => viewOf(bytes).getInt32(at, true);

function argumentsOf(command: number, bytes: Uint8Array): TraceArguments {
  switch (command) {
    case Ioctl.CREATE_ENCLAVE: {
      const { name, type, elf, elfSize, stackSize } = userParams(bytes);
      const image = { elf_ptr: hexText(elf), elf_size: elfSize, stack_size: stackSize };
      return { name, type: TYPES[type] ?? type, ...image, ...shmOf(bytes) };
    }
    case Ioctl.RUN_ENCLAVE: {
      const { eid, isShadow, rerunReason } = userParams(bytes);
      return {
        eid: hexText(eid),
        ...some({ isShadow, rerun_reason: rerunReason }),
        ...shmOf(bytes),
        ...relayOf(bytes),
      };
    }
    case Ioctl.ATTEST_ENCLAVE:
      return {
        eid: hexText(s32(bytes, AttestParam.eid)),
        ...some({ isShadow: s32(bytes, AttestParam.isShadow) }),
        nonce: u64(bytes, AttestParam.nonce),
      };
    case Ioctl.STOP_ENCLAVE:
    case Ioctl.RESUME_ENCLAVE:
    case Ioctl.DESTROY_ENCLAVE: {
      const { eid, isShadow } = userParams(bytes);
      return { eid: hexText(eid), ...some({ isShadow }) };
    }
    case Ioctl.SHMGET:
    case Ioctl.SCHRODINGER_GET:
      return {
        key: s32(bytes, GetParam.key),
        size: u64(bytes, GetParam.size),
        flag: hexText(s32(bytes, GetParam.flag)),
      };
    case Ioctl.PERSISTENCY_INIT:
      return { shmid: s32(bytes, CtlParam.id) };
    default:
      return { id: s32(bytes, AtParam.id) };
  }
}

/** Fields that are not 0. */
const some = (fields: TraceArguments): TraceArguments =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0));

function shmOf(bytes: Uint8Array): TraceArguments {
  const { shmid, shmOffset, shmSize } = userParams(bytes);
  return some({ shmid, shm_offset: shmOffset, shm_size: shmSize });
}

function relayOf(bytes: Uint8Array): TraceArguments {
  const { relayId, relayOffset, relaySize } = userParams(bytes);
  return some({ schrodinger_id: relayId, schrodinger_offset: relayOffset, schrodinger_size: relaySize });
}

/** What a call that succeeded has written into its argument. */
function outOf(command: number, bytes: Uint8Array): TraceArguments {
  switch (command) {
    case Ioctl.CREATE_ENCLAVE:
      return { eid: hexText(userParams(bytes).eid) };
    case Ioctl.RUN_ENCLAVE: {
      const retval = shown(viewOf(bytes).getBigUint64(UserParam.retval, true), 'int');
      return { eid: hexText(userParams(bytes).eid), retval };
    }
    case Ioctl.SHMAT:
    case Ioctl.SCHRODINGER_AT:
      return { size: u64(bytes, AtParam.size) };
    default:
      return {};
  }
}
