// Conversions between integers and floating-point numbers (unprivileged manual, chapter "F", table "Domains of float-to-integer
// conversions and behavior for invalid inputs"). Integers of 64 bits are pairs of words; nothing allocates.
import { Flag, Rm, roundToSingle, sumError, toOdd, TWO_32, type Accrued } from './ieee';
import { add64 } from './double-arithmetic';

/** `value` rounded to an integer in the given mode; NaN and infinities stay what they are. */
export function roundToIntegral(value: number, rm: number): number {
  const whole = Math.trunc(value);
  if (whole === value || value !== value) return value;
  const step = value < 0 ? -1 : 1;
  switch (rm) {
    case Rm.RDN:
      return Math.floor(value);
    case Rm.RUP:
      return Math.ceil(value);
    case Rm.RTZ:
      return whole;
    default: {
      const rest = Math.abs(value - whole);
      const up = rest > 0.5 || (rest === 0.5 && (rm === Rm.RMM || whole % 2 !== 0));
      return up ? whole + step : whole;
    }
  }
}

/** `value` rounded to an integer; with NV, -Infinity below `least`, and Infinity from `limit` on and for NaN. */
function toInteger(state: Accrued, value: number, rm: number, least: number, limit: number): number {
  const integral = roundToIntegral(value, rm);
  if (integral < least) {
    state.flags |= Flag.NV;
    return -Infinity;
  }
  if (!(integral < limit)) {
    state.flags |= Flag.NV;
    return Infinity;
  }
  if (integral !== value) state.flags |= Flag.NX;
  return integral;
}

/** fcvt.w: an int32. */
export function toWord(state: Accrued, value: number, rm: number): number {
  const integer = toInteger(state, value, rm, -(2 ** 31), 2 ** 31);
  if (integer === Infinity) return 0x7fffffff;
  return integer === -Infinity ? -0x80000000 : integer | 0;
}

/** fcvt.wu: the 32 bits of a uint32, as int32. */
export function toUnsignedWord(state: Accrued, value: number, rm: number): number {
  const integer = toInteger(state, value, rm, 0, TWO_32);
  if (integer === Infinity) return -1;
  return integer === -Infinity ? 0 : integer | 0;
}

/** fcvt.l and fcvt.lu: writes the 64 bits into `x[at]` (low word) and `x[at + 1]`. */
export function toLong(state: Accrued, value: number, rm: number, unsigned: boolean, x: Int32Array, at: number): void {
  const integer = toInteger(state, value, rm, unsigned ? 0 : -(2 ** 63), unsigned ? 2 ** 64 : 2 ** 63);
  if (integer - integer === 0) {
    const high = Math.floor(integer / TWO_32);
    x[at] = integer - high * TWO_32;
    x[at + 1] = high;
  } else {
    x[at] = integer > 0 ? -1 : 0;
    if (unsigned) x[at + 1] = integer > 0 ? -1 : 0;
    else x[at + 1] = integer > 0 ? 0x7fffffff : -0x80000000;
  }
}

/** A 64-bit integer as binary64; the high word is an int32 of a signed integer, a uint32 of an unsigned one. */
export function longToDouble(state: Accrued, high: number, low: number, rm: number): number {
  // Both parts are exact; their sum is rounded once.
  return add64(state, high * TWO_32, low >>> 0, rm);
}

/** A 64-bit integer as binary32; words as in `longToDouble`. */
export function longToSingle(state: Accrued, high: number, low: number, rm: number): number {
  const upper = high * TWO_32;
  const lower = low >>> 0;
  const sum = upper + lower;
  return roundToSingle(state, toOdd(sum, sumError(upper, lower, sum)), rm);
}
