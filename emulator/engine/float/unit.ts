// The floating-point unit of a hart: the instructions of the D extension here, those of F in the base class, and the switch
// through which an engine reaches all of them. Loads and stores are the engine's. One method per instruction, named after it; rd,
// rs1, rs2 and rs3 are register numbers and rm is a resolved rounding mode (0..4): resolving DYN, and trapping on reserved modes and
// on mstatus.FS = Off, is the caller's. Source: unprivileged manual, chapters "F" and "D".
import { Op } from '../../isa/op';
import { longToDouble, toLong, toUnsignedWord, toWord } from './convert';
import { add64, divide64, multiply64, multiplyAdd64, squareRoot64 } from './double-arithmetic';
import { Flag, isNegative, roundToSingle } from './ieee';
import { classMask, NOWHERE } from './registers';
import { SingleUnit } from './single-unit';

const SIGN = 0x80000000 | 0;

export class FloatUnit extends SingleUnit {
  private finishDouble(rd: number, result: number, rs1: number, rs2: number, rs3: number): void {
    if (result !== result) this.signalDoubles(rs1, rs2, rs3);
    this.writeDouble(rd, result);
  }

  fadd_d(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishDouble(rd, add64(this, this.doubles[rs1]!, this.doubles[rs2]!, rm), rs1, rs2, rs2);
  }

  fsub_d(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishDouble(rd, add64(this, this.doubles[rs1]!, -this.doubles[rs2]!, rm), rs1, rs2, rs2);
  }

  fmul_d(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishDouble(rd, multiply64(this, this.doubles[rs1]!, this.doubles[rs2]!, rm), rs1, rs2, rs2);
  }

  fdiv_d(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishDouble(rd, divide64(this, this.doubles[rs1]!, this.doubles[rs2]!, rm), rs1, rs2, rs2);
  }

  fsqrt_d(rd: number, rs1: number, rm: number): void {
    this.finishDouble(rd, squareRoot64(this, this.doubles[rs1]!, rm), rs1, rs1, rs1);
  }

  /** rs1 * rs2 + rs3 */
  fmadd_d(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd64(this, this.doubles[rs1]!, this.doubles[rs2]!, this.doubles[rs3]!, rm);
    this.finishDouble(rd, result, rs1, rs2, rs3);
  }

  /** rs1 * rs2 - rs3 */
  fmsub_d(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd64(this, this.doubles[rs1]!, this.doubles[rs2]!, -this.doubles[rs3]!, rm);
    this.finishDouble(rd, result, rs1, rs2, rs3);
  }

  /** -(rs1 * rs2) + rs3 */
  fnmsub_d(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd64(this, -this.doubles[rs1]!, this.doubles[rs2]!, this.doubles[rs3]!, rm);
    this.finishDouble(rd, result, rs1, rs2, rs3);
  }

  /** -(rs1 * rs2) - rs3 */
  fnmadd_d(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd64(this, -this.doubles[rs1]!, this.doubles[rs2]!, -this.doubles[rs3]!, rm);
    this.finishDouble(rd, result, rs1, rs2, rs3);
  }

  /** The magnitude of rs1 under a sign given as the top bit of a word. */
  private withSign(rd: number, rs1: number, sign: number): void {
    this.words[2 * rd] = this.words[2 * rs1]!;
    this.words[2 * rd + 1] = (this.words[2 * rs1 + 1]! & ~SIGN) | (sign & SIGN);
  }

  fsgnj_d(rd: number, rs1: number, rs2: number): void {
    this.withSign(rd, rs1, this.words[2 * rs2 + 1]!);
  }

  fsgnjn_d(rd: number, rs1: number, rs2: number): void {
    this.withSign(rd, rs1, ~this.words[2 * rs2 + 1]!);
  }

  fsgnjx_d(rd: number, rs1: number, rs2: number): void {
    this.withSign(rd, rs1, this.words[2 * rs1 + 1]! ^ this.words[2 * rs2 + 1]!);
  }

  /** The smaller operand; -0 is smaller than +0, and a number is preferred to a NaN. */
  fmin_d(rd: number, rs1: number, rs2: number): void {
    this.signalDoubles(rs1, rs2, rs2);
    const a = this.doubles[rs1]!;
    const b = this.doubles[rs2]!;
    const first = b !== b || a < b || (a === b && isNegative(a));
    this.writeDouble(rd, first ? a : b);
  }

  /** The larger operand; +0 is larger than -0, and a number is preferred to a NaN. */
  fmax_d(rd: number, rs1: number, rs2: number): void {
    this.signalDoubles(rs1, rs2, rs2);
    const a = this.doubles[rs1]!;
    const b = this.doubles[rs2]!;
    const first = b !== b || a > b || (a === b && !isNegative(a));
    this.writeDouble(rd, first ? a : b);
  }

  /** Quiet: only a signaling NaN is invalid. */
  feq_d(rd: number, rs1: number, rs2: number): void {
    const a = this.doubles[rs1]!;
    const b = this.doubles[rs2]!;
    if (a !== a || b !== b) this.signalDoubles(rs1, rs2, rs2);
    this.writeWord(rd, a === b ? 1 : 0);
  }

  /** Signaling: any NaN is invalid. */
  flt_d(rd: number, rs1: number, rs2: number): void {
    const a = this.doubles[rs1]!;
    const b = this.doubles[rs2]!;
    if (a !== a || b !== b) this.flags |= Flag.NV;
    this.writeWord(rd, a < b ? 1 : 0);
  }

  /** Signaling: any NaN is invalid. */
  fle_d(rd: number, rs1: number, rs2: number): void {
    const a = this.doubles[rs1]!;
    const b = this.doubles[rs2]!;
    if (a !== a || b !== b) this.flags |= Flag.NV;
    this.writeWord(rd, a <= b ? 1 : 0);
  }

  fclass_d(rd: number, rs1: number): void {
    this.writeWord(rd, classMask(this.words[2 * rs1 + 1]!, this.words[2 * rs1]!, 20));
  }

  fmv_x_d(rd: number, rs1: number): void {
    if (rd === 0) return;
    this.x[2 * rd] = this.words[2 * rs1]!;
    this.x[2 * rd + 1] = this.words[2 * rs1 + 1]!;
  }

  fmv_d_x(rd: number, rs1: number): void {
    this.words[2 * rd] = this.x[2 * rs1]!;
    this.words[2 * rd + 1] = this.x[2 * rs1 + 1]!;
  }

  fcvt_s_d(rd: number, rs1: number, rm: number): void {
    const value = this.doubles[rs1]!;
    if (value !== value) this.signalDoubles(rs1, rs1, rs1);
    this.writeSingle(rd, value - value === 0 ? roundToSingle(this, value, rm) : value);
  }

  /** Always exact. */
  fcvt_d_s(rd: number, rs1: number): void {
    const value = this.single(rs1);
    if (value !== value) this.signalSingles(rs1, rs1, rs1);
    this.writeDouble(rd, value);
  }

  fcvt_w_d(rd: number, rs1: number, rm: number): void {
    this.writeWord(rd, toWord(this, this.doubles[rs1]!, rm));
  }

  fcvt_wu_d(rd: number, rs1: number, rm: number): void {
    this.writeWord(rd, toUnsignedWord(this, this.doubles[rs1]!, rm));
  }

  fcvt_l_d(rd: number, rs1: number, rm: number): void {
    toLong(this, this.doubles[rs1]!, rm, false, rd === 0 ? NOWHERE : this.x, 2 * rd);
  }

  fcvt_lu_d(rd: number, rs1: number, rm: number): void {
    toLong(this, this.doubles[rs1]!, rm, true, rd === 0 ? NOWHERE : this.x, 2 * rd);
  }

  /** Always exact. */
  fcvt_d_w(rd: number, rs1: number): void {
    this.doubles[rd] = this.x[2 * rs1]!;
  }

  /** Always exact. */
  fcvt_d_wu(rd: number, rs1: number): void {
    this.doubles[rd] = this.x[2 * rs1]! >>> 0;
  }

  fcvt_d_l(rd: number, rs1: number, rm: number): void {
    this.doubles[rd] = longToDouble(this, this.x[2 * rs1 + 1]!, this.x[2 * rs1]!, rm);
  }

  fcvt_d_lu(rd: number, rs1: number, rm: number): void {
    this.doubles[rd] = longToDouble(this, this.x[2 * rs1 + 1]! >>> 0, this.x[2 * rs1]!, rm);
  }

  /**
   * Executes any instruction of F and D except loads and stores; other operations do nothing.
   * @param rm resolved rounding mode, 0..4; ignored where the instruction has none
   */
  execute(op: Op, rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    switch (op) {
      case Op.FMADD_S:
        return this.fmadd_s(rd, rs1, rs2, rs3, rm);
      case Op.FMSUB_S:
        return this.fmsub_s(rd, rs1, rs2, rs3, rm);
      case Op.FNMSUB_S:
        return this.fnmsub_s(rd, rs1, rs2, rs3, rm);
      case Op.FNMADD_S:
        return this.fnmadd_s(rd, rs1, rs2, rs3, rm);
      case Op.FADD_S:
        return this.fadd_s(rd, rs1, rs2, rm);
      case Op.FSUB_S:
        return this.fsub_s(rd, rs1, rs2, rm);
      case Op.FMUL_S:
        return this.fmul_s(rd, rs1, rs2, rm);
      case Op.FDIV_S:
        return this.fdiv_s(rd, rs1, rs2, rm);
      case Op.FSQRT_S:
        return this.fsqrt_s(rd, rs1, rm);
      case Op.FSGNJ_S:
        return this.fsgnj_s(rd, rs1, rs2);
      case Op.FSGNJN_S:
        return this.fsgnjn_s(rd, rs1, rs2);
      case Op.FSGNJX_S:
        return this.fsgnjx_s(rd, rs1, rs2);
      case Op.FMIN_S:
        return this.fmin_s(rd, rs1, rs2);
      case Op.FMAX_S:
        return this.fmax_s(rd, rs1, rs2);
      case Op.FEQ_S:
        return this.feq_s(rd, rs1, rs2);
      case Op.FLT_S:
        return this.flt_s(rd, rs1, rs2);
      case Op.FLE_S:
        return this.fle_s(rd, rs1, rs2);
      case Op.FCLASS_S:
        return this.fclass_s(rd, rs1);
      case Op.FMV_X_W:
        return this.fmv_x_w(rd, rs1);
      case Op.FMV_W_X:
        return this.fmv_w_x(rd, rs1);
      case Op.FCVT_W_S:
        return this.fcvt_w_s(rd, rs1, rm);
      case Op.FCVT_WU_S:
        return this.fcvt_wu_s(rd, rs1, rm);
      case Op.FCVT_L_S:
        return this.fcvt_l_s(rd, rs1, rm);
      case Op.FCVT_LU_S:
        return this.fcvt_lu_s(rd, rs1, rm);
      case Op.FCVT_S_W:
        return this.fcvt_s_w(rd, rs1, rm);
      case Op.FCVT_S_WU:
        return this.fcvt_s_wu(rd, rs1, rm);
      case Op.FCVT_S_L:
        return this.fcvt_s_l(rd, rs1, rm);
      case Op.FCVT_S_LU:
        return this.fcvt_s_lu(rd, rs1, rm);
      case Op.FMADD_D:
        return this.fmadd_d(rd, rs1, rs2, rs3, rm);
      case Op.FMSUB_D:
        return this.fmsub_d(rd, rs1, rs2, rs3, rm);
      case Op.FNMSUB_D:
        return this.fnmsub_d(rd, rs1, rs2, rs3, rm);
      case Op.FNMADD_D:
        return this.fnmadd_d(rd, rs1, rs2, rs3, rm);
      case Op.FADD_D:
        return this.fadd_d(rd, rs1, rs2, rm);
      case Op.FSUB_D:
        return this.fsub_d(rd, rs1, rs2, rm);
      case Op.FMUL_D:
        return this.fmul_d(rd, rs1, rs2, rm);
      case Op.FDIV_D:
        return this.fdiv_d(rd, rs1, rs2, rm);
      case Op.FSQRT_D:
        return this.fsqrt_d(rd, rs1, rm);
      case Op.FSGNJ_D:
        return this.fsgnj_d(rd, rs1, rs2);
      case Op.FSGNJN_D:
        return this.fsgnjn_d(rd, rs1, rs2);
      case Op.FSGNJX_D:
        return this.fsgnjx_d(rd, rs1, rs2);
      case Op.FMIN_D:
        return this.fmin_d(rd, rs1, rs2);
      case Op.FMAX_D:
        return this.fmax_d(rd, rs1, rs2);
      case Op.FEQ_D:
        return this.feq_d(rd, rs1, rs2);
      case Op.FLT_D:
        return this.flt_d(rd, rs1, rs2);
      case Op.FLE_D:
        return this.fle_d(rd, rs1, rs2);
      case Op.FCLASS_D:
        return this.fclass_d(rd, rs1);
      case Op.FMV_X_D:
        return this.fmv_x_d(rd, rs1);
      case Op.FMV_D_X:
        return this.fmv_d_x(rd, rs1);
      case Op.FCVT_W_D:
        return this.fcvt_w_d(rd, rs1, rm);
      case Op.FCVT_WU_D:
        return this.fcvt_wu_d(rd, rs1, rm);
      case Op.FCVT_L_D:
        return this.fcvt_l_d(rd, rs1, rm);
      case Op.FCVT_LU_D:
        return this.fcvt_lu_d(rd, rs1, rm);
      case Op.FCVT_D_W:
        return this.fcvt_d_w(rd, rs1);
      case Op.FCVT_D_WU:
        return this.fcvt_d_wu(rd, rs1);
      case Op.FCVT_D_L:
        return this.fcvt_d_l(rd, rs1, rm);
      case Op.FCVT_D_LU:
        return this.fcvt_d_lu(rd, rs1, rm);
      case Op.FCVT_S_D:
        return this.fcvt_s_d(rd, rs1, rm);
      case Op.FCVT_D_S:
        return this.fcvt_d_s(rd, rs1);
    }
  }
}
