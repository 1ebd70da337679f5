// M: integer multiplication and division.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const M: readonly Row[] = [
  { op: Op.MUL, mnemonic: 'mul', encoding: '0000001 rs2 rs1 000 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs1 * rs2' },
  { op: Op.MULH, mnemonic: 'mulh', encoding: '0000001 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = mulh(rs1, rs2)' },
  { op: Op.MULHSU, mnemonic: 'mulhsu', encoding: '0000001 rs2 rs1 010 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = mulhsu(rs1, rs2)' },
  { op: Op.MULHU, mnemonic: 'mulhu', encoding: '0000001 rs2 rs1 011 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = mulhu(rs1, rs2)' },
  { op: Op.DIV, mnemonic: 'div', encoding: '0000001 rs2 rs1 100 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = quotientS64(rs1, rs2)' },
  { op: Op.DIVU, mnemonic: 'divu', encoding: '0000001 rs2 rs1 101 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = quotientU64(rs1, rs2)' },
  { op: Op.REM, mnemonic: 'rem', encoding: '0000001 rs2 rs1 110 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = remainderS64(rs1, rs2)' },
  { op: Op.REMU, mnemonic: 'remu', encoding: '0000001 rs2 rs1 111 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = remainderU64(rs1, rs2)' },
  { op: Op.MULW, mnemonic: 'mulw', encoding: '0000001 rs2 rs1 000 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = sext64(low32(rs1) * low32(rs2))' },
  { op: Op.DIVW, mnemonic: 'divw', encoding: '0000001 rs2 rs1 100 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = sext64(quotientS32(low32(rs1), low32(rs2)))' },
  { op: Op.DIVUW, mnemonic: 'divuw', encoding: '0000001 rs2 rs1 101 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = sext64(quotientU32(low32(rs1), low32(rs2)))' },
  { op: Op.REMW, mnemonic: 'remw', encoding: '0000001 rs2 rs1 110 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = sext64(remainderS32(low32(rs1), low32(rs2)))' },
  { op: Op.REMUW, mnemonic: 'remuw', encoding: '0000001 rs2 rs1 111 rd 0111011', operands: 'rd,rs1,rs2',
    semantics: 'rd = sext64(remainderU32(low32(rs1), low32(rs2)))' },
];
