// F: single-precision floating point. rm is kept as encoded: the reserved modes trap when executed.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const F: readonly Row[] = [
  { op: Op.FLW, mnemonic: 'flw', encoding: 'imm[11:0] rs1 010 rd 0000111', operands: 'frd,imm(rs1)' },
  { op: Op.FSW, mnemonic: 'fsw', encoding: 'imm[11:5] rs2 rs1 010 imm[4:0] 0100111', operands: 'frs2,imm(rs1)' },
  { op: Op.FMADD_S, mnemonic: 'fmadd.s', encoding: 'rs3 00 rs2 rs1 rm rd 1000011', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FMSUB_S, mnemonic: 'fmsub.s', encoding: 'rs3 00 rs2 rs1 rm rd 1000111', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FNMSUB_S, mnemonic: 'fnmsub.s', encoding: 'rs3 00 rs2 rs1 rm rd 1001011', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FNMADD_S, mnemonic: 'fnmadd.s', encoding: 'rs3 00 rs2 rs1 rm rd 1001111', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FADD_S, mnemonic: 'fadd.s', encoding: '0000000 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FSUB_S, mnemonic: 'fsub.s', encoding: '0000100 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FMUL_S, mnemonic: 'fmul.s', encoding: '0001000 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FDIV_S, mnemonic: 'fdiv.s', encoding: '0001100 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FSQRT_S, mnemonic: 'fsqrt.s', encoding: '0101100 00000 rs1 rm rd 1010011', operands: 'frd,frs1,rm' },
  { op: Op.FSGNJ_S, mnemonic: 'fsgnj.s', encoding: '0010000 rs2 rs1 000 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FSGNJN_S, mnemonic: 'fsgnjn.s', encoding: '0010000 rs2 rs1 001 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FSGNJX_S, mnemonic: 'fsgnjx.s', encoding: '0010000 rs2 rs1 010 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FMIN_S, mnemonic: 'fmin.s', encoding: '0010100 rs2 rs1 000 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FMAX_S, mnemonic: 'fmax.s', encoding: '0010100 rs2 rs1 001 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FEQ_S, mnemonic: 'feq.s', encoding: '1010000 rs2 rs1 010 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FLT_S, mnemonic: 'flt.s', encoding: '1010000 rs2 rs1 001 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FLE_S, mnemonic: 'fle.s', encoding: '1010000 rs2 rs1 000 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FCLASS_S, mnemonic: 'fclass.s', encoding: '1110000 00000 rs1 001 rd 1010011', operands: 'rd,frs1' },
  { op: Op.FCVT_W_S, mnemonic: 'fcvt.w.s', encoding: '1100000 00000 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_WU_S, mnemonic: 'fcvt.wu.s', encoding: '1100000 00001 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_L_S, mnemonic: 'fcvt.l.s', encoding: '1100000 00010 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_LU_S, mnemonic: 'fcvt.lu.s', encoding: '1100000 00011 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FMV_X_W, mnemonic: 'fmv.x.w', encoding: '1110000 00000 rs1 000 rd 1010011', operands: 'rd,frs1' },
  { op: Op.FCVT_S_W, mnemonic: 'fcvt.s.w', encoding: '1101000 00000 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FCVT_S_WU, mnemonic: 'fcvt.s.wu', encoding: '1101000 00001 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FCVT_S_L, mnemonic: 'fcvt.s.l', encoding: '1101000 00010 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FCVT_S_LU, mnemonic: 'fcvt.s.lu', encoding: '1101000 00011 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FMV_W_X, mnemonic: 'fmv.w.x', encoding: '1111000 00000 rs1 000 rd 1010011', operands: 'frd,rs1' },
];
