// Zicsr: reading and writing control and status registers.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZICSR: readonly Row[] = [
  { op: Op.CSRRW, mnemonic: 'csrrw', encoding: 'csr[11:0] rs1 001 rd 1110011', operands: 'rd,csr,rs1',
    semantics: 'let old = readCsr(csr, true); writeCsr(csr, rs1); rd = old' },
  { op: Op.CSRRS, mnemonic: 'csrrs', encoding: 'csr[11:0] rs1 010 rd 1110011', operands: 'rd,csr,rs1',
    semantics: 'let old = readCsr(csr, #rs1 != 0); if (#rs1 != 0) { writeCsr(csr, old | rs1) } rd = old' },
  { op: Op.CSRRC, mnemonic: 'csrrc', encoding: 'csr[11:0] rs1 011 rd 1110011', operands: 'rd,csr,rs1',
    semantics: 'let old = readCsr(csr, #rs1 != 0); if (#rs1 != 0) { writeCsr(csr, old & ~rs1) } rd = old' },
  { op: Op.CSRRWI, mnemonic: 'csrrwi', encoding: 'csr[11:0] zimm 101 rd 1110011', operands: 'rd,csr,zimm',
    semantics: 'let old = readCsr(csr, true); writeCsr(csr, zimm); rd = old' },
  { op: Op.CSRRSI, mnemonic: 'csrrsi', encoding: 'csr[11:0] zimm 110 rd 1110011', operands: 'rd,csr,zimm',
    semantics: 'let old = readCsr(csr, zimm != 0); if (zimm != 0) { writeCsr(csr, old | zimm) } rd = old' },
  { op: Op.CSRRCI, mnemonic: 'csrrci', encoding: 'csr[11:0] zimm 111 rd 1110011', operands: 'rd,csr,zimm',
    semantics: 'let old = readCsr(csr, zimm != 0); if (zimm != 0) { writeCsr(csr, old & ~zimm) } rd = old' },
];
