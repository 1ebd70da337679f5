// The slow path of binary64: any finite operands, any rounding mode, by integer arithmetic on exact values.
// It uses BigInt, which allocates: it is reached only by results that are subnormal or near it, by overflow, and by inexact
// results in a rounding mode other than RNE. Compilers emit none of these in ordinary code, and one general algorithm that is
// plainly right is worth more here than speed. Binary32 never comes here (see single-arithmetic.ts).
import { Flag, highWord, isNegative, lowWord, powerOfTwo, Rm, roundsAway, type Accrued } from './ieee';

/** The value (-1)^negative * significand * 2^exponent. */
interface Exact {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

const PRECISION = 53;
/** Exponents of the least significant bit of a subnormal, of the smallest normal number, and of the first power too large. */
const LEAST = -1074;
const MIN_EXPONENT = -1022;
const MAX_EXPONENT = 1023;

/** Takes a finite number apart. */
function exactly(value: number): Exact {
  const high = highWord(value);
  const biased = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(lowWord(value) >>> 0);
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  return { negative: high < 0, significand, exponent: Math.max(biased, 1) - 1075 };
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28;
}

/** `significand >> shift`, rounded. */
function shiftRounded(significand: bigint, shift: number, negative: boolean, rm: number): bigint {
  if (shift <= 0) return significand << BigInt(-shift);
  const kept = significand >> BigInt(shift);
  const rest = significand - (kept << BigInt(shift));
  if (rest === 0n) return kept;
  const half = 1n << BigInt(shift - 1);
  const up =
    rm === Rm.RNE
      ? rest > half || (rest === half && (kept & 1n) === 1n)
      : rm === Rm.RMM
        ? rest >= half
        : roundsAway(rm, negative);
  return up ? kept + 1n : kept;
}

/** The number nearest in the rounding mode, with OF, UF (tininess after rounding) and NX. */
function round(state: Accrued, { negative, significand, exponent }: Exact, rm: number): number {
  const sign = negative ? -1 : 1;
  if (significand === 0n) return sign * 0;
  const leading = exponent + bitLength(significand) - 1;
  const quantum = Math.max(leading - PRECISION + 1, LEAST);
  const kept = shiftRounded(significand, quantum - exponent, negative, rm);
  const inexact = quantum > exponent && kept << BigInt(quantum - exponent) !== significand;
  if (inexact) state.flags |= Flag.NX;
  if (kept !== 0n && quantum + bitLength(kept) - 1 > MAX_EXPONENT) {
    state.flags |= Flag.OF | Flag.NX;
    const infinite = rm === Rm.RNE || rm === Rm.RMM || roundsAway(rm, negative);
    return sign * (infinite ? Infinity : Number.MAX_VALUE);
  }
  if (inexact && leading < MIN_EXPONENT) {
    const unbounded = shiftRounded(significand, leading - PRECISION + 1 - exponent, negative, rm);
    if (leading - PRECISION + bitLength(unbounded) < MIN_EXPONENT) state.flags |= Flag.UF;
  }
  return sign * Number(kept) * powerOfTwo(quantum);
}

function multiply(a: Exact, b: Exact): Exact {
  return {
    negative: a.negative !== b.negative,
    significand: a.significand * b.significand,
    exponent: a.exponent + b.exponent,
  };
}

function add(state: Accrued, a: Exact, b: Exact, rm: number): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const signed = ({ negative, significand, exponent: from }: Exact) =>
    (negative ? -significand : significand) << BigInt(from - exponent);
  const sum = signed(a) + signed(b);
  // A sum of zero is negative when both terms are, or when terms of opposite sign cancel under RDN.
  const negative = sum === 0n ? (a.negative === b.negative ? a.negative : rm === Rm.RDN) : sum < 0n;
  return round(state, { negative, significand: sum < 0n ? -sum : sum, exponent }, rm);
}

/** a + b; both finite. */
export function exactAdd(state: Accrued, a: number, b: number, rm: number): number {
  return add(state, exactly(a), exactly(b), rm);
}

/** a * b; both finite. */
export function exactMultiply(state: Accrued, a: number, b: number, rm: number): number {
  return round(state, multiply(exactly(a), exactly(b)), rm);
}

/** a * b + c, rounded once; all finite. */
export function exactMultiplyAdd(state: Accrued, a: number, b: number, c: number, rm: number): number {
  return add(state, multiply(exactly(a), exactly(b)), exactly(c), rm);
}

/** a / b; both finite, b not 0. */
export function exactDivide(state: Accrued, a: number, b: number, rm: number): number {
  const [x, y] = [exactly(a), exactly(b)];
  // 120 bits more leave a quotient of at least 67; a last bit stands for all that follow.
  const dividend = x.significand << 120n;
  const quotient = dividend / y.significand;
  const sticky = quotient * y.significand === dividend ? 0n : 1n;
  const significand = (quotient << 1n) | sticky;
  return round(
    state,
    { negative: x.negative !== y.negative, significand, exponent: x.exponent - y.exponent - 121 },
    rm,
  );
}

/** The square root of a; finite, not negative. */
export function exactSquareRoot(state: Accrued, a: number, rm: number): number {
  const { significand, exponent } = exactly(a);
  if (significand === 0n) return isNegative(a) ? -0 : 0;
  const shift = 120 + (exponent & 1);
  const radicand = significand << BigInt(shift);
  const root = integerRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return round(
    state,
    { negative: false, significand: (root << 1n) | sticky, exponent: (exponent - shift) / 2 - 1 },
    rm,
  );
}

/** The largest integer whose square is at most `value` (Newton from above). */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) >> 1) + 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
