/**
 * 64-bit integers as pairs of int32 values: the operators of the row language on them, computing only the halves that are asked
 * for. `Emitter` is where an operator puts what it needs twice.
 */
import * as v from './values';
import { literal, type Value } from './values';

/** Parts of a 64-bit value that someone reads. */
export const enum Part {
  NONE = 0,
  LOW = 1,
  HIGH = 2,
  BOTH = 3,
  /** The bits as a float64. */
  FLOAT = 4,
}

/** A half that was not asked for is not to be read: it is ABSENT. */
export interface Pair {
  readonly low: Value;
  readonly high: Value;
  /** Only where FLOAT was asked for. */
  readonly float?: Value;
}

/** Shows in the output if a half is read that was not asked for: no test would pass then, and no type check. */
export const ABSENT: Value = { code: 'ABSENT', atom: true };

export interface Emitter {
  /** Puts a value into a constant, unless it may be written twice as it is. */
  keep(value: Value): Value;
  emit(line: string): void;
  /** Declares variables for halves that branches assign. */
  declare(): Value;
  /** Calls a helper of support.ts that returns the low word and leaves the high one. */
  helper(name: string, args: readonly Value[], need: Part): Pair;
}

export const pair = (low: Value, high: Value): Pair => ({ low, high });

export function constant(value: bigint): Pair {
  return pair(literal(Number(BigInt.asIntN(32, value))), literal(Number(BigInt.asIntN(32, value >> 32n))));
}

export const zeroExtended = (low: Value): Pair => pair(low, v.ZERO);

export function signExtended(out: Emitter, low: Value, need: Part): Pair {
  if (!(need & Part.HIGH)) return pair(low, ABSENT);
  const kept = need & Part.LOW ? out.keep(low) : low;
  return pair(kept, v.sign(kept));
}

export function add(out: Emitter, a: Pair, b: Pair, need: Part): Pair {
  if (!(need & Part.HIGH)) return pair(v.add(a.low, b.low), ABSENT);
  if (v.is(b.low, 0)) return pair(a.low, v.add(a.high, b.high));
  if (v.is(a.low, 0)) return pair(b.low, v.add(a.high, b.high));
  // The sum carried when it is below either operand: the one that needs no constant of its own.
  const [first, second] = b.low.atom ? [b, a] : [a, b];
  const known = out.keep(first.low);
  const low = out.keep(v.add(first === a ? known : second.low, first === a ? second.low : known));
  return pair(low, v.add(v.add(a.high, b.high), v.bit(v.belowUnsigned(low, known))));
}

export function subtract(out: Emitter, a: Pair, b: Pair, need: Part): Pair {
  if (!(need & Part.HIGH)) return pair(v.subtract(a.low, b.low), ABSENT);
  if (v.is(b.low, 0)) return pair(a.low, v.subtract(a.high, b.high));
  const [x, y] = [out.keep(a.low), out.keep(b.low)];
  const borrow = v.bit(v.belowUnsigned(x, y));
  return pair(v.subtract(x, y), v.subtract(v.subtract(a.high, b.high), borrow));
}

export function multiply(out: Emitter, a: Pair, b: Pair, need: Part): Pair {
  if (!(need & Part.HIGH)) return pair(v.multiply(a.low, b.low), ABSENT);
  const [x, y] = [out.keep(a.low), out.keep(b.low)];
  const top = v.is(x, 0) || v.is(y, 0) ? v.ZERO : v.access(`multiplyHigh(${x.code}, ${y.code})`);
  const high = v.add(v.add(top, v.multiply(x, b.high)), v.multiply(a.high, y));
  return pair(v.multiply(x, y), high);
}

export const bitwise = (operator: typeof v.and, a: Pair, b: Pair, need: Part): Pair =>
  pair(need & Part.LOW ? operator(a.low, b.low) : ABSENT, need & Part.HIGH ? operator(a.high, b.high) : ABSENT);

/** What comes into a word from its neighbour when both move by a count below 32, 0 included. */
const fromBelow = (word: Value, by: Value): Value =>
  v.shiftRightUnsigned(v.shiftRightUnsigned(word, literal(1)), v.not(by));
const fromAbove = (word: Value, by: Value): Value => v.shiftLeft(v.shiftLeft(word, literal(1)), v.not(by));

/** Known counts: 0 … 63. */
function shiftLeftBy(out: Emitter, a: Pair, count: number, need: Part): Pair {
  if (count === 0) return a;
  if (count >= 32) return pair(v.ZERO, need & Part.HIGH ? v.shiftLeft(a.low, literal(count - 32)) : ABSENT);
  if (!(need & Part.HIGH)) return pair(v.shiftLeft(a.low, literal(count)), ABSENT);
  const low = out.keep(a.low);
  const carried = v.shiftRightUnsigned(low, literal(32 - count));
  return pair(v.shiftLeft(low, literal(count)), v.or(v.shiftLeft(a.high, literal(count)), carried));
}

function shiftRightBy(out: Emitter, a: Pair, count: number, need: Part, signed: boolean): Pair {
  if (count === 0) return a;
  const shift = signed ? v.shiftRightSigned : v.shiftRightUnsigned;
  const high = need & Part.LOW && need & Part.HIGH ? out.keep(a.high) : a.high;
  if (count >= 32) return pair(shift(high, literal(count - 32)), signed ? v.sign(high) : v.ZERO);
  const carried = v.shiftLeft(high, literal(32 - count));
  return pair(
    need & Part.LOW ? v.or(v.shiftRightUnsigned(a.low, literal(count)), carried) : ABSENT,
    need & Part.HIGH ? shift(high, literal(count)) : ABSENT,
  );
}

/** Assigns the halves that are needed in either branch of a test of the count's bit 5. */
function byCount(out: Emitter, by: Value, need: Part, far: Pair, near: Pair): Pair {
  const low = need & Part.LOW ? out.declare() : ABSENT;
  const high = need & Part.HIGH ? out.declare() : ABSENT;
  const assign = (p: Pair): string =>
    (need & Part.LOW ? `${low.code} = ${p.low.code}; ` : '') +
    (need & Part.HIGH ? `${high.code} = ${p.high.code}; ` : '');
  out.emit(`if ((${by.code} & 32) !== 0) { ${assign(far)}} else { ${assign(near)}}`);
  return pair(low, high);
}

export function shiftLeft(out: Emitter, a: Pair, by: Value, need: Part): Pair {
  if (typeof by.literal === 'number') return shiftLeftBy(out, a, by.literal & 63, need);
  const [n, x] = [out.keep(by), out.keep(a.low)];
  const near = pair(v.shiftLeft(x, n), need & Part.HIGH ? v.or(v.shiftLeft(a.high, n), fromBelow(x, n)) : ABSENT);
  return byCount(out, n, need, pair(v.ZERO, v.shiftLeft(x, n)), near);
}

export function shiftRight(out: Emitter, a: Pair, by: Value, need: Part, signed: boolean): Pair {
  if (typeof by.literal === 'number') return shiftRightBy(out, a, by.literal & 63, need, signed);
  const shift = signed ? v.shiftRightSigned : v.shiftRightUnsigned;
  const [n, x] = [out.keep(by), out.keep(a.high)];
  const near = pair(need & Part.LOW ? v.or(v.shiftRightUnsigned(a.low, n), fromAbove(x, n)) : ABSENT, shift(x, n));
  return byCount(out, n, need, pair(shift(x, n), signed ? v.sign(x) : v.ZERO), near);
}

/** To the left by a count; to the right is to the left by its negation. */
export function rotateLeft(out: Emitter, a: Pair, by: Value, need: Part): Pair {
  const n = out.keep(by);
  const [x, y] = [out.keep(a.low), out.keep(a.high)];
  const turned = (high: Value, low: Value): Value => v.or(v.shiftLeft(high, n), fromBelow(low, n));
  if (typeof n.literal === 'number') {
    const [low, high] = n.literal & 32 ? [y, x] : [x, y];
    // fromBelow folds `not(n)` for a known count too.
    return pair(turned(low, high), turned(high, low));
  }
  return byCount(out, n, need, pair(turned(y, x), turned(x, y)), pair(turned(x, y), turned(y, x)));
}

export const rotateLeft32 = (out: Emitter, a: Value, by: Value): Value => {
  const [x, n] = [out.keep(a), out.keep(by)];
  return v.or(v.shiftLeft(x, n), fromBelow(x, n));
};

export function equal(a: Pair, b: Pair): Value {
  if (v.is(b.low, 0) && v.is(b.high, 0)) return v.equal(v.or(a.low, a.high), v.ZERO);
  return v.both(v.equal(a.low, b.low), v.equal(a.high, b.high));
}

export function different(a: Pair, b: Pair): Value {
  if (v.is(b.low, 0) && v.is(b.high, 0)) return v.different(v.or(a.low, a.high), v.ZERO);
  return v.either(v.different(a.low, b.low), v.different(a.high, b.high));
}

export function below(out: Emitter, a: Pair, b: Pair, signed: boolean): Value {
  const highs = signed ? v.belowSigned : v.belowUnsigned;
  // The sign says it all.
  if (signed && v.is(b.low, 0) && v.is(b.high, 0)) return v.belowSigned(a.high, v.ZERO);
  if (v.is(a.high, 0) && v.is(b.high, 0)) return v.belowUnsigned(a.low, b.low);
  const [x, y] = [out.keep(a.high), out.keep(b.high)];
  return v.select(v.equal(x, y), v.belowUnsigned(a.low, b.low), highs(x, y));
}

/** Counts fit in the low word. */
export function leadingZeros(out: Emitter, a: Pair): Pair {
  const high = out.keep(a.high);
  const low = v.computed(`32 + Math.clz32(${a.low.code})`);
  return zeroExtended(v.select(v.equal(high, v.ZERO), low, v.access(`Math.clz32(${high.code})`)));
}

export function trailingZeros(out: Emitter, a: Pair): Pair {
  const low = out.keep(a.low);
  const above = v.computed(`32 + trailingZeros(${a.high.code})`);
  return zeroExtended(v.select(v.equal(low, v.ZERO), above, v.access(`trailingZeros(${low.code})`)));
}

export const population = (a: Pair): Pair =>
  zeroExtended(v.add(v.access(`population(${a.low.code})`), v.access(`population(${a.high.code})`)));

/** Sign or zero extension of the low `bits` to 64. */
export function extended(out: Emitter, a: Pair, bits: 8 | 16 | 32, signed: boolean, need: Part): Pair {
  const low = narrow(a.low, bits, signed);
  return signed ? signExtended(out, low, need) : zeroExtended(low);
}

/** The same within a word. */
export function narrow(a: Value, bits: number, signed: boolean): Value {
  if (bits === 32) return a;
  if (!signed) return v.and(a, literal(2 ** bits - 1));
  const by = literal(32 - bits);
  return v.shiftRightSigned(v.shiftLeft(a, by), by);
}
