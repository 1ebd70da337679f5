/**
 * Everything that is known about one ELF file: headers and symbols, source lines, functions and variables, call frames.
 * Each part is read when it is first asked for. All addresses are those of the file, without load bias.
 */
import { ByteReader, SymbolError } from './bytes';
import { FrameTable } from './dwarf/frame/frame-table';
import { DebugInfo } from './dwarf/info/debug-info';
import { lazy } from './dwarf/info/types';
import { FileTable } from './dwarf/line/files';
import { readProgramHeader, readUnit } from './dwarf/line/header';
import { LineIndex } from './dwarf/line/line-index';
import { ElfFile, type ElfOptions } from './elf/elf';
import { guarded, stringAt } from './elf/headers';

export class Program {
  private constructor(readonly elf: ElfFile) {}

  /** Opens a file. Only its headers are read; what is no ELF file is an error. */
  static load(bytes: Uint8Array, options?: ElfOptions): Program | SymbolError {
    const elf = ElfFile.parse(bytes, options);
    return elf instanceof SymbolError ? elf : new Program(elf);
  }

  /** Source lines; undefined where the file has none (see `debugInfoProblem`). */
  get lines(): LineIndex | undefined {
    const lines = this.readLines();
    return lines instanceof SymbolError ? undefined : lines;
  }

  /** Functions, scopes, variables, types. Empty where the file has no debug information. */
  get info(): DebugInfo {
    return this.readInfo();
  }

  /** Rules for unwinding. */
  get frames(): FrameTable {
    return this.readFrames();
  }

  /** Whether source lines and variables can be had from this file. */
  get hasDebugInfo(): boolean {
    return this.lines !== undefined && !this.info.isEmpty;
  }

  /** Why there is no or only incomplete debug information, and what to do; undefined where nothing is known to be wrong. */
  get debugInfoProblem(): string | undefined {
    const { elf } = this;
    if (elf.sectionsProblem) return `Its section table cannot be read: ${elf.sectionsProblem.message}.`;
    for (const name of ['.debug_info', '.debug_line', '.debug_abbrev', '.debug_str'])
      if (elf.sectionError(name)) return `Its debug information cannot be read: ${elf.sectionError(name)!.message}.`;
    if (!elf.section('.debug_info'))
      return 'It has no debug information. Compile and link it with -g, and do not strip it.';
    if (this.info.isSplit)
      return 'Its debug information is in separate .dwo files, which are not read. Compile it without -gsplit-dwarf.';
    const lines = this.readLines();
    const broken = lines instanceof SymbolError ? lines : (lines.problems[0] ?? this.info.problems[0]);
    return broken && `A part of its debug information is malformed: ${broken.message}.`;
  }

  /**
   * `name+offset` (or `name`) of the function that covers an address. `shown`: where the offset is counted to; for a return address,
   * which may lie behind the function's last instruction, the call is looked up and the return address shown.
   */
  describeAddress(address: number, shown = address): string | undefined {
    const symbol = this.elf.symbolAt(address);
    if (!symbol) return undefined;
    const offset = shown - symbol.value;
    return offset === 0 ? symbol.name : `${symbol.name}+${offset}`;
  }

  /** The address of a defined symbol. */
  addressOfSymbol(name: string): number | undefined {
    return this.elf.symbolNamed(name)?.value;
  }

  private readonly readLines = lazy(() =>
    LineIndex.build(this.elf, { compDir: (stmtList) => this.info.compDirOf(stmtList) }),
  );

  private readonly readInfo = lazy(
    () =>
      new DebugInfo(this.elf, {
        isCode: (address) => this.elf.isCode(address),
        fileAt: (stmtList, index) => this.fileAt(stmtList, index),
      }),
  );

  private readonly readFrames = lazy(() => FrameTable.open(this.elf));

  private readonly fileNames = new Map<number, (index: number) => string | undefined>();

  /** The path of a file that an entry refers to by its number in a line table; normalised as in `lines`. */
  private fileAt(stmtList: number, index: number): string | undefined {
    let names = this.fileNames.get(stmtList);
    if (!names) this.fileNames.set(stmtList, (names = this.namesOf(stmtList)));
    return names(index);
  }

  private namesOf(stmtList: number): (index: number) => string | undefined {
    const { elf } = this;
    const section = elf.section('.debug_line');
    const header = guarded(() => {
      const { unit, offsetSize } = readUnit(new ByteReader('.debug_line', section ?? new Uint8Array(0)).seek(stmtList));
      const strings = (name: string, offset: number): string =>
        stringAt(elf.section(name) ?? new Uint8Array(0), offset);
      return readProgramHeader(unit, stmtList, offsetSize, elf.class === 64 ? 8 : 4, strings);
    });
    if (header instanceof SymbolError) return () => undefined;
    const table = new FileTable();
    const numberOf = table.translator(header, this.info.compDirOf(stmtList));
    return (index) => table.files[numberOf(index)]?.path;
  }
}
