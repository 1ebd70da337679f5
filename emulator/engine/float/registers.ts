// The floating-point unit's view of the register files, with NaN boxing and canonical NaNs.
// Source: unprivileged manual, chapter "D", "NaN Boxing of Narrower Values", and chapter "F", "NaN Generation and Propagation".
// Bits of NaNs are read and written as words only: a JavaScript engine may change a NaN that travels as a number.
// Must never write x0. Words are little-endian, as in WebAssembly memory; typed arrays are in the order of the host, which is
// the same on every host that JavaScript engines support.
import { Flag, type Accrued } from './ieee';

const BOX = -1;
const CANONICAL_32 = 0x7fc00000;
const CANONICAL_64_HIGH = 0x7ff80000;

export class FloatRegisters implements Accrued {
  /** fflags: exceptions accrue here until their owner clears them. */
  flags = 0;
  /** f0..f31 as binary64. */
  protected doubles: Float64Array = new Float64Array(32);
  /** Twice as many: f<i> as a single is element 2i. */
  protected singles: Float32Array = new Float32Array(this.doubles.buffer);
  /** f<i>: low word 2i, high word 2i + 1. */
  protected words: Int32Array = new Int32Array(this.doubles.buffer);
  /** x<i>: low word 2i, high word 2i + 1. */
  protected x: Int32Array = new Int32Array(64);

  /**
   * Binds the unit to register files: 32 registers of 64 bits each, low word first.
   * Call again whenever the buffer has been replaced (a growing WebAssembly memory detaches it).
   * @param fOffset byte offset of f0, a multiple of 8
   * @param xOffset byte offset of x0, a multiple of 4
   */
  rebind(buffer: ArrayBufferLike, fOffset: number, xOffset: number): void {
    this.doubles = new Float64Array(buffer, fOffset, 32);
    this.singles = new Float32Array(buffer, fOffset, 64);
    this.words = new Int32Array(buffer, fOffset, 64);
    this.x = new Int32Array(buffer, xOffset, 64);
  }

  /** The binary32 value of f<r>: NaN if it is not boxed. */
  protected single(r: number): number {
    return this.words[2 * r + 1] === BOX ? this.singles[2 * r]! : NaN;
  }

  /** The bits of the binary32 value of f<r>: the canonical NaN if it is not boxed. */
  protected singleBits(r: number): number {
    return this.words[2 * r + 1] === BOX ? this.words[2 * r]! : CANONICAL_32;
  }

  protected writeSingle(r: number, value: number): void {
    if (value === value) this.singles[2 * r] = value;
    else this.words[2 * r] = CANONICAL_32;
    this.words[2 * r + 1] = BOX;
  }

  protected writeSingleBits(r: number, bits: number): void {
    this.words[2 * r] = bits;
    this.words[2 * r + 1] = BOX;
  }

  protected writeDouble(r: number, value: number): void {
    if (value === value) this.doubles[r] = value;
    else {
      this.words[2 * r] = 0;
      this.words[2 * r + 1] = CANONICAL_64_HIGH;
    }
  }

  /** Writes an int32, sign-extended, to x<r>. */
  protected writeWord(r: number, value: number): void {
    if (r === 0) return;
    this.x[2 * r] = value;
    this.x[2 * r + 1] = value >> 31;
  }

  protected isSignalingSingle(r: number): boolean {
    const bits = this.singleBits(r);
    return (bits & 0x7fc00000) === 0x7f800000 && (bits & 0x3fffff) !== 0;
  }

  protected isSignalingDouble(r: number): boolean {
    const high = this.words[2 * r + 1]!;
    return (high & 0x7ff80000) === 0x7ff00000 && ((high & 0x7ffff) | this.words[2 * r]!) !== 0;
  }

  /** Raises NV if an operand is a signaling NaN; the check of every operation whose result came out as NaN. */
  protected signalSingles(rs1: number, rs2: number, rs3: number): void {
    if (this.isSignalingSingle(rs1) || this.isSignalingSingle(rs2) || this.isSignalingSingle(rs3))
      this.flags |= Flag.NV;
  }

  protected signalDoubles(rs1: number, rs2: number, rs3: number): void {
    if (this.isSignalingDouble(rs1) || this.isSignalingDouble(rs2) || this.isSignalingDouble(rs3))
      this.flags |= Flag.NV;
  }
}

/** A place for results whose destination is x0. */
export const NOWHERE = new Int32Array(2);

/**
 * The fclass mask of a number.
 * @param high the word with the sign, the exponent and the upper bits of the fraction
 * @param low the word below it (0 in binary32)
 * @param fractionBits how many bits of the fraction stand in `high`: 20 in binary64, 23 in binary32
 */
export function classMask(high: number, low: number, fractionBits: 20 | 23): number {
  const negative = high < 0;
  const exponent = (high & 0x7fffffff) >> fractionBits;
  const fraction = (high & ((1 << fractionBits) - 1)) | low;
  if (exponent === 0x7fffffff >> fractionBits) {
    if (fraction === 0) return negative ? 1 << 0 : 1 << 7;
    return (high >> (fractionBits - 1)) & 1 ? 1 << 9 : 1 << 8;
  }
  if (exponent !== 0) return negative ? 1 << 1 : 1 << 6;
  if (fraction !== 0) return negative ? 1 << 2 : 1 << 5;
  return negative ? 1 << 3 : 1 << 4;
}
