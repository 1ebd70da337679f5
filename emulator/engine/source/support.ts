/**
 * What generated code calls for operators that have no short form on 32-bit words: multiplication and division of 64-bit integers as
 * pairs of int32, exact, without BigInt, because guest code divides in its inner loops. A 64-bit result is the low word returned and
 * the high one in `words[0]`, a typed array because a variable of a module would box integers beyond V8's small ones.
 * Not an instruction in sight: division by zero and overflow are the rows' business and undefined here.
 */

const scratch = new ArrayBuffer(8);
/** High word of the last 64-bit result; also the words of a float64 that changes its type. */
export const words = new Int32Array(scratch);
export const doubles = new Float64Array(scratch);
export const singles = new Float32Array(scratch);

/** High 32 bits of the unsigned product of two words. */
export function multiplyHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const lowHigh = Math.imul(al, bh) >>> 0;
  const highLow = Math.imul(ah, bl) >>> 0;
  const middle = (Math.imul(al, bl) >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff);
  return (Math.imul(ah, bh) + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)) | 0;
}

export function trailingZeros(a: number): number {
  return a === 0 ? 32 : 31 - Math.clz32(a & -a);
}

/** Bits that are set: summed in pairs, nibbles, bytes. */
export function population(a: number): number {
  const pairs = a - ((a >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const TWO_32 = 2 ** 32;
/** Below 2^20 in the high word: the quotient of doubles is at most one off, and its product is exact. */
const EXACT_HIGH = 2 ** 20;
/** Pulls an estimate below the true quotient: more than the three roundings it went through can have added. */
const BELOW_ONE = 1 - 2 ** -50;

function answer(low: number, high: number): number {
  words[0] = high;
  return low;
}

/** Of an exact whole number from 0 to 2^53. */
function answerWhole(value: number): number {
  return answer(value | 0, (value / TWO_32) | 0);
}

function answerNegated(low: number, high: number): number {
  return answer(-low | 0, (~high + (low === 0 ? 1 : 0)) | 0);
}

/** The quotient, or with `rest` the remainder. */
function divide(al: number, ah: number, bl: number, bh: number, rest: boolean): number {
  if ((ah | bh) === 0) return answer((rest ? (al >>> 0) % (bl >>> 0) : (al >>> 0) / (bl >>> 0)) | 0, 0);
  if (ah >>> 0 < EXACT_HIGH && bh >>> 0 < EXACT_HIGH) {
    const a = ah * TWO_32 + (al >>> 0);
    const b = bh * TWO_32 + (bl >>> 0);
    const quotient = Math.floor(a / b);
    const left = a - quotient * b;
    // The estimate was rounded up to the next whole number.
    if (left < 0) return answerWhole(rest ? left + b : quotient - 1);
    return answerWhole(rest ? left : quotient);
  }
  return bh === 0 ? shortDivide(al, ah, bl >>> 0, rest) : longDivide(al, ah, bl, bh, rest);
}

/** Divisor below 2^32: schoolbook with a digit of 32 and two of 16 bits, each step exact in doubles. */
function shortDivide(al: number, ah: number, divisor: number, rest: boolean): number {
  const top = ((ah >>> 0) / divisor) >>> 0;
  const a1 = ((ah >>> 0) - top * divisor) * 65536 + (al >>> 16);
  const q1 = Math.floor(a1 / divisor);
  const a0 = (a1 - q1 * divisor) * 65536 + (al & 0xffff);
  const q0 = Math.floor(a0 / divisor);
  return rest ? answer((a0 - q0 * divisor) | 0, 0) : answer((q1 << 16) | q0, top | 0);
}

/** Divisor of 2^32 or more: the quotient has 32 bits, and an estimate that is never too large is at most one too small. */
function longDivide(al: number, ah: number, bl: number, bh: number, rest: boolean): number {
  const a = (ah >>> 0) * TWO_32 + (al >>> 0);
  const b = (bh >>> 0) * TWO_32 + (bl >>> 0);
  const quotient = Math.floor((a / b) * BELOW_ONE) | 0;
  const product = Math.imul(quotient, bl);
  const low = (al - product) | 0;
  const high = (ah - multiplyHigh(quotient, bl) - Math.imul(quotient, bh) - (al >>> 0 < product >>> 0 ? 1 : 0)) | 0;
  const exact = high >>> 0 < bh >>> 0 || (high === bh && low >>> 0 < bl >>> 0);
  if (!rest) return answer(exact ? quotient : (quotient + 1) | 0, 0);
  return exact ? answer(low, high) : answer((low - bl) | 0, (high - bh - (low >>> 0 < bl >>> 0 ? 1 : 0)) | 0);
}

export function divideUnsigned(al: number, ah: number, bl: number, bh: number): number {
  return divide(al, ah, bl, bh, false);
}

export function remainderUnsigned(al: number, ah: number, bl: number, bh: number): number {
  return divide(al, ah, bl, bh, true);
}

/** Of magnitudes. */
function divideSizes(al: number, ah: number, bl: number, bh: number, rest: boolean): number {
  if (ah < 0) {
    ah = (~ah + (al === 0 ? 1 : 0)) | 0;
    al = -al | 0;
  }
  if (bh < 0) {
    bh = (~bh + (bl === 0 ? 1 : 0)) | 0;
    bl = -bl | 0;
  }
  return divide(al, ah, bl, bh, rest);
}

export function quotientSigned(al: number, ah: number, bl: number, bh: number): number {
  const low = divideSizes(al, ah, bl, bh, false);
  return (ah ^ bh) < 0 ? answerNegated(low, words[0]!) : low;
}

export function remainderSigned(al: number, ah: number, bl: number, bh: number): number {
  const low = divideSizes(al, ah, bl, bh, true);
  return ah < 0 ? answerNegated(low, words[0]!) : low;
}
