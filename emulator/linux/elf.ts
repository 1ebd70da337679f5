/**
 * What loading a program needs of an ELF file: header and program headers (gABI, RISC-V psABI). Total: every offset and count is
 * checked against the bytes that are there, and what is wrong becomes a LaunchError.
 */
import { PAGE_SIZE } from '../units';
import { damagedElf, notElf, notExecutable, wrongMachine } from './errors';
import { USER_TOP } from './memory/layout';
import { Prot } from './state';

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const MAX_PROGRAM_HEADERS = 512;
const EM_RISCV = 243;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_PHDR = 6;
const MACHINES: Readonly<Record<number, string>> = {
  3: '32-bit x86',
  8: 'MIPS',
  20: '32-bit PowerPC',
  21: '64-bit PowerPC',
  22: 'IBM S/390',
  40: '32-bit Arm',
  62: 'x86-64',
  183: '64-bit Arm',
  258: 'LoongArch',
};

export interface Segment {
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly prot: number;
}

export interface ElfImage {
  /** ET_DYN: can be loaded at any address. */
  readonly movable: boolean;
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly programHeaders: { readonly address: number; readonly count: number; readonly size: number };
  readonly interpreter: string | undefined;
  /** Lowest and highest address of the segments, page-aligned. */
  readonly low: number;
  readonly high: number;
}

/** The bytes of a file, of which only some are wanted. Past the end there are fewer. */
export interface FileBytes {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export const fileBytes = (bytes: Uint8Array): FileBytes => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function checkHeader(path: string, bytes: Uint8Array, view: DataView): void {
  if (bytes.length < 4 || view.getUint32(0, false) !== 0x7f454c46) throw notElf(path);
  if (bytes.length < HEADER_SIZE) throw damagedElf(path, `the ELF header has ${bytes.length} of ${HEADER_SIZE} bytes`);
  const machine = view.getUint16(18, true);
  if (bytes[5] !== 1) throw wrongMachine(path, 'a big-endian processor');
  if (machine !== EM_RISCV) throw wrongMachine(path, MACHINES[machine] ?? `processor number ${machine}`);
  if (bytes[4] !== 2) throw wrongMachine(path, '32-bit RISC-V');
  const type = view.getUint16(16, true);
  if (type === 1) throw notExecutable(path, 'an object file');
  if (type === 4) throw notExecutable(path, 'a core dump');
  if (type !== 2 && type !== 3) throw damagedElf(path, `the file type is ${type}`);
}

/** A 64-bit field that has to be a reasonable address, offset or size. */
function field(path: string, view: DataView, at: number, name: string): number {
  const value = view.getBigUint64(at, true);
  if (value >= BigInt(USER_TOP)) throw damagedElf(path, `${name} is 0x${value.toString(16)}`);
  return Number(value);
}

/** Program header `index`, which `view` shows. */
function readSegment(path: string, view: DataView, index: number, fileSize: number, movable: boolean): Segment {
  const name = (what: string): string => `${what} of program header ${index}`;
  const flags = view.getUint32(4, true);
  const segment: Segment = {
    offset: field(path, view, 8, name('p_offset')),
    address: field(path, view, 16, name('p_vaddr')),
    fileSize: field(path, view, 32, name('p_filesz')),
    memorySize: field(path, view, 40, name('p_memsz')),
    prot: (flags & 4 ? Prot.READ : 0) | (flags & 2 ? Prot.WRITE : 0) | (flags & 1 ? Prot.EXEC : 0),
  };
  if (segment.offset + segment.fileSize > fileSize)
    throw damagedElf(
      path,
      `program header ${index} ends at byte ${segment.offset + segment.fileSize}, the file has ${fileSize}`,
    );
  if (segment.fileSize > segment.memorySize) throw damagedElf(path, `${name('p_filesz')} exceeds its p_memsz`);
  if (segment.address % PAGE_SIZE !== segment.offset % PAGE_SIZE)
    throw damagedElf(path, `${name('p_vaddr')} and its p_offset lie differently within a page`);
  if (segment.address + segment.memorySize > USER_TOP / 2 || (!movable && segment.address < PAGE_SIZE))
    throw damagedElf(path, `${name('p_vaddr')} is 0x${segment.address.toString(16)}, outside of user space`);
  return segment;
}

/** Throws a LaunchError that names `path` when the bytes are no program this machine can run. */
export function parseElf(path: string, file: FileBytes): ElfImage {
  const header = file.read(0, HEADER_SIZE);
  const view = viewOf(header);
  checkHeader(path, header, view);
  const movable = view.getUint16(16, true) === 3;
  const table = field(path, view, 32, 'e_phoff');
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count === 0 || count > MAX_PROGRAM_HEADERS || size < PROGRAM_HEADER_SIZE)
    throw damagedElf(path, `there are ${count} program headers of ${size} bytes`);
  if (table + count * size > file.size)
    throw damagedElf(path, `the program headers end at byte ${table + count * size}, the file has ${file.size}`);
  const segments: Segment[] = [];
  let interpreter: string | undefined;
  let headers: number | undefined;
  for (let i = 0; i < count; i++) {
    const entry = viewOf(file.read(table + i * size, PROGRAM_HEADER_SIZE));
    const type = entry.getUint32(0, true);
    if (type === PT_LOAD) {
      const segment = readSegment(path, entry, i, file.size, movable);
      if (segment.memorySize > 0) segments.push(segment);
    } else if (type === PT_PHDR) headers = field(path, entry, 16, 'p_vaddr of PT_PHDR');
    else if (type === PT_INTERP) interpreter = readInterpreter(path, file, entry);
  }
  if (segments.length === 0) throw damagedElf(path, 'nothing in it is to be loaded');
  checkOrder(path, segments);
  headers ??= addressOf(segments, table);
  const last = segments.at(-1)!;
  return {
    movable,
    entry: field(path, view, 24, 'e_entry'),
    segments,
    programHeaders: { address: headers ?? 0, count, size },
    interpreter,
    low: Math.floor(segments[0]!.address / PAGE_SIZE) * PAGE_SIZE,
    high: Math.ceil((last.address + last.memorySize) / PAGE_SIZE) * PAGE_SIZE,
  };
}

function readInterpreter(path: string, file: FileBytes, entry: DataView): string {
  const offset = field(path, entry, 8, 'p_offset of PT_INTERP');
  const length = field(path, entry, 32, 'p_filesz of PT_INTERP');
  if (length > 4096 || offset + length > file.size) throw damagedElf(path, 'PT_INTERP lies outside of the file');
  const text = file.read(offset, length);
  const end = text.indexOf(0);
  return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
}

function checkOrder(path: string, segments: readonly Segment[]): void {
  for (let i = 1; i < segments.length; i++) {
    const before = segments[i - 1]!;
    if (segments[i]!.address < before.address + before.memorySize)
      throw damagedElf(path, 'its segments overlap or are not in ascending order');
  }
}

/** Where the file offset of the program headers is loaded. */
function addressOf(segments: readonly Segment[], offset: number): number | undefined {
  const holder = segments.find((segment) => segment.offset <= offset && offset < segment.offset + segment.fileSize);
  return holder && holder.address + offset - holder.offset;
}
