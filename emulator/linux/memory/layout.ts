/**
 * Where things lie: physical memory as the kernel divides it at boot, and the virtual address map (Sv39, riscv Linux).
 * The firmware owns the first 2 MiB of RAM. Sizes follow reference kernel practice: every protected area is a power of two and
 * naturally aligned, so that one NAPOT PMP entry covers it.
 */
import { pa, PAGE_SIZE, va, type PhysicalAddress, type VirtualAddress } from '../../units';
import type { PageTableArea } from '../device';

export const RAM_BASE = 0x8000_0000;
export const MIB = 1024 * 1024;
const FIRMWARE_SIZE = 2 * MIB;
export const HUGE = 2 * MIB;

/** First address a program can't have: Sv39 gives the lower half 256 GiB. */
export const USER_TOP = 0x40_0000_0000;
/** One read-execute page with the signal return code, where riscv Linux has its vDSO. */
export const TRAMPOLINE = USER_TOP - 2 * PAGE_SIZE;
export const STACK_TOP = USER_TOP - 64 * PAGE_SIZE;
export const STACK_SIZE = 8 * MIB;
/** mmap goes down from here; the gap keeps the stack from running into it. */
export const MMAP_TOP = STACK_TOP - STACK_SIZE - 128 * MIB;
/** Lowest address an mmap hint or a program may use (vm.mmap_min_addr). */
export const MMAP_MIN = 0x10000;
/** Where position-independent programs are loaded: two thirds of the lower half. */
export const PIE_BASE = 0x2a_aaaa_a000;
/** The kernel's linear map of physical memory from RAM_BASE on, in the upper half. */
export const LINEAR_BASE = -0x28_0000_0000;

export interface PhysicalLayout {
  readonly ramEnd: number;
  readonly tables: PageTableArea;
  /** [start, end) of the memory the page allocator begins with. */
  readonly free: readonly { readonly start: number; readonly end: number }[];
  /** [start, end) of physical memory shown by the linear map, multiples of 2 MiB. */
  readonly linear: { readonly start: number; readonly end: number };
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(value));
const alignUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Throws an Error with cause and remedy when RAM is too small or too large for this kernel. */
export function layoutOf(ramSize: number): PhysicalLayout {
  if (ramSize < 32 * MIB || ramSize % HUGE !== 0 || ramSize > 4096 * MIB)
    throw new Error(
      `The machine has ${ramSize} bytes of RAM; the host OS needs a multiple of 2 MiB from 32 MiB to 4096 MiB. Change the memory size.`,
    );
  const pages = ramSize / PAGE_SIZE;
  const bitmapSize = Math.max(PAGE_SIZE, powerOfTwo(pages * 4));
  const bitmapBase = alignUp(RAM_BASE + FIRMWARE_SIZE, bitmapSize);
  const linearStart = alignUp(bitmapBase + bitmapSize, HUGE);
  const size = Math.max(HUGE, PAGE_SIZE * 2 ** (Math.floor(Math.log2(Math.ceil(pages / 512) - 1)) + 4));
  const base = alignUp(linearStart, size);
  const total = size / PAGE_SIZE;
  const ramEnd = RAM_BASE + ramSize;
  const free = [
    { start: linearStart, end: base },
    { start: base + size, end: ramEnd },
  ].filter((range) => range.start < range.end);
  const tables: PageTableArea = {
    base: pa(base),
    size,
    // A small process has a root, three or four second-level tables and five or six leaf tables. Powers of two, as the firmware takes them.
    rootPages: total / 16,
    middlePages: total / 4,
    bitmapBase: pa(bitmapBase),
    bitmapSize,
  };
  return { ramEnd, tables, free, linear: { start: linearStart, end: ramEnd } };
}

/** Where the linear map shows a physical address. */
export const linear = (address: PhysicalAddress | number): VirtualAddress => va(address - RAM_BASE + LINEAR_BASE);
