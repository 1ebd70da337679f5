// The instructions of the F extension, but for loads and stores. One method per instruction, named after it; rd, rs1, rs2 and rs3
// are register numbers and rm is a resolved rounding mode (0..4). Source: unprivileged manual, chapter "F".
import { longToSingle, toLong, toUnsignedWord, toWord } from './convert';
import { Flag, isNegative, roundToSingle } from './ieee';
import { classMask, FloatRegisters, NOWHERE } from './registers';
import { add32, divide32, multiply32, multiplyAdd32, squareRoot32 } from './single-arithmetic';

const SIGN = 0x80000000 | 0;

export class SingleUnit extends FloatRegisters {
  private finishSingle(rd: number, result: number, rs1: number, rs2: number, rs3: number): void {
    if (result !== result) this.signalSingles(rs1, rs2, rs3);
    this.writeSingle(rd, result);
  }

  fadd_s(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishSingle(rd, add32(this, this.single(rs1), this.single(rs2), rm), rs1, rs2, rs2);
  }

  fsub_s(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishSingle(rd, add32(this, this.single(rs1), -this.single(rs2), rm), rs1, rs2, rs2);
  }

  fmul_s(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishSingle(rd, multiply32(this, this.single(rs1), this.single(rs2), rm), rs1, rs2, rs2);
  }

  fdiv_s(rd: number, rs1: number, rs2: number, rm: number): void {
    this.finishSingle(rd, divide32(this, this.single(rs1), this.single(rs2), rm), rs1, rs2, rs2);
  }

  fsqrt_s(rd: number, rs1: number, rm: number): void {
    this.finishSingle(rd, squareRoot32(this, this.single(rs1), rm), rs1, rs1, rs1);
  }

  /** rs1 * rs2 + rs3 */
  fmadd_s(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd32(this, this.single(rs1), this.single(rs2), this.single(rs3), rm);
    this.finishSingle(rd, result, rs1, rs2, rs3);
  }

  /** rs1 * rs2 - rs3 */
  fmsub_s(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd32(this, this.single(rs1), this.single(rs2), -this.single(rs3), rm);
    this.finishSingle(rd, result, rs1, rs2, rs3);
  }

  /** -(rs1 * rs2) + rs3 */
  fnmsub_s(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd32(this, -this.single(rs1), this.single(rs2), this.single(rs3), rm);
    this.finishSingle(rd, result, rs1, rs2, rs3);
  }

  /** -(rs1 * rs2) - rs3 */
  fnmadd_s(rd: number, rs1: number, rs2: number, rs3: number, rm: number): void {
    const result = multiplyAdd32(this, -this.single(rs1), this.single(rs2), -this.single(rs3), rm);
    this.finishSingle(rd, result, rs1, rs2, rs3);
  }

  fsgnj_s(rd: number, rs1: number, rs2: number): void {
    this.writeSingleBits(rd, (this.singleBits(rs1) & ~SIGN) | (this.singleBits(rs2) & SIGN));
  }

  fsgnjn_s(rd: number, rs1: number, rs2: number): void {
    this.writeSingleBits(rd, (this.singleBits(rs1) & ~SIGN) | (~this.singleBits(rs2) & SIGN));
  }

  fsgnjx_s(rd: number, rs1: number, rs2: number): void {
    this.writeSingleBits(rd, this.singleBits(rs1) ^ (this.singleBits(rs2) & SIGN));
  }

  /** The smaller operand; -0 is smaller than +0, and a number is preferred to a NaN. */
  fmin_s(rd: number, rs1: number, rs2: number): void {
    this.signalSingles(rs1, rs2, rs2);
    const a = this.single(rs1);
    const b = this.single(rs2);
    const first = b !== b || a < b || (a === b && isNegative(a));
    this.writeSingle(rd, first ? a : b);
  }

  /** The larger operand; +0 is larger than -0, and a number is preferred to a NaN. */
  fmax_s(rd: number, rs1: number, rs2: number): void {
    this.signalSingles(rs1, rs2, rs2);
    const a = this.single(rs1);
    const b = this.single(rs2);
    const first = b !== b || a > b || (a === b && !isNegative(a));
    this.writeSingle(rd, first ? a : b);
  }

  /** Quiet: only a signaling NaN is invalid. */
  feq_s(rd: number, rs1: number, rs2: number): void {
    const a = this.single(rs1);
    const b = this.single(rs2);
    if (a !== a || b !== b) this.signalSingles(rs1, rs2, rs2);
    this.writeWord(rd, a === b ? 1 : 0);
  }

  /** Signaling: any NaN is invalid. */
  flt_s(rd: number, rs1: number, rs2: number): void {
    const a = this.single(rs1);
    const b = this.single(rs2);
    if (a !== a || b !== b) this.flags |= Flag.NV;
    this.writeWord(rd, a < b ? 1 : 0);
  }

  /** Signaling: any NaN is invalid. */
  fle_s(rd: number, rs1: number, rs2: number): void {
    const a = this.single(rs1);
    const b = this.single(rs2);
    if (a !== a || b !== b) this.flags |= Flag.NV;
    this.writeWord(rd, a <= b ? 1 : 0);
  }

  fclass_s(rd: number, rs1: number): void {
    this.writeWord(rd, classMask(this.singleBits(rs1), 0, 23));
  }

  fmv_x_w(rd: number, rs1: number): void {
    this.writeWord(rd, this.words[2 * rs1]!);
  }

  fmv_w_x(rd: number, rs1: number): void {
    this.writeSingleBits(rd, this.x[2 * rs1]!);
  }

  fcvt_w_s(rd: number, rs1: number, rm: number): void {
    this.writeWord(rd, toWord(this, this.single(rs1), rm));
  }

  fcvt_wu_s(rd: number, rs1: number, rm: number): void {
    this.writeWord(rd, toUnsignedWord(this, this.single(rs1), rm));
  }

  fcvt_l_s(rd: number, rs1: number, rm: number): void {
    toLong(this, this.single(rs1), rm, false, rd === 0 ? NOWHERE : this.x, 2 * rd);
  }

  fcvt_lu_s(rd: number, rs1: number, rm: number): void {
    toLong(this, this.single(rs1), rm, true, rd === 0 ? NOWHERE : this.x, 2 * rd);
  }

  fcvt_s_w(rd: number, rs1: number, rm: number): void {
    this.writeSingle(rd, roundToSingle(this, this.x[2 * rs1]!, rm));
  }

  fcvt_s_wu(rd: number, rs1: number, rm: number): void {
    this.writeSingle(rd, roundToSingle(this, this.x[2 * rs1]! >>> 0, rm));
  }

  fcvt_s_l(rd: number, rs1: number, rm: number): void {
    this.writeSingle(rd, longToSingle(this, this.x[2 * rs1 + 1]!, this.x[2 * rs1]!, rm));
  }

  fcvt_s_lu(rd: number, rs1: number, rm: number): void {
    this.writeSingle(rd, longToSingle(this, this.x[2 * rs1 + 1]! >>> 0, this.x[2 * rs1]!, rm));
  }
}
