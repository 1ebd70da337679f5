/**
 * One ELF file: headers, sections by name, symbols, build id ("System V ABI", chapters 4 and 5). Lazy: `parse` reads the
 * two header tables, everything else is read when asked. Total: bad bytes give a `SymbolError` or nothing, never an exception.
 * Must never copy the file: sections are views of the bytes it was given.
 */
import { ByteReader, SymbolError } from '../bytes';
import * as format from './format';
import type { ElfSymbol, Section, Segment } from './format';
import { guarded, readHeader, readSections, readSegments, stringAt, type Header } from './headers';
import { SymbolTable } from './symbols';

export type { ElfSymbol, Section, Segment } from './format';

export interface ElfOptions {
  /** Inflates a zlib stream to `size` bytes; without it compressed sections (`-gz`) are reported as unreadable. */
  readonly inflate?: (stream: Uint8Array, size: number) => Uint8Array | undefined;
}

/** Upper bound of an inflated section, so that a few hostile bytes cannot ask for the machine's memory. */
const MAX_INFLATED = 512 * 1024 * 1024;
const MAX_INTERPRETER = 4096;

export class ElfFile {
  readonly machine: number;
  readonly class: 32 | 64;
  /** Big-endian files are refused by `parse`. */
  readonly endianness = 'little';
  /** ET_EXEC, ET_DYN, ET_REL ... */
  readonly type: number;
  readonly entry: number;
  readonly flags: number;
  private readonly byName = new Map<string, Section>();
  private readonly contents = new Map<Section, Uint8Array | SymbolError | undefined>();
  private table?: SymbolTable;
  private executable?: [low: number, high: number][];

  private constructor(
    readonly bytes: Uint8Array,
    header: Header,
    readonly segments: readonly Segment[],
    readonly sections: readonly Section[],
    /** Why `sections` is empty although the file has some. */
    readonly sectionsProblem: SymbolError | undefined,
    private readonly options: ElfOptions,
  ) {
    ({ machine: this.machine, class: this.class, type: this.type, entry: this.entry, flags: this.flags } = header);
    for (const section of sections) if (!this.byName.has(section.name)) this.byName.set(section.name, section);
  }

  /**
   * Reads the header and both tables. A broken section table costs the sections only (`sectionsProblem`): such a file can still
   * run. What is not little-endian ELF, or has a broken program header table, is an error.
   */
  static parse(bytes: Uint8Array, options: ElfOptions = {}): ElfFile | SymbolError {
    return guarded(() => {
      const header = readHeader(bytes);
      const segments = readSegments(bytes, header);
      const sections = guarded(() => readSections(bytes, header));
      return sections instanceof SymbolError
        ? new ElfFile(bytes, header, segments, [], sections, options)
        : new ElfFile(bytes, header, segments, sections, undefined, options);
    });
  }

  /** Bytes of a section; undefined when it is absent, has no bytes in the file, or cannot be read (see `sectionError`). */
  section(name: string): Uint8Array | undefined {
    const section = this.byName.get(name);
    const bytes = section && this.contentOf(section);
    return bytes instanceof SymbolError ? undefined : bytes;
  }

  /** Why a section that the file names cannot be read. */
  sectionError(name: string): SymbolError | undefined {
    const section = this.byName.get(name);
    const bytes = section && this.contentOf(section);
    return bytes instanceof SymbolError ? bytes : undefined;
  }

  /** Header of a section by name. */
  sectionNamed(name: string): Section | undefined {
    return this.byName.get(name);
  }

  private contentOf(section: Section): Uint8Array | SymbolError | undefined {
    if (this.contents.has(section)) return this.contents.get(section);
    const content = guarded(() => this.readContent(section));
    this.contents.set(section, content);
    return content;
  }

  private readContent(section: Section): Uint8Array | undefined {
    if (section.type === format.SHT_NOBITS) return undefined;
    const name = section.name || `section ${section.index}`;
    if (section.offset > this.bytes.length || section.size > this.bytes.length - section.offset)
      throw new SymbolError(name, 0, `lies beyond the end of the file (${this.bytes.length} bytes)`);
    const raw = this.bytes.subarray(section.offset, section.offset + section.size);
    if (!(section.flags & format.SHF_COMPRESSED)) return raw;
    const reader = new ByteReader(name, raw);
    const kind = reader.u32();
    if (this.class === 64) reader.u32(); // ch_reserved
    const size = this.class === 64 ? reader.u64Number() : reader.u32();
    reader.raw(this.class === 64 ? 8 : 4); // ch_addralign
    if (kind !== format.ELFCOMPRESS_ZLIB || !this.options.inflate)
      reader.fail('is compressed; build with -gz=none or run objcopy --decompress-debug-sections', 0);
    if (size > MAX_INFLATED) reader.fail(`inflates to ${size} bytes, more than the limit of ${MAX_INFLATED}`, 0);
    const inflated = this.options.inflate!(reader.raw(reader.remaining), size);
    if (inflated?.length !== size) reader.fail(`does not inflate to the ${size} bytes it states`, 0);
    return inflated;
  }

  /** Symbols of `.symtab`, else of `.dynsym`; empty for a stripped file. */
  symbols(): readonly ElfSymbol[] {
    return this.symbolTable().all;
  }

  /** The defined symbol of a name, a global one preferred. */
  symbolNamed(name: string): ElfSymbol | undefined {
    return this.symbolTable().named(name);
  }

  /** The function or code label that covers an address of the file (no load bias). */
  symbolAt(address: number): ElfSymbol | undefined {
    return this.symbolTable().at(address, ({ shndx }) => this.endOfSection(shndx));
  }

  /** Where the code of a symbol ends: its size, else the next symbol or the end of its section. */
  endOfSymbol(symbol: ElfSymbol): number {
    if (symbol.size > 0) return symbol.value + symbol.size;
    const end = this.endOfSection(symbol.shndx);
    return Math.min(this.symbolTable().nextAfter(symbol.value) ?? end, end);
  }

  private endOfSection(index: number): number {
    const section = this.sections[index];
    return section && section.flags & format.SHF_EXECINSTR ? section.addr + section.size : -Infinity;
  }

  private symbolTable(): SymbolTable {
    return (this.table ??= this.readSymbols(format.SHT_SYMTAB) ?? this.readSymbols(format.SHT_DYNSYM) ?? NO_SYMBOLS);
  }

  private readSymbols(type: number): SymbolTable | undefined {
    const section = this.sections.find((candidate) => candidate.type === type);
    const bytes = section && this.contentOf(section);
    if (!section || !bytes || bytes instanceof SymbolError) return undefined;
    const strings = this.sections[section.link] && this.contentOf(this.sections[section.link]!);
    const names = strings instanceof Uint8Array ? strings : new Uint8Array(0);
    return new SymbolTable(section.name, bytes, names, this.class === 64);
  }

  /** Does the file map executable code at an address? By its sections, else by its segments. */
  isCode(address: number): boolean {
    this.executable ??= this.executableRanges();
    return this.executable.some(([low, high]) => address >= low && address < high);
  }

  private executableRanges(): [low: number, high: number][] {
    const wanted = format.SHF_ALLOC | format.SHF_EXECINSTR;
    const sections = this.sections.filter(({ flags }) => (flags & wanted) === wanted);
    if (sections.length > 0) return sections.map(({ addr, size }) => [addr, addr + size]);
    const segments = this.segments.filter(({ type, flags }) => type === format.PT_LOAD && flags & format.PF_X);
    return segments.map(({ vaddr, memsz }) => [vaddr, vaddr + memsz]);
  }

  /** The bytes of a segment that are in the file; cut at the end of the file. */
  segmentBytes({ offset, filesz }: Segment): Uint8Array {
    return this.bytes.subarray(Math.min(offset, this.bytes.length), Math.min(offset + filesz, this.bytes.length));
  }

  /** The dynamic loader this program asks for; undefined for a static one. */
  get interpreter(): string | undefined {
    const segment = this.segments.find(({ type }) => type === format.PT_INTERP);
    return segment && (stringAt(this.segmentBytes(segment).subarray(0, MAX_INTERPRETER), 0) || undefined);
  }

  /** The linker's build id in hexadecimal. */
  get buildId(): string | undefined {
    const noteSections = this.sections
      .filter(({ type }) => type === format.SHT_NOTE)
      .map((note) => this.contentOf(note));
    const noteSegments = this.segments
      .filter(({ type }) => type === format.PT_NOTE)
      .map((note) => this.segmentBytes(note));
    for (const notes of [...noteSections, ...noteSegments]) {
      const id = notes instanceof Uint8Array ? guarded(() => findBuildId(notes)) : undefined;
      if (typeof id === 'string') return id;
    }
    return undefined;
  }
}

const NO_SYMBOLS = new SymbolTable('.symtab', new Uint8Array(0), new Uint8Array(0), true);

/** Walks the notes of one section: name size, description size, type, then both padded to four bytes. */
function findBuildId(notes: Uint8Array): string | undefined {
  const reader = new ByteReader('notes', notes);
  while (reader.remaining >= 12) {
    const [nameSize, descriptionSize, type] = [reader.u32(), reader.u32(), reader.u32()];
    const name = stringAt(reader.raw(nameSize), 0);
    reader.seek(Math.min((reader.offset + 3) & ~3, notes.length));
    const description = reader.raw(descriptionSize);
    if (type === format.NT_GNU_BUILD_ID && name === 'GNU')
      return Array.from(description, (byte) => byte.toString(16).padStart(2, '0')).join('');
    reader.seek(Math.min((reader.offset + 3) & ~3, notes.length));
  }
  return undefined;
}
