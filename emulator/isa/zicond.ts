// Zicond: integer conditional operations.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZICOND: readonly Row[] = [
  { op: Op.CZERO_EQZ, mnemonic: 'czero.eqz', encoding: '0000111 rs2 rs1 101 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 == 0 ? 0 : rs1' },
  { op: Op.CZERO_NEZ, mnemonic: 'czero.nez', encoding: '0000111 rs2 rs1 111 rd 0110011', operands: 'rd,rs1,rs2',
    semantics: 'rd = rs2 != 0 ? 0 : rs1' },
];
