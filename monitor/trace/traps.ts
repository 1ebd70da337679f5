/**
 * The monitor's side of the trace: what is on the hart when M-mode is entered and when it is left. Looks at registers and memory, follows
 * an enclave's pointers through its own page table only, and changes nothing. Nothing here runs unless a trace was asked for.
 */
import { Cause, Privilege } from '../../emulator/hart/types';
import { MemoryFault } from '../../emulator/machine/ports';
import {
  CallArg,
  CreateParam,
  EnclaveCall,
  EnclaveVa,
  InstanceParam,
  Ocall,
  RunParam,
  Sbi,
  SBI_EXT_PENGLAI_ENCLAVE,
  SbiExtension,
} from '../abi';
import type { Core } from '../core';
import { readParam } from '../create';
import { isShared, readString, readVirtual } from '../enclave-tables';
import { serverNamed, type Enclave, type Shadow } from '../state';
import type { TraceArguments, TracedEnclave, TraceValue, TrapEntered } from './events';
import { ENCLAVE_CALLS, HOST_CALLS, OCALLS, RESUME_REASONS, hexText, ocallName, shown, type Signature } from './names';

/** Characters of a printed text that are shown. */
const TEXT_SHOWN = 80;
const KBUFFER_TEXT = 512;
const NAME_MAX = 16;

type Told = Pick<TrapEntered, 'by' | 'name' | 'args' | 'about'>;

const traced = (enclave: Enclave): TracedEnclave => ({ instance: enclave.instance, monitorEid: enclave.eid });
const about = (enclave: Enclave | undefined) => (enclave ? { about: traced(enclave) } : {});

/** Tells the trap that the hart has just taken, if it is one that has to do with enclaves. */
export function traceEntry(m: Core): void {
  const running = m.enclave(m.state.running);
  let told: Told | undefined;
  try {
    told = running ? ofEnclave(m, running) : ofHost(m);
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error;
    told = { by: running ? 'enclave' : 'host', name: 'unreadable', args: {} };
  }
  if (!told) return;
  const tid = m.options.currentThread();
  m.emit({ kind: 'trap-entered', ...told, tid, ...(running ? { from: traced(running) } : {}) });
}

/** Tells that M-mode has been left, if it has; `before` is the enclave that was on the hart before this step, -1 for none. */
export function traceExit(m: Core, before: number): void {
  const { hart } = m;
  if (hart.privilege === Privilege.Machine) return;
  const to = m.enclave(m.state.running);
  const left = to ? undefined : m.enclave(before);
  m.emit({
    kind: 'trap-left',
    ticks: Math.max(1, m.cost),
    a0: hart.getX64(10),
    a1: hart.getX64(11),
    ...(to ? { to: traced(to) } : {}),
    ...(left?.state === 'OCALLING' ? { ocall: ocallName(left.ocall) } : {}),
  });
}

// ---- the host's calls -------------------------------------------------------------------------------------------------------

function ofHost(m: Core): Told | undefined {
  const { hart } = m;
  if (hart.mcauseIsInterrupt || hart.mcause !== Cause.EcallFromSupervisor) return undefined;
  const fid = hart.getX(16);
  const signature = hart.getX(17) === SbiExtension.PENGLAI ? HOST_CALLS[fid] : undefined;
  if (!signature) return undefined;
  const args = { ...registers(m, undefined, signature, 10), ...moreOfHost(m, fid) };
  const subject = SHADOW_CALLS.has(fid) ? m.state.shadows.get(hart.getX(10)) : m.enclave(hart.getX(10));
  return { by: 'host', name: signature.name, args, ...('eid' in args && subject ? { about: byNumber(subject) } : {}) };
}

const SHADOW_CALLS: ReadonlySet<number> = new Set([
  Sbi.RUN_SHADOW_ENCLAVE,
  Sbi.DESTROY_SHADOW_ENCLAVE,
  Sbi.ATTEST_SHADOW_ENCLAVE,
]);

const byNumber = (subject: Enclave | Shadow): TracedEnclave => ({
  instance: subject.instance,
  monitorEid: 'id' in subject ? subject.id : subject.eid,
});

const TYPES: Readonly<Record<number, string>> = {
  [Sbi.CREATE_ENCLAVE]: 'NORMAL',
  [Sbi.CREATE_SERVER_ENCLAVE]: 'SERVER',
  [Sbi.CREATE_SHADOW_ENCLAVE]: 'SHADOW',
};

/** What lies in parameter blocks, or means something else than a number. */
function moreOfHost(m: Core, fid: number): TraceArguments {
  const { hart } = m;
  switch (fid) {
    case Sbi.CREATE_ENCLAVE:
    case Sbi.CREATE_SERVER_ENCLAVE:
    case Sbi.CREATE_SHADOW_ENCLAVE:
      return ofCreate(m, fid);
    case Sbi.RUN_ENCLAVE: {
      const param = readParam(m, hart.getX(11), RunParam.SIZE);
      const size = param?.u64(RunParam.mm_arg_size) ?? 0;
      const address = param?.u64(RunParam.mm_arg_addr) ?? 0;
      return address === 0 ? {} : { mm_arg_addr: hexText(address), mm_arg_size: size };
    }
    case Sbi.RUN_SHADOW_ENCLAVE: {
      const param = readParam(m, hart.getX(11), InstanceParam.SIZE);
      if (!param) return {};
      const [relay, shm] = [param.u64(InstanceParam.mm_arg_addr), param.u64(InstanceParam.shm_size)];
      return {
        name: m.readName(param.bytes.subarray(InstanceParam.name)),
        ...(shm === 0 ? {} : { shm_size: shm }),
        ...(relay === 0 ? {} : { mm_arg_addr: hexText(relay), mm_arg_size: param.u64(InstanceParam.mm_arg_size) }),
      };
    }
    case Sbi.RESUME_ENCLAVE: {
      const reason = RESUME_REASONS[hart.getX(11)] ?? hart.getX(11);
      return { reason, ...(reason === 'OCALL' ? { ocall: ocallName(hart.getX(12)) } : {}) };
    }
    case Sbi.DESTROY_ENCLAVE:
    case Sbi.DESTROY_SERVER_ENCLAVE:
    case Sbi.DESTROY_SHADOW_ENCLAVE:
      return hart.getX(12) === 1 ? { reason: 'owner-exited' } : {};
    case Sbi.ATTEST_ENCLAVE:
    case Sbi.ATTEST_SHADOW_ENCLAVE:
      return { nonce: shown(hart.getX64(12) | (hart.getX64(13) << 32n), 'size') };
    default:
      return {};
  }
}

function ofCreate(m: Core, fid: number): TraceArguments {
  const param = readParam(m, m.hart.getX(10), CreateParam.SIZE);
  if (!param) return { type: TYPES[fid]! };
  const shm = fid === Sbi.CREATE_SHADOW_ENCLAVE ? 0 : param.u64(CreateParam.shm_size);
  return {
    name: m.readName(param.bytes.subarray(CreateParam.name)),
    type: TYPES[fid]!,
    entry_point: hexText(param.u64(CreateParam.entry_point)),
    size: param.u64(CreateParam.size),
    ...(shm === 0 ? {} : { shm_size: shm }),
  };
}

// ---- what an enclave does ---------------------------------------------------------------------------------------------------

function ofEnclave(m: Core, self: Enclave): Told {
  const { hart } = m;
  if (hart.mcauseIsInterrupt) return { by: 'interrupt', name: 'timer', args: {} };
  if (hart.mcause !== Cause.EcallFromUser) {
    const written = hart.mcause === Cause.StorePageFault && isShared(m, self, hart.mtval);
    const args = { address: hexText(hart.mtval), cause: hart.mcause };
    return { by: 'fault', name: written ? 'copy_on_write' : 'fault', args };
  }
  const number = hart.getX(17);
  if (hart.getX(16) !== SBI_EXT_PENGLAI_ENCLAVE) return { by: 'enclave', name: 'ecall', args: { number, linux: 1 } };
  if (number === EnclaveCall.OCALL) return ofOcall(m, self);
  const signature = ENCLAVE_CALLS[number];
  if (!signature) return { by: 'enclave', name: 'ecall', args: { number } };
  const args = registers(m, self, signature, 10);
  switch (number) {
    case EnclaveCall.CALL_ENCLAVE: {
      const argument = callArgument(m, self, hart.getX(11), ['req_arg', 'req_vaddr', 'req_size']);
      return {
        by: 'enclave',
        name: signature.name,
        args: { ...args, ...argument },
        ...about(m.enclave(hart.getX(10))),
      };
    }
    case EnclaveCall.ENCLAVE_RETURN: {
      const argument = callArgument(m, self, hart.getX(10), ['resp_val', 'resp_vaddr', 'resp_size']);
      return { by: 'enclave', name: signature.name, args: argument, ...about(m.enclave(self.caller)) };
    }
    case EnclaveCall.ASYN_ENCLAVE_CALL: {
      const argument = callArgument(m, self, hart.getX(11), ['req_arg', 'req_vaddr', 'req_size']);
      return { by: 'enclave', name: signature.name, args: { ...args, ...argument } };
    }
    case EnclaveCall.ACQUIRE_ENCLAVE:
    case EnclaveCall.GET_REPORT:
      return { by: 'enclave', name: signature.name, args, ...about(serverNamed(m.state, String(args['name']))) };
    default:
      return { by: 'enclave', name: signature.name, args };
  }
}

function ofOcall(m: Core, self: Enclave): Told {
  const { hart } = m;
  const signature = OCALLS[hart.getX(10)];
  if (!signature) return { by: 'enclave', name: 'ocall', args: { number: hart.getX(10) } };
  const text = hart.getX(10) === Ocall.SYS_WRITE ? { text: printed(m, self) } : {};
  return { by: 'enclave', name: signature.name, args: { ...registers(m, self, signature, 11), ...text } };
}

/** What the kbuffer holds up to its NUL, as far as it is shown. */
function printed(m: Core, self: Enclave): string {
  const bytes = readVirtual(m, self, EnclaveVa.KBUFFER, KBUFFER_TEXT - 1);
  if (!bytes) return '';
  const end = bytes.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text;
}

/** Fields of a call_enclave_arg_t; its address where it can't be read. */
function callArgument(
  m: Core,
  self: Enclave,
  address: number,
  fields: readonly Exclude<keyof typeof CallArg, 'SIZE'>[],
): TraceArguments {
  const bytes = readVirtual(m, self, address, CallArg.SIZE);
  if (!bytes) return { arg: hexText(address) };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const format = (field: string) => (field.endsWith('vaddr') ? 'hex' : field.endsWith('size') ? 'size' : 'int');
  return Object.fromEntries(
    fields.map((field) => [field, shown(view.getBigUint64(CallArg[field], true), format(field))]),
  );
}

/** The arguments of a signature from a0 (or `first`) on. */
function registers(m: Core, self: Enclave | undefined, { parameters }: Signature, first: number): TraceArguments {
  const value = (format: Signature['parameters'][number][1], register: number): TraceValue => {
    if (format !== 'name') return shown(m.hart.getX64(register), format);
    const pointer = m.hart.getX(register);
    return (self && pointer !== 0 ? readString(m, self, pointer, NAME_MAX) : undefined) ?? hexText(pointer);
  };
  return Object.fromEntries(parameters.map(([name, format], i) => [name, value(format, first + i)]));
}
