/**
 * Source lines and addresses of one ELF file, from `.debug_line` alone (DWARF 2 to 5, section 6.2). Addresses are those of the file,
 * without load bias. One broken program costs its own unit only (`problems`). Knows nothing of functions or scopes: who sets
 * a breakpoint decides which of the addresses of a line to use.
 */
import { ByteReader, SymbolError } from '../../bytes';
import type { ElfFile } from '../../elf/elf';
import { guarded, stringAt } from '../../elf/headers';
import { BlockFinder } from './blocks';
import { FileTable, type SourceFile } from './files';
import { readProgramHeader, readUnit } from './header';
import { LineMachine } from './program';
import { END_SEQUENCE, IS_STMT, PROLOGUE_END, RowTable } from './rows';
import { SpanFinder } from './spans';

export type { SourceFile } from './files';

/** One row of the table. */
export interface LineRow {
  readonly address: number;
  /** Index into `files`, or -1. */
  readonly file: number;
  /** 0: code that belongs to no source line. */
  readonly line: number;
  /** 0: unknown. */
  readonly column: number;
  readonly isStmt: boolean;
  readonly prologueEnd: boolean;
  readonly endSequence: boolean;
}

/** The source position of the addresses `start` (included) to `end` (excluded). */
export interface LineSpan {
  readonly file: number;
  /** 0: code that belongs to no source line. */
  readonly line: number;
  readonly column: number;
  readonly start: number;
  readonly end: number;
}

export interface LineOptions {
  /** `DW_AT_comp_dir` of the unit whose `DW_AT_stmt_list` is this offset; before DWARF 5 the line table does not know it. */
  readonly compDir?: (stmtListOffset: number) => string | undefined;
}

const MAX_PROBLEMS = 16;

export class LineIndex {
  /** What could not be read; the rest is good. */
  readonly problems: SymbolError[] = [];
  private readonly rows = new RowTable();
  private readonly table = new FileTable();
  private readonly spans: SpanFinder;
  private readonly blocks: BlockFinder;

  private constructor(elf: ElfFile, section: Uint8Array, options: LineOptions) {
    this.readAll(elf, section, options);
    this.spans = new SpanFinder(this.rows);
    this.blocks = new BlockFinder(this.rows, this.spans);
  }

  /** Reads all line tables. An error when there are none, or nothing in them can be read. */
  static build(elf: ElfFile, options: LineOptions = {}): LineIndex | SymbolError {
    const section = elf.section('.debug_line');
    if (!section)
      return (
        elf.sectionError('.debug_line') ??
        new SymbolError('.debug_line', 0, 'is absent; compile with -g to debug by source line')
      );
    const index = new LineIndex(elf, section, options);
    return index.rows.sequences.length === 0 && index.problems.length > 0 ? index.problems[0]! : index;
  }

  /** Every file that a row refers to; files that are only declared are left out. */
  get files(): readonly SourceFile[] {
    return this.table.files;
  }

  /** Index of the file with exactly this normalised path. */
  fileIndex(path: string): number | undefined {
    return this.table.numberOf(path);
  }

  /** The position of the row that covers an address; undefined where no table covers it. */
  rowAt(address: number): LineSpan | undefined {
    return this.spans.at(address);
  }

  /** Lines of a file that have code, ascending. */
  lines(file: number): readonly number[] {
    return this.blocks.of(file).lines;
  }

  /**
   * Where to stop for a line: the lowest `is_stmt` address of each block of consecutive rows for it, ascending. A loop's head has two
   * (entry and condition): who knows scopes keeps the first of each.
   */
  addressesOf(file: number, line: number): readonly number[] {
    return this.blocks.of(file).addresses.get(line) ?? [];
  }

  /** The line itself when it has code, else the nearest one below it in the file. */
  nextLineWithCode(file: number, line: number): number | undefined {
    return this.lines(file).find((candidate) => candidate >= line);
  }

  /** Rows with `low <= address < high`, and end markers up to `high`, in order of address. */
  rowsIn(low: number, high: number): LineRow[] {
    const found: LineRow[] = [];
    for (const sequence of this.spans.sequencesIn(low, high))
      for (let row = sequence.first; row <= sequence.last; row++) {
        const { address, endSequence, ...rest } = this.rowOf(row);
        if (address >= low && (address < high || (endSequence && address === high)))
          found.push({ address, ...rest, endSequence });
      }
    return found;
  }

  private rowOf(row: number): LineRow {
    const { rows } = this;
    const flags = rows.flags[row]!;
    return {
      address: rows.address[row]!,
      file: rows.file[row]!,
      line: rows.line[row]!,
      column: rows.column[row]!,
      isStmt: (flags & IS_STMT) !== 0,
      prologueEnd: (flags & PROLOGUE_END) !== 0,
      endSequence: (flags & END_SEQUENCE) !== 0,
    };
  }

  /** The addresses of a line between `low` and `high`, merged, ascending: what a step over the line leaves. */
  rangesOfLine(file: number, line: number, low: number, high: number): [start: number, end: number][] {
    const ranges: [number, number][] = [];
    this.spans.each(low, high, (row, start, end) => {
      if (this.rows.file[row] !== file || this.rows.line[row] !== line) return true;
      const last = ranges[ranges.length - 1];
      if (last && last[1] === start) last[1] = end;
      else ranges.push([start, end]);
      return true;
    });
    return ranges;
  }

  /**
   * Where a function's frame is set up: the row marked `prologue_end`, else the second line entry, which is where compilers that
   * do not mark it (GCC) begin the body. The function's entry when it has neither.
   */
  afterPrologue(functionLow: number, functionHigh: number): number {
    const marked = this.rowsIn(functionLow, functionHigh).find((row) => row.prologueEnd && row.address < functionHigh);
    if (marked) return marked.address;
    let second = functionLow;
    this.spans.each(functionLow, functionHigh, (row, start) => {
      const body = start > functionLow && this.rows.line[row] !== 0 && (this.rows.flags[row]! & IS_STMT) !== 0;
      if (body) second = start;
      return !body;
    });
    return second;
  }

  private problem(error: SymbolError): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(error);
  }

  private readAll(elf: ElfFile, section: Uint8Array, options: LineOptions): void {
    const reader = new ByteReader('.debug_line', section);
    const strings = (name: string, offset: number): string => stringAt(elf.section(name) ?? new Uint8Array(0), offset);
    while (reader.remaining > 0) {
      const offset = reader.offset;
      const unit = guarded(() => readUnit(reader));
      if (unit instanceof SymbolError) return this.problem(unit); // where the next one begins is unknown
      if (unit.unit.remaining === 0) continue; // padding
      const failure = guarded(() => {
        const addressSize = elf.class === 64 ? 8 : 4;
        const header = readProgramHeader(unit.unit, offset, unit.offsetSize, addressSize, strings);
        const files = this.table.translator(header, options.compDir?.(offset));
        const define = (entry: (typeof header.files)[number]): void => void header.files.push(entry);
        new LineMachine(header, this.rows, files, define, (low) => elf.isCode(low)).run();
      });
      if (failure instanceof SymbolError) {
        this.rows.dropSequence();
        this.problem(failure);
      }
    }
  }
}
