// Zbs: single bits, by their number modulo 64.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZBS: readonly Row[] = [
  { op: Op.BCLR, mnemonic: 'bclr', encoding: '0100100 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs1 & ~(1 << rs2)' },
  { op: Op.BCLRI, mnemonic: 'bclri', encoding: '010010 shamt[5:0] rs1 001 rd 0010011', operands: 'rd,rs1,shamt',
    semantics: 'rd = rs1 & ~(1 << shamt)' },
  { op: Op.BEXT, mnemonic: 'bext', encoding: '0100100 rs2 rs1 101 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = (rs1 >>u rs2) & 1' },
  { op: Op.BEXTI, mnemonic: 'bexti', encoding: '010010 shamt[5:0] rs1 101 rd 0010011', operands: 'rd,rs1,shamt',
    semantics: 'rd = (rs1 >>u shamt) & 1' },
  { op: Op.BINV, mnemonic: 'binv', encoding: '0110100 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs1 ^ (1 << rs2)' },
  { op: Op.BINVI, mnemonic: 'binvi', encoding: '011010 shamt[5:0] rs1 001 rd 0010011', operands: 'rd,rs1,shamt',
    semantics: 'rd = rs1 ^ (1 << shamt)' },
  { op: Op.BSET, mnemonic: 'bset', encoding: '0010100 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs1 | (1 << rs2)' },
  { op: Op.BSETI, mnemonic: 'bseti', encoding: '001010 shamt[5:0] rs1 001 rd 0010011', operands: 'rd,rs1,shamt',
    semantics: 'rd = rs1 | (1 << shamt)' },
];
