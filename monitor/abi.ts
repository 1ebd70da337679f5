/**
 * The numbers and layouts of the Penglai-TVM ABI: what host programs, the driver, the monitor and enclaves agree on. Names
 * are the SDK's. Owns no behaviour. Every structure is little-endian, LP64; offsets and sizes are bytes.
 */

/** SBI extension ids: a7 of an ecall from S-mode. */
export const SbiExtension = {
  BASE: 0x10,
  TIME: 0x54494d45,
  IPI: 0x735049,
  RFENCE: 0x52464e43,
  SRST: 0x53525354,
  PENGLAI: 0x100100,
  LEGACY_SET_TIMER: 0,
  LEGACY_CONSOLE_PUTCHAR: 1,
  LEGACY_SHUTDOWN: 8,
} as const;

/** a6 of an enclave's ecall that is meant for the monitor. */
export const SBI_EXT_PENGLAI_ENCLAVE = 0x100101;

/** Functions of the host's extension 0x100100 (a6). */
export const Sbi = {
  SM_INIT: 100,
  CREATE_ENCLAVE: 99,
  ATTEST_ENCLAVE: 98,
  RUN_ENCLAVE: 97,
  STOP_ENCLAVE: 96,
  RESUME_ENCLAVE: 95,
  DESTROY_ENCLAVE: 94,
  MEMORY_EXTEND: 92,
  CREATE_SERVER_ENCLAVE: 90,
  DESTROY_SERVER_ENCLAVE: 89,
  RUN_SHADOW_ENCLAVE: 87,
  CREATE_SHADOW_ENCLAVE: 86,
  SCHRODINGER_INIT: 85,
  DEBUG_PRINT: 84,
  PT_AREA_SEPARATION: 83,
  MAP_PTE: 81,
  ATTEST_SHADOW_ENCLAVE: 80,
  DESTROY_SHADOW_ENCLAVE: 79,
  /** Not of the published monitor: memory of MEMORY_EXTEND that is in no use goes back to the host. */
  MEMORY_RECLAIM: 77,
  SET_PTE: 101,
  /** This monitor's own: (address, size); relay pages in it that were transferred and not taken are the host's again, zeroed. */
  RELAY_RELEASE: 78,
} as const;

/** Results of host calls. -1 and -2 arrive in a0; 0 and above in a1 with a0 = 0. */
export const Result = {
  SUCCESS: 0,
  TIMER_IRQ: 1,
  OCALL: 2,
  ERROR: -1,
  /** Also what a function that is not implemented returns. */
  NO_MEM: -2,
} as const;

/** a1 beside an error of ours: the enclave is gone with it; it waits for the host and may be asked again. The published monitor has none. */
export const ErrorDetail = { GONE: 1, BUSY: 2 } as const;

/** What only the driver knows: internal and ioctl results above the monitor's. */
export const RunResult = { RETURN_USER_MODE: 4, RETURN_MONITOR_MODE: 5, RETURN_USER_RELAY_PAGE: 1 } as const;

/** a1 of RESUME. */
export const ResumeReason = { TIMER: 0, STOP: 1, OCALL: 2 } as const;

/** a0 of SET_PTE. */
export const SetPte = { ONE: 1, ZERO: 2, COPY: 3, BATCH_ZERO: 4, BATCH_SET: 5 } as const;

/** a7 of an enclave's ecall. */
export const EnclaveCall = {
  EXIT: 99,
  OCALL: 98,
  ACQUIRE_ENCLAVE: 97,
  CALL_ENCLAVE: 96,
  ENCLAVE_RETURN: 95,
  GET_REPORT: 94,
  ASYN_ENCLAVE_CALL: 93,
  SPLIT_MEM_REGION: 92,
  GET_CALLER_ID: 91,
  GET_ENCLAVE_ID: 90,
  YIELD: 89,
  GET_KEY: 88,
  SHM_ATTACH: 84,
  SHM_STAT: 83,
  /** The one Linux call (a6 other than the extension's) that returns 0 instead of killing the enclave. */
  LINUX_IOCTL: 29,
} as const;

/** a0 of ocalls. */
export const Ocall = {
  MMAP: 1,
  UNMAP: 2,
  SYS_WRITE: 3,
  SBRK: 4,
  READ_SECT: 5,
  WRITE_SECT: 6,
  RETURN_RELAY_PAGE: 7,
  GETRANDOM: 8,
  SHM_GET: 9,
  SHM_DETACH: 10,
  SHM_DESTROY: 11,
  /** From the monitor to the driver, never from an enclave: what the enclave does next needs memory; arg1 is how much. */
  SHM_EXTEND_MEMORY: 12,
} as const;

/** What call_enclave returns while the callee works for somebody else. */
export const ESERVERBUSY = 2;

export const EnclaveTypeNumber = { NORMAL: 0, SERVER: 1, SHADOW: 2 } as const;

/** Virtual addresses inside an enclave. */
export const EnclaveVa = {
  HEAP_BASE: 0x10_0000_0000,
  /** Areas grow down from here. */
  MMAP_TOP: 0x30_0000_0000,
  STACK_TOP: 0x38_0000_0000,
  /** Relay pages (mm_arg), adjacent to the stack's top. */
  RELAY_BASE: 0x38_0000_0000,
  SHM_BASE: 0x39_0000_0000,
  /** Memory shared between enclaves grows down from here. */
  SECURE_SHM_TOP: 0x40_0000_0000,
  /** 0xffffffe000000000, signed. */
  KBUFFER: -0x20_0000_0000,
} as const;

export const NAME_LEN = 16;
/** A new shadow instance's stack; what enclave_args_init gives others. */
export const DEFAULT_STACK_SIZE = 65536;
/** mm_arg_addr that means: the relay pages that were transferred to my name. */
export const RELAY_TRANSFERRED = 0xffff;

/** What SBI CREATE* gets, 136 bytes in host memory. */
export const CreateParam = {
  eid_ptr: 0,
  name: 8,
  type: 24,
  paddr: 32,
  size: 40,
  entry_point: 48,
  free_mem: 56,
  kbuffer: 64,
  kbuffer_size: 72,
  shm_paddr: 80,
  shm_size: 88,
  ecall_arg0: 96,
  ecall_arg1: 104,
  ecall_arg2: 112,
  ecall_arg3: 120,
  retval: 128,
  SIZE: 136,
} as const;

/** What SBI RUN_SHADOW gets, 136 bytes in host memory. */
export const InstanceParam = {
  sptbr: 0,
  free_page: 8,
  size: 16,
  eid_ptr: 24,
  kbuffer: 32,
  kbuffer_size: 40,
  shm_paddr: 48,
  shm_size: 56,
  mm_arg_addr: 64,
  mm_arg_size: 72,
  ecall_arg0: 80,
  ecall_arg1: 88,
  ecall_arg2: 96,
  ecall_arg3: 104,
  retval: 112,
  name: 120,
  SIZE: 136,
} as const;

/** What SBI RUN gets. */
export const RunParam = { mm_arg_addr: 0, mm_arg_size: 8, SIZE: 16 } as const;

/** call_enclave_arg_t, in the caller's and the callee's memory. */
export const CallArg = {
  req_arg: 0,
  resp_val: 8,
  req_vaddr: 16,
  req_size: 24,
  resp_vaddr: 32,
  resp_size: 40,
  SIZE: 48,
} as const;

/** report_t. */
export const Report = {
  sm_hash: 0,
  sm_signature: 32,
  sm_pub_key: 96,
  enclave_hash: 160,
  enclave_signature: 192,
  enclave_nonce: 256,
  dev_pub_key: 264,
  SIZE: 328,
} as const;

/** struct penglai_enclave_user_param: CREATE, RUN, STOP, RESUME, DESTROY. */
export const UserParam = {
  eid: 0,
  name: 8,
  type: 24,
  elf_ptr: 32,
  elf_size: 40,
  stack_size: 48,
  shmid: 56,
  isShadow: 60,
  shm_offset: 64,
  shm_size: 72,
  schrodinger_id: 80,
  rerun_reason: 84,
  schrodinger_offset: 88,
  schrodinger_size: 96,
  retval: 104,
  SIZE: 112,
} as const;

/** struct penglai_enclave_attest_param. */
export const AttestParam = { eid: 0, isShadow: 4, nonce: 8, report: 16, SIZE: 344 } as const;
/** penglai_shmget_param, penglai_schrodinger_get_param. */
export const GetParam = { key: 0, size: 8, flag: 16, SIZE: 24 } as const;
export const AtParam = { id: 0, addr: 8, size: 16, flag: 24, SIZE: 32 } as const;
export const CtlParam = { id: 0, SIZE: 4 } as const;

/** ioctl requests of the device; compared by their low 32 bits. */
export const Ioctl = {
  CREATE_ENCLAVE: 0x8070a400,
  RUN_ENCLAVE: 0x8070a401,
  ATTEST_ENCLAVE: 0x8158a402,
  STOP_ENCLAVE: 0x8070a403,
  RESUME_ENCLAVE: 0x8070a404,
  DESTROY_ENCLAVE: 0x4070a405,
  SHMGET: 0x8018a410,
  SHMAT: 0x8020a411,
  SHMDT: 0x8018a412,
  SHMCTL: 0x8004a413,
  SCHRODINGER_GET: 0x8018a414,
  SCHRODINGER_AT: 0x8020a415,
  SCHRODINGER_DT: 0x8018a416,
  SCHRODINGER_CTL: 0x8004a417,
  PERSISTENCY_INIT: 0x8004a418,
} as const;

export const DEVICE_PATH = '/dev/penglai_enclave_dev';

/** Id ranges, first and one past the last; the smallest free one is taken. */
export const IdRange = { ENCLAVE: [0x1000, 0xffff], REGION: [0x10000, 0xfffff] } as const;

/** Largest stack of an enclave on a device. */
export const MAX_STACK_SIZE = 64 * 1024 * 1024;

/** Physical memory map and the PMP entries the monitor uses. */
export const Physical = { DRAM_BASE: 0x8000_0000, SM_SIZE: 0x20_0000, CLINT: 0x200_0000 } as const;
export const PmpEntry = { MONITOR: 0, PT_AREA: 1, BITMAP: 2, ALL: 7 } as const;

/** CSR numbers the monitor uses. */
export const Csr = {
  satp: 0x180,
  stvec: 0x105,
  scounteren: 0x106,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  mstatus: 0x300,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mcounteren: 0x306,
  mip: 0x344,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
  mhartid: 0xf14,
  time: 0xc01,
} as const;

/** Bits of mstatus. */
export const Mstatus = {
  SIE: 1n << 1n,
  SPIE: 1n << 5n,
  SPP: 1n << 8n,
  MPP: 3n << 11n,
  FS: 3n << 13n,
  SUM: 1n << 18n,
  MXR: 1n << 19n,
  TVM: 1n << 20n,
} as const;

export { Pte } from '../emulator/hart/pte';
