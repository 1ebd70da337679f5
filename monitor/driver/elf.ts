/**
 * What the driver makes of an enclave's ELF file: which pages it maps, with which permissions, and what is in them. Total: every count
 * and offset is checked against the bytes. (ELF-64 object file format; the SDK's link layout.)
 */
import { PAGE_SIZE } from '../../emulator/units';
import { EnclaveVa, Pte } from '../abi';
import { LIMIT_REMEDY } from '../limits';
import { imageBytes, type Image } from './image';

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

/** Consecutive pages with the same flags. */
export interface Run {
  /** Number of the first page. */
  readonly first: number;
  readonly count: number;
  readonly flags: number;
  /** Mapped pages before it. */
  readonly index: number;
}

/** File bytes that go to consecutive pages. */
export interface Piece {
  readonly address: number;
  readonly offset: number;
  readonly length: number;
}

export interface ElfPlan {
  readonly entry: number;
  /** Ascending, disjoint. */
  readonly runs: readonly Run[];
  /** Number of mapped pages. */
  readonly pages: number;
  /** In file order: where they overlap, later ones win. */
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

/** The entries of a table of headers; undefined when it does not lie in the file. */
function table(image: Image, at: number, entrySize: number, count: number, expected: number): DataView[] | undefined {
  if (count === 0) return [];
  if (entrySize !== expected || count > MAX_HEADERS || !(at + count * entrySize <= image.size)) return undefined;
  const { buffer } = imageBytes(image, at, count * entrySize);
  return Array.from({ length: count }, (_, i) => new DataView(buffer, i * entrySize, entrySize));
}

/** First page of a stack of `stackSize` bytes below its top. */
const stackStart = (stackSize: number): number => Math.floor((EnclaveVa.STACK_TOP - stackSize) / PAGE_SIZE);

/** Pages [from, to) that something covers. */
interface Cover {
  readonly from: number;
  readonly to: number;
  readonly kind: 'code' | 'data' | 'stack';
}

/** Bytes of the file that the headers lead to; `read` gives any part of it. 64, the size of the ELF header, for what is no ELF file. */
export function elfExtent(read: (at: number, length: number) => Uint8Array): number {
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = view(read(0, 64));
  if (headerProblem(head, 64) !== undefined) return 64;
  const tables = [
    { at: word(head, 32), size: head.getUint16(54, true), count: head.getUint16(56, true) },
    { at: word(head, 40), size: head.getUint16(58, true), count: head.getUint16(60, true) },
  ];
  const [programs] = tables as [(typeof tables)[0]];
  let end = Math.max(64, ...tables.map(({ at, size, count }) => (count === 0 ? 0 : at + size * count)));
  const odd = programs.size !== 56 || programs.count > MAX_HEADERS || programs.count === 0;
  if (odd || !(programs.at < 2 ** 32)) return end;
  const headers = view(read(programs.at, 56 * programs.count));
  for (let i = 0; i < programs.count; i++)
    if (word(headers, 56 * i + 32) > 0) end = Math.max(end, word(headers, 56 * i + 8) + word(headers, 56 * i + 32));
  return end;
}

/** Plans the pages of an image and a stack; what the file maps may have `limit` bytes. */
export function planElf(image: Image, stackSize: number, limit = Infinity): ElfPlan | ElfError {
  const head = imageBytes(image, 0, Math.min(64, image.size));
  const view = new DataView(head.buffer);
  const problem = headerProblem(view, image.size);
  if (problem) return bad(problem);
  const entry = word(view, 24);
  if (entry === 0) return bad('elf_entry reset is failed: the entry point is 0');
  const programs = table(image, word(view, 32), view.getUint16(54, true), view.getUint16(56, true), 56);
  if (!programs) return bad('the program headers do not lie in the file');
  const sections = table(image, word(view, 40), view.getUint16(58, true), view.getUint16(60, true), 64);
  if (!sections) return bad('the section headers do not lie in the file');

  const covers: Cover[] = [];
  const pieces: Piece[] = [];
  let total = 0;
  /** `counted` bytes of the range count against the limit: what is in the file; zeros count once, as sections. */
  const cover = (address: number, counted: number, size: number, kind: Cover['kind']): ElfError | undefined => {
    if (!(address >= 0 && size >= 0 && address + size <= EnclaveVa.HEAP_BASE))
      return bad('a segment lies outside of the addresses below 0x1000000000');
    total += counted;
    if (total > limit)
      return {
        error: `eapp memory is out of bound: more than ${limit / 2 ** 20} MiB; ${LIMIT_REMEDY}`,
        outOfBounds: true,
      };
    const [from, to] = [Math.floor(address / PAGE_SIZE), Math.ceil((address + size) / PAGE_SIZE)];
    if (size > 0) covers.push({ from, to, kind });
    return undefined;
  };
  for (const header of programs) {
    const load = header.getUint32(0, true) === PT_LOAD;
    const [offset, address, fileSize, memorySize] = [8, 16, 32, 40].map((field) => word(header, field)) as Four;
    // The published driver loads every header whatever its type, and so the measurement of files with PT_RISCV_ATTRIBUTES (at address
    // 0) is what it is. Of the others only what lies in the file; most lie inside of a PT_LOAD.
    if (!load && fileSize === 0) continue;
    const tooLong = load && fileSize > memorySize;
    if (tooLong || !(offset + fileSize <= image.size)) return bad('a segment does not lie in the file');
    const failure = cover(
      address,
      fileSize,
      load ? memorySize : fileSize,
      header.getUint32(4, true) & PF_W ? 'data' : 'code',
    );
    if (failure) return failure;
    if (fileSize > 0) pieces.push({ address, offset, length: fileSize });
  }
  for (const header of sections) {
    const attributes = header.getBigUint64(8, true);
    const address = word(header, 16);
    const zeroes = header.getUint32(4, true) === SHT_NOBITS && address !== 0;
    if (!zeroes || !(attributes & SHF_ALLOC) || attributes & SHF_TLS) continue;
    const size = word(header, 32);
    const failure = cover(address, size, size, 'data');
    if (failure) return failure;
  }
  if (covers.length === 0) return bad('it has no segment to load');
  const top = EnclaveVa.STACK_TOP / PAGE_SIZE;
  if (stackStart(stackSize) < top) covers.push({ from: stackStart(stackSize), to: top, kind: 'stack' });
  const runs = runsOf(covers);
  return { entry, runs, pages: runs.reduce((sum, { count }) => sum + count, 0), pieces };
}

/** What covers a page decides its flags: the stack, else data as soon as one thing is. Sorted boundaries, so that size costs nothing. */
function runsOf(covers: readonly Cover[]): Run[] {
  const edges = covers
    .flatMap(({ from, to, kind }) => [
      { at: from, kind, by: 1 },
      { at: to, kind, by: -1 },
    ])
    .sort((a, b) => a.at - b.at);
  const open = { code: 0, data: 0, stack: 0 };
  const runs: Run[] = [];
  edges.forEach(({ at, kind, by }, i) => {
    open[kind] += by;
    const count = (edges[i + 1]?.at ?? at) - at;
    const flags = open.stack ? READ_WRITE : open.data ? READ_WRITE | Pte.X : open.code ? READ_EXECUTE : 0;
    if (flags === 0 || count === 0) return;
    const last = runs.at(-1);
    if (last && last.flags === flags && last.first + last.count === at)
      runs[runs.length - 1] = { ...last, count: last.count + count };
    else runs.push({ first: at, count, flags, index: last ? last.index + last.count : 0 });
  });
  return runs;
}

type Four = [number, number, number, number];

/** How many mapped pages come before a mapped page. */
export function pageIndex({ runs }: ElfPlan, page: number): number {
  const run = runs.find(({ first, count }) => first <= page && page < first + count)!;
  return run.index + page - run.first;
}

/** Page-table pages below the root that map these runs: middle tables, then leaf tables, by index. */
export function tableLayout(runs: readonly Run[]): {
  readonly middles: readonly number[];
  readonly leaves: readonly number[];
} {
  const leaves: number[] = [];
  for (const { first, count } of runs)
    for (let leaf = Math.floor(first / 512); leaf * 512 < first + count; leaf++)
      if (leaves.at(-1) !== leaf) leaves.push(leaf);
  const middles = [...new Set(leaves.map((leaf) => Math.floor(leaf / 512)))];
  return { middles, leaves };
}
