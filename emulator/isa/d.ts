// D: double-precision floating point. The conversions that are always exact have an rm field, but no rounding mode to show.
// rm is kept as encoded: the reserved modes trap when executed.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const D: readonly Row[] = [
  { op: Op.FLD, mnemonic: 'fld', encoding: 'imm[11:0] rs1 011 rd 0000111', operands: 'frd,imm(rs1)' },
  { op: Op.FSD, mnemonic: 'fsd', encoding: 'imm[11:5] rs2 rs1 011 imm[4:0] 0100111', operands: 'frs2,imm(rs1)' },
  { op: Op.FMADD_D, mnemonic: 'fmadd.d', encoding: 'rs3 01 rs2 rs1 rm rd 1000011', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FMSUB_D, mnemonic: 'fmsub.d', encoding: 'rs3 01 rs2 rs1 rm rd 1000111', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FNMSUB_D, mnemonic: 'fnmsub.d', encoding: 'rs3 01 rs2 rs1 rm rd 1001011', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FNMADD_D, mnemonic: 'fnmadd.d', encoding: 'rs3 01 rs2 rs1 rm rd 1001111', operands: 'frd,frs1,frs2,frs3,rm' },
  { op: Op.FADD_D, mnemonic: 'fadd.d', encoding: '0000001 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FSUB_D, mnemonic: 'fsub.d', encoding: '0000101 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FMUL_D, mnemonic: 'fmul.d', encoding: '0001001 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FDIV_D, mnemonic: 'fdiv.d', encoding: '0001101 rs2 rs1 rm rd 1010011', operands: 'frd,frs1,frs2,rm' },
  { op: Op.FSQRT_D, mnemonic: 'fsqrt.d', encoding: '0101101 00000 rs1 rm rd 1010011', operands: 'frd,frs1,rm' },
  { op: Op.FSGNJ_D, mnemonic: 'fsgnj.d', encoding: '0010001 rs2 rs1 000 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FSGNJN_D, mnemonic: 'fsgnjn.d', encoding: '0010001 rs2 rs1 001 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FSGNJX_D, mnemonic: 'fsgnjx.d', encoding: '0010001 rs2 rs1 010 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FMIN_D, mnemonic: 'fmin.d', encoding: '0010101 rs2 rs1 000 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FMAX_D, mnemonic: 'fmax.d', encoding: '0010101 rs2 rs1 001 rd 1010011', operands: 'frd,frs1,frs2' },
  { op: Op.FCVT_S_D, mnemonic: 'fcvt.s.d', encoding: '0100000 00001 rs1 rm rd 1010011', operands: 'frd,frs1,rm' },
  { op: Op.FCVT_D_S, mnemonic: 'fcvt.d.s', encoding: '0100001 00000 rs1 rm rd 1010011', operands: 'frd,frs1' },
  { op: Op.FEQ_D, mnemonic: 'feq.d', encoding: '1010001 rs2 rs1 010 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FLT_D, mnemonic: 'flt.d', encoding: '1010001 rs2 rs1 001 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FLE_D, mnemonic: 'fle.d', encoding: '1010001 rs2 rs1 000 rd 1010011', operands: 'rd,frs1,frs2' },
  { op: Op.FCLASS_D, mnemonic: 'fclass.d', encoding: '1110001 00000 rs1 001 rd 1010011', operands: 'rd,frs1' },
  { op: Op.FCVT_W_D, mnemonic: 'fcvt.w.d', encoding: '1100001 00000 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_WU_D, mnemonic: 'fcvt.wu.d', encoding: '1100001 00001 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_L_D, mnemonic: 'fcvt.l.d', encoding: '1100001 00010 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FCVT_LU_D, mnemonic: 'fcvt.lu.d', encoding: '1100001 00011 rs1 rm rd 1010011', operands: 'rd,frs1,rm' },
  { op: Op.FMV_X_D, mnemonic: 'fmv.x.d', encoding: '1110001 00000 rs1 000 rd 1010011', operands: 'rd,frs1' },
  { op: Op.FCVT_D_W, mnemonic: 'fcvt.d.w', encoding: '1101001 00000 rs1 rm rd 1010011', operands: 'frd,rs1' },
  { op: Op.FCVT_D_WU, mnemonic: 'fcvt.d.wu', encoding: '1101001 00001 rs1 rm rd 1010011', operands: 'frd,rs1' },
  { op: Op.FCVT_D_L, mnemonic: 'fcvt.d.l', encoding: '1101001 00010 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FCVT_D_LU, mnemonic: 'fcvt.d.lu', encoding: '1101001 00011 rs1 rm rd 1010011', operands: 'frd,rs1,rm' },
  { op: Op.FMV_D_X, mnemonic: 'fmv.d.x', encoding: '1111001 00000 rs1 000 rd 1010011', operands: 'frd,rs1' },
];
