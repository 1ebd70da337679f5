/**
 * What sizes are limited to. Pools grow on demand here, so memory is the only limit, and what the layout of virtual addresses leaves
 * room for; with `limits: "device"` the published stack's own limits hold, so that a program that outgrows a device fails here too.
 * Source: Penglai-TVM's kernel (MAX_ORDER), driver (relay pool, ELF and stack sizes, ids, instance pool) and monitor (tables).
 */
import { PAGE_SIZE } from '../emulator/units';
import { EnclaveVa, MAX_STACK_SIZE } from './abi';

/** The attribute of a launch. */
export type LimitsName = 'memory' | 'device';

export interface Limits {
  /** Pages the kernel's allocator gives in one piece: a pool, an area, shm. */
  readonly blockPages: number;
  /** Bytes of what an ELF file maps, and of an enclave's stack. */
  readonly elf: number;
  readonly stack: number;
  /** Relay memory as a whole, and the largest region, in pages. */
  readonly relayPages: number;
  readonly relayBlockPages: number;
  /** Relay regions one enclave owns. */
  readonly relayRegions: number;
  /** Pages of an instance's pool; undefined: as many as it needs. */
  readonly instancePages: number | undefined;
  /** One past the last id of enclaves; of shm and relay regions. */
  readonly enclaveIds: number;
  readonly regionIds: number;
  /** Enclaves that map one piece of secure shared memory. */
  readonly sharers: number;
}

const MIB = 1024 * 1024;
/** ids are C ints, also in the host's programs. */
const MAX_ID = 0x7fffffff;

const LIMITS: Readonly<Record<LimitsName, Limits>> = {
  memory: {
    blockPages: Infinity,
    elf: Infinity,
    // Down to the top of the mmap areas.
    stack: EnclaveVa.STACK_TOP - EnclaveVa.MMAP_TOP,
    relayPages: Infinity,
    relayBlockPages: Infinity,
    relayRegions: Infinity,
    instancePages: undefined,
    enclaveIds: MAX_ID,
    regionIds: MAX_ID,
    sharers: Infinity,
  },
  device: {
    // MAX_ORDER 18.
    blockPages: 2 ** 17,
    elf: 512 * MIB,
    stack: MAX_STACK_SIZE,
    // 16 MiB, of which every page costs 40 bytes of book-keeping; blocks are powers of two.
    relayPages: Math.floor((16 * MIB) / (PAGE_SIZE + 40)),
    relayBlockPages: 2048,
    relayRegions: 10,
    instancePages: (2 * MIB) / PAGE_SIZE,
    enclaveIds: 0xffff,
    regionIds: 0xfffff,
    sharers: 56,
  },
};

export const limitsOf = (name: LimitsName = 'memory'): Limits => LIMITS[name];

/** The end of a message about a limit of the device: what to do. */
export const LIMIT_REMEDY = 'make it smaller, or launch with "limits": "memory" (penglai run --limits memory)';
