// Zba: address generation.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZBA: readonly Row[] = [
  { op: Op.ADD_UW, mnemonic: 'add.uw', encoding: '0000100 rs2 rs1 000 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + zext32(rs1)' },
  { op: Op.SH1ADD, mnemonic: 'sh1add', encoding: '0010000 rs2 rs1 010 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (rs1 << 1)' },
  { op: Op.SH1ADD_UW, mnemonic: 'sh1add.uw', encoding: '0010000 rs2 rs1 010 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (zext32(rs1) << 1)' },
  { op: Op.SH2ADD, mnemonic: 'sh2add', encoding: '0010000 rs2 rs1 100 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (rs1 << 2)' },
  { op: Op.SH2ADD_UW, mnemonic: 'sh2add.uw', encoding: '0010000 rs2 rs1 100 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (zext32(rs1) << 2)' },
  { op: Op.SH3ADD, mnemonic: 'sh3add', encoding: '0010000 rs2 rs1 110 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (rs1 << 3)' },
  { op: Op.SH3ADD_UW, mnemonic: 'sh3add.uw', encoding: '0010000 rs2 rs1 110 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 + (zext32(rs1) << 3)' },
  { op: Op.SLLI_UW, mnemonic: 'slli.uw', encoding: '000010 shamt[5:0] rs1 001 rd 0011011', operands: 'rd,rs1,shamt',
    semantics: 'rd = zext32(rs1) << shamt' },
];
