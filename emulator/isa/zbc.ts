// Zbc: carry-less multiplication.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZBC: readonly Row[] = [
  { op: Op.CLMUL, mnemonic: 'clmul', encoding: '0000101 rs2 rs1 001 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = carrylessProduct(rs1, rs2)' },
  { op: Op.CLMULH, mnemonic: 'clmulh', encoding: '0000101 rs2 rs1 011 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = carrylessProductReversed(rs1, rs2) >>u 1' },
  { op: Op.CLMULR, mnemonic: 'clmulr', encoding: '0000101 rs2 rs1 010 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = carrylessProductReversed(rs1, rs2)' },
];
