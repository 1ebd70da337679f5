/**
 * What the driver makes of an enclave's ELF file: which pages it maps, with which permissions, and what is in them. Total: every count
 * and offset is checked against the bytes. (ELF-64 object file format; the SDK's link layout.)
 */
import { PAGE_SIZE } from '../../emulator/units';
import { EnclaveVa, MAX_ELF_SIZE, Pte } from '../abi';

const EM_RISCV = 243;
const PT_LOAD = 1;
const PF_W = 2;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2n;
const SHF_TLS = 0x400n;
/** More headers than any linker writes. */
const MAX_HEADERS = 512;

const READ_EXECUTE = Pte.V | Pte.R | Pte.X | Pte.U | Pte.A | Pte.D;
const READ_WRITE = Pte.V | Pte.R | Pte.W | Pte.U | Pte.A | Pte.D;

interface Piece {
  readonly address: number;
  readonly offset: number;
  readonly length: number;
}

export interface ElfPlan {
  readonly entry: number;
  /** Page numbers, ascending, and the flags of each. */
  readonly pages: Float64Array;
  readonly flags: Uint8Array;
  /** File bytes and where they go, in file order: later ones win. */
  readonly pieces: readonly Piece[];
}

/** What is wrong, and the errno to fail with. */
export interface ElfError {
  readonly error: string;
  readonly outOfBounds?: boolean;
}

const bad = (error: string): ElfError => ({ error });

/** A number, exact or too large to be accepted by any check. */
const word = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

function headerProblem(view: DataView, length: number): string | undefined {
  if (length < 64) return 'the file is shorter than an ELF header';
  if (view.getUint32(0) !== 0x7f454c46) return 'it is not an ELF file';
  if (view.getUint8(4) !== 2 || view.getUint8(5) !== 1) return 'it is not a 64-bit little-endian ELF file';
  if (view.getUint16(18, true) !== EM_RISCV) return 'it is not made for RISC-V';
  if (view.getUint16(16, true) !== 2) return 'it is not a static executable (ET_EXEC)';
  return undefined;
}

/** A table of headers inside the file; its entry offsets. */
function table(length: number, at: number, entrySize: number, count: number, expected: number) {
  if (count === 0) return [];
  if (entrySize !== expected || count > MAX_HEADERS || !(at + count * entrySize <= length)) return undefined;
  return Array.from({ length: count }, (_, i) => at + i * entrySize);
}

/** Pages of a stack of `stackSize` bytes below its top. */
const stackStart = (stackSize: number): number => Math.floor((EnclaveVa.STACK_TOP - stackSize) / PAGE_SIZE);

/** Plans the pages of an image and a stack. */
export function planElf(image: Uint8Array, stackSize: number): ElfPlan | ElfError {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const problem = headerProblem(view, image.length);
  if (problem) return bad(problem);
  const entry = word(view, 24);
  if (entry === 0) return bad('elf_entry reset is failed: the entry point is 0');
  const programs = table(image.length, word(view, 32), view.getUint16(54, true), view.getUint16(56, true), 56);
  if (!programs) return bad('the program headers do not lie in the file');
  const sections = table(image.length, word(view, 40), view.getUint16(58, true), view.getUint16(60, true), 64);
  if (!sections) return bad('the section headers do not lie in the file');

  const flags = new Map<number, number>();
  const pieces: Piece[] = [];
  let total = 0;
  const cover = (address: number, size: number, kind: number): ElfError | undefined => {
    if (!(address >= 0 && size >= 0 && address + size <= EnclaveVa.HEAP_BASE))
      return bad('a segment lies outside of the addresses below 0x1000000000');
    total += size;
    if (total > MAX_ELF_SIZE) return { error: 'eapp memory is out of bound', outOfBounds: true };
    for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < address + size; page++)
      flags.set(page, (flags.get(page) ?? 0) | kind);
    return undefined;
  };
  for (const at of programs) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const [offset, address, fileSize, memorySize] = [8, 16, 32, 40].map((field) => word(view, at + field)) as Four;
    if (fileSize > memorySize || !(offset + fileSize <= image.length)) return bad('a segment does not lie in the file');
    const failure = cover(address, memorySize, view.getUint32(at + 4, true) & PF_W ? READ_WRITE | Pte.X : READ_EXECUTE);
    if (failure) return failure;
    if (fileSize > 0) pieces.push({ address, offset, length: fileSize });
  }
  for (const at of sections) {
    const attributes = view.getBigUint64(at + 8, true);
    const address = word(view, at + 16);
    const zeroes = view.getUint32(at + 4, true) === SHT_NOBITS && address !== 0;
    if (!zeroes || !(attributes & SHF_ALLOC) || attributes & SHF_TLS) continue;
    const failure = cover(address, word(view, at + 32), READ_WRITE | Pte.X);
    if (failure) return failure;
  }
  if (flags.size === 0) return bad('it has no segment to load');
  const top = EnclaveVa.STACK_TOP / PAGE_SIZE;
  for (let page = stackStart(stackSize); page < top; page++) flags.set(page, READ_WRITE);
  const pages = Float64Array.from([...flags.keys()].sort((a, b) => a - b));
  return { entry, pages, flags: Uint8Array.from(pages, (page) => flags.get(page)!), pieces };
}

type Four = [number, number, number, number];

/** The bytes of one page of the plan; undefined when it is all zero. */
export function pageContent(image: Uint8Array, plan: ElfPlan, page: number): Uint8Array | undefined {
  const start = page * PAGE_SIZE;
  let content: Uint8Array | undefined;
  for (const { address, offset, length } of plan.pieces) {
    const from = Math.max(start, address);
    const to = Math.min(start + PAGE_SIZE, address + length);
    if (from >= to) continue;
    content ??= new Uint8Array(PAGE_SIZE);
    content.set(image.subarray(offset + from - address, offset + to - address), from - start);
  }
  return content;
}

/** Page-table pages below the root that map these pages: middle tables, then leaf tables, by index. */
export function tableLayout(pages: Float64Array): {
  readonly middles: readonly number[];
  readonly leaves: readonly number[];
} {
  const leaves = [...new Set(Array.from(pages, (page) => Math.floor(page / 512)))];
  const middles = [...new Set(leaves.map((leaf) => Math.floor(leaf / 512)))];
  return { middles, leaves };
}
