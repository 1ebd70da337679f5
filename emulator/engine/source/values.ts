/**
 * JavaScript expressions as the lowering puts them together, with constants folded. An integer expression always gives an int32
 * (never a uint32: beyond 2^31 that is no small integer, and V8 would box it at every call), a bool gives true or false.
 * The text of a value that is no atom stands in parentheses, so that no rule of precedence is needed anywhere.
 */

export interface Value {
  readonly code: string;
  /** Set where the value is known. */
  readonly literal?: number | boolean;
  /** A name or a literal: may be written twice. */
  readonly atom: boolean;
  /** A name that an assignment may give another value: it has to be copied where a statement keeps it. */
  readonly variable?: boolean;
  /** Of a bool: the expression of its negation, where that is no longer. */
  readonly opposite?: string;
}

export const name = (code: string): Value => ({ code, atom: true });
export const variable = (code: string): Value => ({ code, atom: true, variable: true });
/** A computation; is to be evaluated at most once. */
export const computed = (code: string): Value => ({ code: `(${code})`, atom: false });
const condition = (code: string, opposite: string): Value => ({ code, opposite, atom: false });
/** A read or call that needs no parentheses. */
export const access = (code: string): Value => ({ code, atom: false });

export function literal(value: number | boolean): Value {
  const code =
    typeof value === 'number' && (value < 0 || Object.is(value, -0))
      ? `(${Object.is(value, -0) ? '-0' : value})`
      : `${value}`;
  return { code, literal: value, atom: true };
}

export const ZERO = literal(0);
const FALSE = literal(false);

export const is = (value: Value, wanted: number | boolean): boolean => value.literal === wanted;
const number = (value: Value): number | undefined => (typeof value.literal === 'number' ? value.literal : undefined);

type Fold = (a: number, b: number) => number;

function folded(a: Value, b: Value, fold: Fold): Value | undefined {
  const [x, y] = [number(a), number(b)];
  return x === undefined || y === undefined ? undefined : literal(fold(x, y));
}

export const add = (a: Value, b: Value): Value =>
  is(a, 0) ? b : is(b, 0) ? a : (folded(a, b, (x, y) => (x + y) | 0) ?? computed(`(${a.code} + ${b.code}) | 0`));

export const subtract = (a: Value, b: Value): Value =>
  is(b, 0) ? a : (folded(a, b, (x, y) => (x - y) | 0) ?? computed(`(${a.code} - ${b.code}) | 0`));

export const multiply = (a: Value, b: Value): Value => {
  if (is(a, 0) || is(b, 0)) return ZERO;
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  return folded(a, b, Math.imul) ?? access(`Math.imul(${a.code}, ${b.code})`);
};

export const and = (a: Value, b: Value): Value => {
  if (is(a, 0) || is(b, 0)) return ZERO;
  if (is(a, -1)) return b;
  if (is(b, -1)) return a;
  return folded(a, b, (x, y) => x & y) ?? computed(`${a.code} & ${b.code}`);
};

export const or = (a: Value, b: Value): Value => {
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (is(a, -1) || is(b, -1)) return literal(-1);
  return folded(a, b, (x, y) => x | y) ?? computed(`${a.code} | ${b.code}`);
};

export const xor = (a: Value, b: Value): Value => {
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  if (is(b, -1)) return not(a);
  return folded(a, b, (x, y) => x ^ y) ?? computed(`${a.code} ^ ${b.code}`);
};

export const not = (a: Value): Value => {
  const x = number(a);
  return x === undefined ? computed(`~${a.code}`) : literal(~x);
};

export const negate = (a: Value): Value => subtract(ZERO, a);

/** Shifts by a count modulo 32, as JavaScript counts. */
export const shiftLeft = (a: Value, by: Value): Value =>
  is(a, 0) || is(by, 0) ? a : (folded(a, by, (x, y) => x << y) ?? computed(`${a.code} << ${by.code}`));
export const shiftRightSigned = (a: Value, by: Value): Value =>
  is(a, 0) || is(by, 0) ? a : (folded(a, by, (x, y) => x >> y) ?? computed(`${a.code} >> ${by.code}`));
export const shiftRightUnsigned = (a: Value, by: Value): Value => {
  if (is(a, 0) || is(by, 0)) return a;
  const known = folded(a, by, (x, y) => (x >>> y) | 0);
  if (known) return known;
  const count = number(by);
  // A known count that is not zero leaves the top bit clear.
  return count !== undefined && (count & 31) !== 0
    ? computed(`${a.code} >>> ${by.code}`)
    : computed(`(${a.code} >>> ${by.code}) | 0`);
};

/** The top bit in every bit. */
export const sign = (a: Value): Value => shiftRightSigned(a, literal(31));

/** The value as an unsigned number, to be compared or divided on the spot. */
export const unsigned = (a: Value): string => {
  const x = number(a);
  return x === undefined ? `(${a.code} >>> 0)` : `${x >>> 0}`;
};

const known = (a: Value, b: Value): boolean => a.literal !== undefined && b.literal !== undefined;

export const equal = (a: Value, b: Value): Value =>
  known(a, b) ? literal(a.literal === b.literal) : condition(`(${a.code} === ${b.code})`, `(${a.code} !== ${b.code})`);
export const different = (a: Value, b: Value): Value => negation(equal(a, b));
export const belowSigned = (a: Value, b: Value): Value =>
  known(a, b) ? literal(a.literal! < b.literal!) : condition(`(${a.code} < ${b.code})`, `(${a.code} >= ${b.code})`);
export const belowUnsigned = (a: Value, b: Value): Value => {
  if (is(b, 0)) return FALSE;
  const [x, y] = [number(a), number(b)];
  return x !== undefined && y !== undefined
    ? literal(x >>> 0 < y >>> 0)
    : condition(`(${unsigned(a)} < ${unsigned(b)})`, `(${unsigned(a)} >= ${unsigned(b)})`);
};

export const both = (a: Value, b: Value): Value => {
  if (is(a, false) || is(b, true)) return a;
  return is(a, true) ? b : computed(`${a.code} && ${b.code}`);
};
export const either = (a: Value, b: Value): Value => {
  if (is(a, true) || is(b, false)) return a;
  return is(a, false) ? b : computed(`${a.code} || ${b.code}`);
};

export const negation = (a: Value): Value => {
  if (a.literal !== undefined) return literal(!a.literal);
  return a.opposite === undefined ? computed(`!${a.code}`) : condition(a.opposite, a.code);
};

/** 0 or 1 of a bool. */
export const bit = (a: Value): Value =>
  a.literal === undefined ? computed(`${a.code} ? 1 : 0`) : literal(a.literal ? 1 : 0);

/** Either value by a bool; both may be evaluated lazily. */
export const select = (condition: Value, then: Value, otherwise: Value): Value => {
  if (condition.literal !== undefined) return condition.literal ? then : otherwise;
  if (then.code === otherwise.code && then.atom) return then;
  return computed(`${condition.code} ? ${then.code} : ${otherwise.code}`);
};
