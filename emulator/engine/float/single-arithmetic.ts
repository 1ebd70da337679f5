// Binary32 arithmetic on JavaScript numbers, with exact accrued exceptions, in every rounding mode and without BigInt.
// Binary64 has room enough: nothing overflows or underflows in it, and a product of binary32 numbers is exact. An inexact sum is
// rounded to odd first, so that rounding to binary32 afterwards is rounding once (see `toOdd`). Quotients and square roots need
// not even that: where they are not exact they differ from every number of 25 bits, hence from every binary32 number, from every
// tie between two and from every threshold, by more than 2^-52 of themselves (a - m*b and a - m*m are multiples of the product of
// the operands' last places), and so rounding to binary64 takes them neither onto such a number nor across it.
// NaNs as in double-arithmetic.ts.
import { Flag, MIN_NORMAL_32, Rm, roundToSingle, sumError, toOdd, type Accrued } from './ieee';

function isFinite64(value: number): boolean {
  return value - value === 0;
}

function invalid(state: Accrued): number {
  state.flags |= Flag.NV;
  return NaN;
}

/** a + b, where each is a binary32 number or the exact product of two. */
export function add32(state: Accrued, a: number, b: number, rm: number): number {
  const sum = a + b;
  if (!isFinite64(sum)) return sum !== sum && a === a && b === b ? invalid(state) : sum;
  if (sum === 0 && rm === Rm.RDN) return Object.is(a, b) ? sum : -0;
  return roundToSingle(state, toOdd(sum, sumError(a, b, sum)), rm);
}

/** a * b */
export function multiply32(state: Accrued, a: number, b: number, rm: number): number {
  const product = a * b;
  if (!isFinite64(product)) return product !== product && a === a && b === b ? invalid(state) : product;
  if (rm === Rm.RNE && state.flags & Flag.NX) {
    const result = Math.fround(product);
    if (Math.abs(result) > MIN_NORMAL_32 && isFinite64(result)) return result;
  }
  return roundToSingle(state, product, rm);
}

/** a * b + c, rounded once; infinity times zero is invalid even when c is a quiet NaN. */
export function multiplyAdd32(state: Accrued, a: number, b: number, c: number, rm: number): number {
  const product = a * b;
  if (product !== product && a === a && b === b) return invalid(state);
  return add32(state, product, c, rm);
}

/** a / b */
export function divide32(state: Accrued, a: number, b: number, rm: number): number {
  const quotient = a / b;
  if (!isFinite64(quotient)) {
    if (quotient !== quotient) return a === a && b === b ? invalid(state) : NaN;
    if (isFinite64(a)) state.flags |= Flag.DZ;
    return quotient;
  }
  return roundToSingle(state, quotient, rm);
}

/** The square root of a. */
export function squareRoot32(state: Accrued, a: number, rm: number): number {
  const root = Math.sqrt(a);
  if (root !== root) return a === a ? invalid(state) : NaN;
  if (root === 0 || root === Infinity) return root;
  return roundToSingle(state, root, rm);
}
