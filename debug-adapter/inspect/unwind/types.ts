/** What the unwinder asks for and what it answers. */
import type { FrameTable } from '../../symbols/dwarf/frame/frame-table';
import type { ElfFile } from '../../symbols/elf/elf';
import type { RegisterSet } from './registers';

/** Memory as the stopped program sees it; undefined where it has none. */
export interface MemoryReader {
  readMemory(address: bigint, length: number): Uint8Array | undefined;
}

/** A loaded ELF file. `bias` is what its addresses were moved by: 0 unless it is position independent. */
export interface Image {
  readonly bias: bigint;
  readonly elf: ElfFile;
  readonly frames: FrameTable;
}

export interface UnwindContext extends MemoryReader {
  /** The image whose code is at an address. */
  imageAt(pc: bigint): Image | undefined;
}

/**
 * How a caller was found: by call frame information; by reading the code before the pc, or the code behind it up to the return; by
 * the return address register alone; by the frame that the delivery of a signal left.
 */
export type FoundBy = 'cfi' | 'prologue' | 'epilogue' | 'ra' | 'signal';

/** A caller before it is checked. */
export interface Caller {
  /** Canonical frame address of the frame that was unwound. */
  readonly cfa: bigint;
  readonly registers: RegisterSet;
  readonly foundBy: FoundBy;
  /** The caller was interrupted at its pc, rather than having called from before it. */
  readonly exact: boolean;
}

/** There is no caller: the outermost frame, or (an error) a frame that cannot be unwound. */
export interface NoCaller {
  readonly cfa?: bigint;
  readonly end: string;
  readonly isError: boolean;
}

export const outermost = (end: string, cfa?: bigint): NoCaller => ({
  end,
  isError: false,
  ...(cfa === undefined ? {} : { cfa }),
});
export const failure = (end: string, cfa?: bigint): NoCaller => ({
  end,
  isError: true,
  ...(cfa === undefined ? {} : { cfa }),
});

/** How code ends that never returns, such as the start of a thread: nothing leads further, and nothing is damaged. */
export const NOT_KEPT = 'outermost frame: its return address was not kept across the call';

/** The 64-bit word at an address. */
export function readWord(memory: MemoryReader, address: bigint): bigint | undefined {
  const bytes = memory.readMemory(BigInt.asUintN(64, address), 8);
  if (bytes?.length !== 8) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

/** An address of a running program as an address of the image's file. */
export const inFile = (image: Image, address: bigint): number => Number(BigInt.asIntN(64, address - image.bias));

export const hex = (value: bigint): string => `0x${value.toString(16)}`;
