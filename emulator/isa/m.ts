// M: integer multiplication and division.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
export const M: readonly Row[] = [
  { op: Op.MUL, mnemonic: 'mul', encoding: '0000001 rs2 rs1 000 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.MULH, mnemonic: 'mulh', encoding: '0000001 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.MULHSU, mnemonic: 'mulhsu', encoding: '0000001 rs2 rs1 010 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.MULHU, mnemonic: 'mulhu', encoding: '0000001 rs2 rs1 011 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.DIV, mnemonic: 'div', encoding: '0000001 rs2 rs1 100 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.DIVU, mnemonic: 'divu', encoding: '0000001 rs2 rs1 101 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.REM, mnemonic: 'rem', encoding: '0000001 rs2 rs1 110 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.REMU, mnemonic: 'remu', encoding: '0000001 rs2 rs1 111 rd 0110011', operands: 'rd,rs1,rs2' },
  { op: Op.MULW, mnemonic: 'mulw', encoding: '0000001 rs2 rs1 000 rd 0111011', operands: 'rd,rs1,rs2' },
  { op: Op.DIVW, mnemonic: 'divw', encoding: '0000001 rs2 rs1 100 rd 0111011', operands: 'rd,rs1,rs2' },
  { op: Op.DIVUW, mnemonic: 'divuw', encoding: '0000001 rs2 rs1 101 rd 0111011', operands: 'rd,rs1,rs2' },
  { op: Op.REMW, mnemonic: 'remw', encoding: '0000001 rs2 rs1 110 rd 0111011', operands: 'rd,rs1,rs2' },
  { op: Op.REMUW, mnemonic: 'remuw', encoding: '0000001 rs2 rs1 111 rd 0111011', operands: 'rd,rs1,rs2' },
];
