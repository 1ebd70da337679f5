/** A buffer of 32-bit instructions for a known address, encoded by the instruction rows. */
import { encode } from '../../../emulator/isa/encode';
import type { Instruction } from '../../../emulator/isa/instruction';
import { ROWS } from '../../../emulator/isa/rows';

const rows = new Map(ROWS.map((row) => [row.mnemonic, row]));

type Fields = Partial<Pick<Instruction, 'rd' | 'rs1' | 'rs2' | 'imm'>>;

export class Code {
  readonly words: number[] = [];

  constructor(readonly origin: number) {}

  get here(): number {
    return this.origin + 4 * this.words.length;
  }

  word(bits: number): void {
    this.words.push(bits >>> 0);
  }

  op(mnemonic: string, fields: Fields = {}): void {
    const row = rows.get(mnemonic);
    if (!row) throw new Error(`no instruction ${mnemonic}`);
    this.word(encode(row, fields));
  }

  /** rd = a constant; one to eight instructions. */
  li(rd: number, value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    if (signed >= -2048n && signed < 2048n) return this.op('addi', { rd, rs1: 0, imm: Number(signed) });
    const low = Number(BigInt.asIntN(12, signed));
    if (signed >= -(2n ** 31n) && signed < 2n ** 31n) {
      this.op('lui', { rd, imm: Number(BigInt.asIntN(32, signed - BigInt(low))) });
      if (low !== 0) this.op('addiw', { rd, rs1: rd, imm: low });
      return;
    }
    this.li(rd, BigInt.asIntN(64, signed - BigInt(low)) >> 12n);
    this.op('slli', { rd, rs1: rd, imm: 12 });
    if (low !== 0) this.op('addi', { rd, rs1: rd, imm: low });
  }

  csrw(csr: number, rs1: number): void {
    this.op('csrrw', { rd: 0, rs1, imm: csr });
  }

  csrr(rd: number, csr: number): void {
    this.op('csrrs', { rd, rs1: 0, imm: csr });
  }

  /** csr = a constant; uses x29. */
  csrSet(csr: number, value: bigint): void {
    this.li(29, value);
    this.csrw(csr, 29);
  }

  /** Jump to any address; uses x28. */
  jump(address: number): void {
    this.li(28, BigInt(address));
    this.op('jalr', { rd: 0, rs1: 28, imm: 0 });
  }

  /** Stores a constant dword at a constant address; uses x28 and x29. */
  poke(address: number, value: bigint): void {
    this.li(28, BigInt(address));
    this.li(29, value);
    this.op('sd', { rs1: 28, rs2: 29, imm: 0 });
  }
}
