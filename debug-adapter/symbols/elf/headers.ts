/**
 * Reads the ELF header and its two tables ("System V ABI", chapters 4 and 5), 32 and 64 bit, little endian.
 * Every count is checked against the bytes of the file before anything is allocated. Never looks inside a section.
 */
import { ByteReader, SymbolError } from '../bytes';
import { PN_XNUM, SHN_XINDEX, SHT_NOBITS, type Section, type Segment } from './format';

export interface Header {
  readonly class: 32 | 64;
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly flags: number;
  readonly phoff: number;
  readonly shoff: number;
  readonly phentsize: number;
  readonly phnum: number;
  readonly shentsize: number;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** Names of sections and symbols are cut here, in bytes. */
export const MAX_NAME = 4096;

const utf8 = new TextDecoder();

/** The NUL-terminated string at `offset` of a string table; empty when it is outside, cut at `MAX_NAME`. */
export function stringAt(table: Uint8Array, offset: number): string {
  if (offset >= table.length) return '';
  const stop = table.indexOf(0, offset);
  return utf8.decode(table.subarray(offset, Math.min(stop < 0 ? table.length : stop, offset + MAX_NAME)));
}

/** A 64-bit address as the signed number the rest of the project uses for addresses. */
export function addressOf(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Reads `Ehdr`. Throws `SymbolError` (caught by `ElfFile.parse`). */
export function readHeader(bytes: Uint8Array): Header {
  const reader = new ByteReader('ELF header', bytes);
  if (!isElf(bytes)) reader.fail('not an ELF file');
  reader.seek(Math.min(4, bytes.length));
  const elfClass = reader.u8();
  const data = reader.u8();
  if (elfClass !== 1 && elfClass !== 2) reader.fail(`class ${elfClass} is neither 32 nor 64 bit`, 4);
  if (data !== 1) reader.fail('only little-endian files are read', 5);
  const wide = elfClass === 2;
  const word = (): number => (wide ? reader.u64Number() : reader.u32());
  reader.seek(16);
  const type = reader.u16();
  const machine = reader.u16();
  reader.u32(); // e_version
  const entry = wide ? addressOf(reader.u64()) : reader.u32();
  const phoff = word();
  const shoff = word();
  const flags = reader.u32();
  reader.u16(); // e_ehsize
  const [phentsize, phnum, shentsize, shnum, shstrndx] = [0, 0, 0, 0, 0].map(() => reader.u16()) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    ...{ class: wide ? 64 : 32, type, machine, entry, flags, phoff, shoff },
    ...{ phentsize, phnum, shentsize, shnum, shstrndx },
  };
}

/** A reader at the start of a table of `count` entries of `entsize` bytes that lies whole inside the file. */
function tableReader(name: string, bytes: Uint8Array, offset: number, entsize: number, count: number, least: number) {
  const reader = new ByteReader(name, bytes);
  if (entsize < least) reader.fail(`entries of ${entsize} bytes, at least ${least} expected`, offset);
  if (offset > bytes.length || count * entsize > bytes.length - offset)
    reader.fail(`${count} entries of ${entsize} bytes end beyond the file (${bytes.length} bytes)`, offset);
  return reader;
}

/** The counts that did not fit into the header are in section 0 ("Extended section header"). */
function extended(bytes: Uint8Array, header: Header): { phnum: number; shnum: number; shstrndx: number } {
  const { phnum, shnum, shstrndx } = header;
  const overflows = shnum === 0 || phnum === PN_XNUM || shstrndx === SHN_XINDEX;
  if (header.shoff === 0 || !overflows) return { phnum, shnum, shstrndx };
  const [first] = readSectionHeaders(bytes, header, 1);
  return {
    phnum: phnum === PN_XNUM ? first!.info : phnum,
    shnum: shnum === 0 ? first!.size : shnum,
    shstrndx: shstrndx === SHN_XINDEX ? first!.link : shstrndx,
  };
}

/** Reads the program headers. Throws `SymbolError`. */
export function readSegments(bytes: Uint8Array, header: Header): Segment[] {
  const wide = header.class === 64;
  if (header.phnum === 0) return [];
  const { phnum } = header.phnum === PN_XNUM ? extended(bytes, header) : header;
  const { phoff, phentsize } = header;
  const reader = tableReader('program headers', bytes, phoff, phentsize, phnum, wide ? 56 : 32);
  const segments: Segment[] = [];
  for (let i = 0; i < phnum; i++) {
    reader.seek(phoff + i * phentsize);
    const type = reader.u32();
    let flags = wide ? reader.u32() : 0;
    const offset = wide ? reader.u64Number() : reader.u32();
    const vaddr = wide ? addressOf(reader.u64()) : reader.u32();
    if (wide) reader.u64();
    else reader.u32(); // p_paddr
    const filesz = wide ? reader.u64Number() : reader.u32();
    const memsz = wide ? reader.u64Number() : reader.u32();
    if (!wide) flags = reader.u32();
    const align = wide ? Number(reader.u64()) : reader.u32();
    segments.push({ type, flags, offset, vaddr, filesz, memsz, align });
  }
  return segments;
}

type RawSection = Omit<Section, 'name'> & { readonly nameOffset: number };

function readSectionHeaders(bytes: Uint8Array, header: Header, count: number): RawSection[] {
  const wide = header.class === 64;
  const { shoff, shentsize } = header;
  const reader = tableReader('section headers', bytes, shoff, shentsize, count, wide ? 64 : 40);
  const word = (): number => (wide ? reader.u64Number() : reader.u32());
  const sections: RawSection[] = [];
  for (let index = 0; index < count; index++) {
    reader.seek(shoff + index * shentsize);
    const nameOffset = reader.u32();
    const type = reader.u32();
    const flags = wide ? Number(BigInt.asUintN(32, reader.u64())) : reader.u32(); // the flags this project reads are low
    const addr = wide ? addressOf(reader.u64()) : reader.u32();
    const [offset, size] = [word(), word()];
    const [link, info] = [reader.u32(), reader.u32()];
    if (wide) reader.u64();
    else reader.u32(); // sh_addralign
    const entsize = word();
    sections.push({ index, nameOffset, type, flags, addr, offset, size, link, info, entsize });
  }
  return sections;
}

/** Reads the section headers with their names. Throws `SymbolError`. */
export function readSections(bytes: Uint8Array, header: Header): Section[] {
  if (header.shoff === 0) return [];
  const { shnum, shstrndx } = extended(bytes, header);
  const raw = readSectionHeaders(bytes, header, shnum);
  const table = raw[shstrndx];
  const inFile = table && table.type !== SHT_NOBITS && table.offset <= bytes.length;
  const names = inFile ? bytes.subarray(table.offset, table.offset + table.size) : new Uint8Array(0);
  return raw.map(({ nameOffset, ...section }) => ({ ...section, name: stringAt(names, nameOffset) }));
}

/** Runs a reader; a `SymbolError` becomes its result. Anything else is a defect of ours and is thrown on. */
export function guarded<T>(read: () => T): T | SymbolError {
  try {
    return read();
  } catch (error) {
    if (error instanceof SymbolError) return error;
    throw error;
  }
}
