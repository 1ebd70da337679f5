/**
 * Names of calls and of their arguments, as the SDK and Penglai-TVM have them. Owns how a register or a field is shown; no behaviour.
 */
import { EnclaveCall, Ocall, ResumeReason, Sbi } from '../abi';
import type { TraceValue } from './events';

/** `int`: signed; `size`: unsigned; `hex`: an address or a key; `name`: a name of at most 16 bytes at that address. */
export type Format = 'int' | 'size' | 'hex' | 'name';
export type Parameter = readonly [name: string, format: Format];
export interface Signature {
  readonly name: string;
  /** a0, a1 … in turn. */
  readonly parameters: readonly Parameter[];
}

const call = (name: string, ...parameters: readonly Parameter[]): Signature => ({ name, parameters });

/** a7 of an enclave's ecall. EXIT is what EAPP_RETURN calls. */
export const ENCLAVE_CALLS: Readonly<Record<number, Signature>> = {
  [EnclaveCall.EXIT]: call('exit', ['retval', 'int']),
  [EnclaveCall.ACQUIRE_ENCLAVE]: call('acquire_enclave', ['name', 'name']),
  [EnclaveCall.CALL_ENCLAVE]: call('call_enclave', ['handle', 'int']),
  [EnclaveCall.ENCLAVE_RETURN]: call('SERVER_RETURN'),
  [EnclaveCall.GET_REPORT]: call('get_report', ['name', 'name'], ['report', 'hex'], ['nonce', 'size']),
  [EnclaveCall.ASYN_ENCLAVE_CALL]: call('asyn_enclave_call', ['name', 'name']),
  [EnclaveCall.SPLIT_MEM_REGION]: call('split_mem_region', ['vaddr', 'hex'], ['size', 'size'], ['split_addr', 'hex']),
  [EnclaveCall.GET_CALLER_ID]: call('get_caller_id'),
  [EnclaveCall.GET_ENCLAVE_ID]: call('get_enclave_id'),
  [EnclaveCall.YIELD]: call('yield'),
  [EnclaveCall.GET_KEY]: call('get_key', ['key_type', 'int'], ['buffer', 'hex'], ['size', 'size']),
  [EnclaveCall.SHM_ATTACH]: call('shm_attach', ['key', 'hex']),
  [EnclaveCall.SHM_STAT]: call('shm_stat', ['key', 'hex'], ['stat', 'hex']),
};

/** a0 of an ocall; the parameters are a1, a2. */
export const OCALLS: Readonly<Record<number, Signature>> = {
  [Ocall.MMAP]: call('MMAP', ['vaddr', 'hex'], ['size', 'size']),
  [Ocall.UNMAP]: call('UNMAP', ['vaddr', 'hex'], ['size', 'size']),
  [Ocall.SYS_WRITE]: call('SYS_WRITE'),
  [Ocall.SBRK]: call('SBRK', ['size', 'int']),
  [Ocall.READ_SECT]: call('READ_SECT', ['sector', 'size']),
  [Ocall.WRITE_SECT]: call('WRITE_SECT', ['sector', 'size']),
  [Ocall.RETURN_RELAY_PAGE]: call('RETURN_RELAY_PAGE'),
  [Ocall.GETRANDOM]: call('GETRANDOM', ['buffer', 'hex'], ['size', 'size']),
  [Ocall.SHM_GET]: call('SHM_GET', ['key', 'hex'], ['size', 'size']),
  [Ocall.SHM_DETACH]: call('SHM_DETACH', ['key', 'hex']),
  [Ocall.SHM_DESTROY]: call('SHM_DESTROY', ['key', 'hex']),
  [Ocall.SHM_EXTEND_MEMORY]: call('SHM_EXTEND_MEMORY'),
};
export const ocallName = (number: number): string => OCALLS[number]?.name ?? `ocall ${number}`;

/** a6 of the host's SBI call; what a kernel does to its page tables all the time (SET_PTE, MAP_PTE) is not told. */
export const HOST_CALLS: Readonly<Record<number, Signature>> = {
  [Sbi.SM_INIT]: call(
    'sm_init',
    ['pt_area', 'hex'],
    ['pt_area_size', 'size'],
    ['bitmap', 'hex'],
    ['bitmap_size', 'size'],
  ),
  [Sbi.PT_AREA_SEPARATION]: call('pt_area_separation', ['root_pages', 'size'], ['middle_pages', 'size']),
  [Sbi.CREATE_ENCLAVE]: call('create'),
  [Sbi.CREATE_SERVER_ENCLAVE]: call('create'),
  [Sbi.CREATE_SHADOW_ENCLAVE]: call('create'),
  [Sbi.RUN_ENCLAVE]: call('run', ['eid', 'int']),
  [Sbi.RUN_SHADOW_ENCLAVE]: call('fork', ['eid', 'int']),
  [Sbi.RESUME_ENCLAVE]: call('resume', ['eid', 'int']),
  [Sbi.STOP_ENCLAVE]: call('stop', ['eid', 'int']),
  [Sbi.DESTROY_ENCLAVE]: call('destroy', ['eid', 'int']),
  [Sbi.DESTROY_SERVER_ENCLAVE]: call('destroy', ['eid', 'int']),
  [Sbi.DESTROY_SHADOW_ENCLAVE]: call('destroy', ['eid', 'int']),
  [Sbi.ATTEST_ENCLAVE]: call('attest', ['eid', 'int']),
  [Sbi.ATTEST_SHADOW_ENCLAVE]: call('attest', ['eid', 'int']),
  [Sbi.MEMORY_EXTEND]: call('memory_extend', ['paddr', 'hex'], ['size', 'size']),
  [Sbi.MEMORY_RECLAIM]: call('memory_reclaim'),
  [Sbi.SCHRODINGER_INIT]: call('schrodinger_init', ['paddr', 'hex'], ['size', 'size']),
  [Sbi.RELAY_RELEASE]: call('relay_release', ['paddr', 'hex'], ['size', 'size']),
};

export const RESUME_REASONS: Readonly<Record<number, string>> = {
  [ResumeReason.TIMER]: 'TIMER',
  [ResumeReason.STOP]: 'STOP',
  [ResumeReason.OCALL]: 'OCALL',
};

export const hexText = (value: bigint | number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

/** A 64-bit register as a value. */
export function shown(value: bigint, format: Exclude<Format, 'name'>): TraceValue {
  if (format === 'hex') return hexText(value);
  const number = format === 'int' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  return Number.isSafeInteger(Number(number)) ? Number(number) : hexText(value);
}
