/**
 * The state machine of a line number program (DWARF 5, sections 6.2.2 and 6.2.5). Appends rows to a table; throws
 * `SymbolError`. An opcode takes a byte at least, so the work is bounded by the size of the section.
 */
import type { ByteReader } from '../../bytes';
import { readAddress } from '../info/forms';
import { readFileEntry2, type FileEntry, type ProgramHeader } from './header';
import { END_SEQUENCE, IS_STMT, MAX_ROWS, PROLOGUE_END, type RowTable } from './rows';

const enum Lns {
  copy = 1,
  advance_pc,
  advance_line,
  set_file,
  set_column,
  negate_stmt,
  set_basic_block,
  const_add_pc,
  fixed_advance_pc,
  set_prologue_end,
  set_epilogue_begin,
  set_isa,
}
const enum Lne {
  end_sequence = 1,
  set_address,
  define_file,
}

export class LineMachine {
  private address = 0;
  private opIndex = 0;
  private file = 1;
  private line = 1;
  private column = 0;
  private isStmt: boolean;
  private prologueEnd = false;
  private readonly reader: ByteReader;

  /**
   * @param fileNumber the number in the table of a file of this program; -1 for a file it does not declare
   * @param define adds a file (DW_LNE_define_file)
   * @param wanted whether a sequence that starts at an address describes code of the program
   */
  constructor(
    private readonly header: ProgramHeader,
    private readonly rows: RowTable,
    private readonly fileNumber: (file: number) => number,
    private readonly define: (entry: FileEntry) => void,
    private readonly wanted: (low: number) => boolean,
  ) {
    this.reader = header.program;
    this.isStmt = header.defaultIsStmt;
  }

  run(): void {
    const { opcodeBase } = this.header;
    while (this.reader.remaining > 0) {
      const opcode = this.reader.u8();
      if (opcode >= opcodeBase) this.special(opcode - opcodeBase);
      else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
    this.rows.dropSequence(); // rows without an end marker have no extent
  }

  private reset(): void {
    this.address = this.opIndex = this.column = 0;
    this.file = this.line = 1;
    this.isStmt = this.header.defaultIsStmt;
    this.prologueEnd = false;
  }

  private append(flags: number): void {
    const all = flags | (this.isStmt ? IS_STMT : 0) | (this.prologueEnd ? PROLOGUE_END : 0);
    const added = this.rows.add(this.address, this.fileNumber(this.file), this.line, this.column, all);
    if (!added) this.reader.fail(`the line tables have more than ${MAX_ROWS} rows; the rest is ignored`);
    this.prologueEnd = false;
  }

  /** Advances address and op_index by a number of operations (section 6.2.5.1). */
  private advance(operations: number): void {
    const { minimumInstructionLength: length, maximumOperationsPerInstruction: most } = this.header;
    const index = this.opIndex + operations;
    this.moveTo(this.address + length * Math.floor(index / most));
    this.opIndex = index % most;
  }

  private moveTo(address: number): void {
    if (!Number.isSafeInteger(address)) this.reader.fail('address out of range');
    this.address = address;
  }

  private special(adjusted: number): void {
    const { lineBase, lineRange } = this.header;
    this.advance(Math.floor(adjusted / lineRange));
    this.line = (this.line + lineBase + (adjusted % lineRange)) >>> 0;
    this.append(0);
  }

  private standard(opcode: number): void {
    const { reader, header } = this;
    switch (opcode) {
      case Lns.copy:
        return this.append(0);
      case Lns.advance_pc:
        return this.advance(reader.ulebNumber());
      case Lns.advance_line:
        this.line = Number(BigInt.asUintN(32, BigInt(this.line) + reader.sleb()));
        return;
      case Lns.set_file:
        this.file = reader.ulebNumber();
        return;
      case Lns.set_column:
        this.column = reader.ulebNumber() >>> 0;
        return;
      case Lns.negate_stmt:
        this.isStmt = !this.isStmt;
        return;
      case Lns.const_add_pc:
        return this.advance(Math.floor((255 - header.opcodeBase) / header.lineRange));
      case Lns.fixed_advance_pc:
        // Assemblers use it where the linker may still shrink code: a plain 16-bit count of bytes.
        this.opIndex = 0;
        return this.moveTo(this.address + reader.u16());
      case Lns.set_prologue_end:
        this.prologueEnd = true;
        return;
      case Lns.set_basic_block:
      case Lns.set_epilogue_begin:
        return;
      default: // set_isa, and opcodes of later versions: as many LEB128 operands as the header says
        for (let i = header.standardOpcodeLengths[opcode - 1] ?? 0; i > 0; i--) reader.uleb();
    }
  }

  private extended(): void {
    const length = this.reader.ulebNumber();
    if (length === 0) return;
    const body = this.reader.slice(length);
    switch (body.u8()) {
      case Lne.end_sequence:
        this.append(END_SEQUENCE);
        this.rows.endSequence(this.wanted);
        return this.reset();
      case Lne.set_address:
        if (length !== 5 && length !== 9) body.fail(`address of ${length - 1} bytes`);
        this.opIndex = 0;
        this.address = Number(BigInt.asIntN(64, readAddress(body, length - 1)));
        return;
      case Lne.define_file:
        return this.define(readFileEntry2(body, body.cString()));
      default: // discriminators and vendors' own: nothing this reader tells
    }
  }
}
