// The vocabulary of the floating-point unit and the pieces of binary64 arithmetic that both precisions stand on.
// Source: unprivileged manual, chapter "F", "Floating-Point Control and Status Register"; IEEE 754-2019.
// Nothing here may allocate, and nothing may depend on the payload of a NaN held in a JavaScript number.

/** Rounding modes, as encoded in rm and frm (DYN must be resolved before it gets here). */
export const enum Rm {
  RNE = 0,
  RTZ = 1,
  RDN = 2,
  RUP = 3,
  RMM = 4,
}

/** Accrued exceptions, as in fflags. */
export const enum Flag {
  NX = 1,
  UF = 2,
  OF = 4,
  DZ = 8,
  NV = 16,
}

/** Whatever accrues exceptions: operations OR into it. */
export interface Accrued {
  flags: number;
}

export const TWO_32 = 4294967296;
/** Smallest normal binary64. */
export const MIN_NORMAL_64 = 2.2250738585072014e-308;
/** Smallest normal binary32. */
export const MIN_NORMAL_32 = 1.1754943508222875e-38;

/** One number seen as binary64 words: `words[0]` is the low one. Scratch space: valid until the next call that uses it. */
const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);
/** One number seen as a binary32 word. */
const singles = new Float32Array(1);
const singleWord = new Int32Array(singles.buffer);

/** The power of two with the given exponent, -1074 to 1023. */
export function powerOfTwo(exponent: number): number {
  if (exponent >= -1022) {
    words[0] = 0;
    words[1] = (exponent + 1023) << 20;
  } else {
    const bit = exponent + 1074;
    words[0] = bit < 32 ? 1 << bit : 0;
    words[1] = bit < 32 ? 0 : 1 << (bit - 32);
  }
  return doubles[0]!;
}

/** High word of a number's binary64 encoding. */
export function highWord(value: number): number {
  doubles[0] = value;
  return words[1]!;
}

/** Low word of a number's binary64 encoding. */
export function lowWord(value: number): number {
  doubles[0] = value;
  return words[0]!;
}

/** Is the sign bit of a number that is not a NaN set? */
export function isNegative(value: number): boolean {
  return value < 0 || (value === 0 && 1 / value < 0);
}

/**
 * The rounding error of `sum = a + b` (Knuth's TwoSum): a + b - sum, exactly.
 * Holds when nothing overflows, which is sure for |a|, |b| < 2^1022.
 */
export function sumError(a: number, b: number, sum: number): number {
  const bb = sum - a;
  return a - (sum - bb) + (b - bb);
}

/**
 * The rounding error of `product = a * b` (Dekker, with Veltkamp's splitting): a * b - product, exactly.
 * Holds for |a|, |b| < 2^990 and 2^-960 < |product| < 2^1020.
 */
export function productError(a: number, b: number, product: number): number {
  const ca = 134217729 * a; // 2^27 + 1
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = 134217729 * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/**
 * Turns `value`, which is x rounded to nearest, into x rounded to odd: of the two neighbours of an x that is not
 * representable, the one whose last bit is 1. A value so rounded can be rounded once more, to a precision that is at least
 * two bits less, as if x itself were rounded (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
 * @param error has the sign of x - value, and is 0 only if they are equal
 */
export function toOdd(value: number, error: number): number {
  if (error === 0) return value;
  doubles[0] = value;
  const low = words[0]!;
  if (low & 1) return value;
  if (error > 0 === value > 0) words[0] = low | 1;
  else {
    words[0] = low - 1;
    if (low === 0) words[1]! -= 1;
  }
  return doubles[0]!;
}

/** The binary32 number whose magnitude is one step larger (step 1) or smaller (-1); 0 keeps its sign. */
function stepSingle(value: number, step: 1 | -1): number {
  singles[0] = value;
  singleWord[0]! += step;
  return singles[0]!;
}

/** Does a rounding mode take an inexact result of that sign away from zero? */
export function roundsAway(rm: number, negative: boolean): boolean {
  return negative ? rm === Rm.RDN : rm === Rm.RUP;
}

/**
 * Rounds to binary32, with all flags.
 * @param value the exact result, finite; or that result rounded to odd in binary64
 */
export function roundToSingle(state: Accrued, value: number, rm: number): number {
  let result = Math.fround(value);
  if (result === value) return result;
  state.flags |= Flag.NX;
  const size = Math.abs(value);
  const negative = value < 0;
  const away = roundsAway(rm, negative);
  const tooLarge = Math.abs(result) > size;
  if (rm === Rm.RMM) {
    const next = stepSingle(result, 1);
    if (!tooLarge && Math.abs(next) - size === size - Math.abs(result)) result = next;
  } else if (rm !== Rm.RNE) {
    if (away && !tooLarge) result = stepSingle(result, 1);
    else if (!away && tooLarge) result = stepSingle(result, -1);
  }
  if (result === Infinity || result === -Infinity || size >= 2 ** 128) state.flags |= Flag.OF;
  else if (size < MIN_NORMAL_32 && isTiny(size, rm, away)) state.flags |= Flag.UF;
  return result;
}

/** 2^-126 - 2^-151 is where rounding to nearest with an unbounded exponent starts to reach 2^-126. */
const NEAREST_REACHES_NORMAL = MIN_NORMAL_32 * (1 - 2 ** -25);
const LARGEST_BELOW_NORMAL = MIN_NORMAL_32 * (1 - 2 ** -24);

/** Tininess after rounding: would the result, rounded with an unbounded exponent, lie below the smallest normal number? */
function isTiny(size: number, rm: number, away: boolean): boolean {
  if (rm === Rm.RNE || rm === Rm.RMM) return size < NEAREST_REACHES_NORMAL;
  return away ? size <= LARGEST_BELOW_NORMAL : true;
}
