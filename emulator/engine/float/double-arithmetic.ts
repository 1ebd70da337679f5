// Binary64 arithmetic on JavaScript numbers, with exact accrued exceptions.
// JavaScript computes +, -, *, / and Math.sqrt in binary64, rounded to nearest, ties to even (Math.sqrt: the language only
// asks for an approximation, every engine uses the processor's; the tests compare it). What is missing is whether the result
// was rounded; error-free transformations tell, inside a range where they hold. Once NX is set, a normal finite result under
// RNE can raise nothing new and the question is not asked. All else goes to exact.ts.
// The functions take operands that may be NaN or infinite and return a NaN of any payload: its sign and the invalid flag of
// signaling NaNs are the caller's, who sees the registers.
import { exactAdd, exactDivide, exactMultiply, exactMultiplyAdd, exactSquareRoot } from './exact';
import { Flag, MIN_NORMAL_64, productError, Rm, sumError, toOdd, type Accrued } from './ieee';

const SMALL = 2 ** -900;
const LARGE = 2 ** 990;

/** Neither an infinity nor a NaN. */
function isFinite64(value: number): boolean {
  return value - value === 0;
}

/** The result of an operation that overflowed in RNE. */
function overflow(state: Accrued, infinity: number): number {
  state.flags |= Flag.OF | Flag.NX;
  return infinity;
}

function invalid(state: Accrued): number {
  state.flags |= Flag.NV;
  return NaN;
}

/** a + b */
export function add64(state: Accrued, a: number, b: number, rm: number): number {
  const sum = a + b;
  if (isFinite64(sum)) {
    if (rm === Rm.RNE && state.flags & Flag.NX) return sum;
    if (Math.abs(a) < LARGE && Math.abs(b) < LARGE) {
      if (sumError(a, b, sum) === 0) {
        if (sum === 0 && rm === Rm.RDN) return Object.is(a, b) ? sum : -0;
        return sum;
      }
      if (rm === Rm.RNE) {
        state.flags |= Flag.NX;
        return sum;
      }
    }
    return exactAdd(state, a, b, rm);
  }
  if (sum !== sum) return a === a && b === b ? invalid(state) : NaN;
  if (!isFinite64(a) || !isFinite64(b)) return sum;
  return rm === Rm.RNE ? overflow(state, sum) : exactAdd(state, a, b, rm);
}

/** a * b */
export function multiply64(state: Accrued, a: number, b: number, rm: number): number {
  const product = a * b;
  const size = Math.abs(product);
  if (isFinite64(product)) {
    if (rm === Rm.RNE && state.flags & Flag.NX && size > MIN_NORMAL_64) return product;
    if (a === 0 || b === 0) return product;
    if (size > SMALL && Math.abs(a) < LARGE && Math.abs(b) < LARGE && size < LARGE) {
      if (productError(a, b, product) === 0) return product;
      if (rm === Rm.RNE) {
        state.flags |= Flag.NX;
        return product;
      }
    }
    return exactMultiply(state, a, b, rm);
  }
  if (product !== product) return a === a && b === b ? invalid(state) : NaN;
  if (!isFinite64(a) || !isFinite64(b)) return product;
  return rm === Rm.RNE ? overflow(state, product) : exactMultiply(state, a, b, rm);
}

/** a / b */
export function divide64(state: Accrued, a: number, b: number, rm: number): number {
  const quotient = a / b;
  const size = Math.abs(quotient);
  if (isFinite64(quotient)) {
    if (rm === Rm.RNE && state.flags & Flag.NX && size > MIN_NORMAL_64) return quotient;
    if (a === 0 || !isFinite64(b)) return quotient;
    const sizeA = Math.abs(a);
    const sizeB = Math.abs(b);
    if (size > SMALL && size < LARGE && sizeA > SMALL && sizeA < LARGE && sizeB > SMALL && sizeB < LARGE) {
      const product = quotient * b;
      if (product === a && productError(quotient, b, product) === 0) return quotient;
      if (rm === Rm.RNE) {
        state.flags |= Flag.NX;
        return quotient;
      }
    }
    return exactDivide(state, a, b, rm);
  }
  if (quotient !== quotient) return a === a && b === b ? invalid(state) : NaN;
  if (!isFinite64(a)) return quotient;
  if (b === 0) {
    state.flags |= Flag.DZ;
    return quotient;
  }
  return rm === Rm.RNE ? overflow(state, quotient) : exactDivide(state, a, b, rm);
}

/** The square root of a. */
export function squareRoot64(state: Accrued, a: number, rm: number): number {
  const root = Math.sqrt(a);
  if (root !== root) return a === a ? invalid(state) : NaN;
  if ((rm === Rm.RNE && state.flags & Flag.NX) || root === 0 || root === Infinity) return root;
  if (a > SMALL && a < LARGE) {
    const square = root * root;
    if (square === a && productError(root, root, square) === 0) return root;
    if (rm === Rm.RNE) {
      state.flags |= Flag.NX;
      return root;
    }
  }
  return exactSquareRoot(state, a, rm);
}

/**
 * a * b + c, rounded once (Boldo and Melquiond's algorithm, see `toOdd`). Infinity times zero is invalid even when c is a
 * quiet NaN (unprivileged manual, chapter "F", "Single-Precision Floating-Point Computational Instructions").
 */
export function multiplyAdd64(state: Accrued, a: number, b: number, c: number, rm: number): number {
  const product = a * b;
  if (!isFinite64(product) || !isFinite64(c)) return multiplyAddUnusual(state, a, b, c, rm);
  if (a === 0 || b === 0) return add64(state, product, c, rm);
  if (c === 0 && product !== 0) return multiply64(state, a, b, rm);
  const size = Math.abs(product);
  const sizeC = Math.abs(c);
  if (size > SMALL && size < LARGE && Math.abs(a) < LARGE && Math.abs(b) < LARGE && sizeC > SMALL && sizeC < LARGE) {
    const low = productError(a, b, product);
    const t = c + low;
    const tLow = sumError(c, low, t);
    const v = product + t;
    const vLow = sumError(product, t, v);
    const rest = tLow + vLow;
    const restError = sumError(tLow, vLow, rest);
    const odd = toOdd(rest, restError);
    const result = v + odd;
    const exact = restError === 0 && sumError(v, odd, result) === 0;
    if (exact && (result !== 0 || rm !== Rm.RDN)) return result;
    if (rm === Rm.RNE) {
      state.flags |= Flag.NX;
      return result;
    }
  }
  return exactMultiplyAdd(state, a, b, c, rm);
}

/** The rest of `multiplyAdd64`: an infinite or NaN operand, or a product too large for binary64. */
function multiplyAddUnusual(state: Accrued, a: number, b: number, c: number, rm: number): number {
  const product = a * b;
  if (product !== product && a === a && b === b) return invalid(state);
  const result = product + c;
  if (isFinite64(a) && isFinite64(b)) return isFinite64(c) ? exactMultiplyAdd(state, a, b, c, rm) : c;
  if (result !== result && product === product && c === c) return invalid(state);
  return result;
}
