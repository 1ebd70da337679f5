/**
 * Nodes of typed trees put together with what is known about their operands: constants are computed, conversions that undo one another
 * disappear. What comes out means the same as the node that was asked for. Floats are never computed here.
 */
import type { BinaryName, Expression, Type, UnaryName } from './ir';
import { eachExpression, eachStatement } from './walk';

type Constant = Extract<Expression, { kind: 'constant' }>;

export function constant(type: Constant['type'], value: bigint | boolean): Constant {
  if (type === 'bool') return { kind: 'constant', type, value: value ? 1n : 0n };
  return { kind: 'constant', type, value: BigInt.asIntN(type === 'i32' ? 32 : 64, BigInt(value)) };
}
const float = (type: 'f32' | 'f64', bits: bigint): Expression => ({
  kind: 'float',
  type,
  bits: BigInt.asUintN(type === 'f32' ? 32 : 64, bits),
});

export const isConstant = (e: Expression, value?: bigint): e is Constant =>
  e.kind === 'constant' && (value === undefined || e.value === value);

/** Conversions that undo one another whatever the value. */
const INVERSES: Partial<Record<UnaryName, readonly UnaryName[]>> = {
  asF64: ['asI64'],
  asI64: ['asF64'],
  asF32: ['asI32'],
  asI32: ['asF32'],
  low32: ['sext64', 'zext64'],
  '!': ['!'],
  '~': ['~'],
};

function leadingZeros(width: number, value: bigint): bigint {
  return BigInt(width - (value === 0n ? 0 : value.toString(2).length));
}

/** A unary operator of a constant; undefined where it is not computed here. */
function unaryOf(type: Type, name: UnaryName, { type: from, value }: Constant): Expression | undefined {
  const width = from === 'i32' ? 32 : 64;
  const bits = BigInt.asUintN(width, value);
  const integer = (result: bigint): Expression => constant(type as Constant['type'], result);
  switch (name) {
    case '-':
      return integer(-value);
    case '~':
      return integer(~value);
    case '!':
      return constant('bool', value === 0n);
    case 'clz':
      return integer(leadingZeros(width, bits));
    case 'ctz':
      return integer(bits === 0n ? BigInt(width) : leadingZeros(width, bits & -bits) * -1n + BigInt(width - 1));
    case 'popcnt':
      return integer(BigInt(bits.toString(2).replaceAll('0', '').length));
    case 'sext8':
    case 'sext16':
    case 'sext32':
      return integer(BigInt.asIntN(Number(name.slice(4)), value));
    case 'zext8':
    case 'zext16':
    case 'zext32':
      return integer(BigInt.asUintN(Number(name.slice(4)), value));
    case 'low32':
    case 'sext64':
    case 'bit':
      return integer(value);
    case 'zext64':
      return integer(from === 'bool' ? value : bits);
    case 'asF32':
    case 'asF64':
      return float(type as 'f32' | 'f64', value);
    default:
      return undefined;
  }
}

export function unary(type: Type, name: UnaryName, operand: Expression): Expression {
  if (operand.kind === 'constant') {
    const folded = unaryOf(type, name, operand);
    if (folded) return folded;
  }
  if (operand.kind === 'float' && (name === 'asI32' || name === 'asI64'))
    return constant(type as Constant['type'], operand.bits);
  if (operand.kind === 'unary' && INVERSES[name]?.includes(operand.name)) {
    const inner = operand.operand;
    return inner.type === 'bool' && name === 'low32' ? unary('i32', 'bit', inner) : inner;
  }
  return { kind: 'unary', type, name, operand };
}

/** The integer operators that are computed here. A shift's count is modulo the width. */
function binaryOf(width: number, name: BinaryName, left: bigint, right: bigint): bigint | boolean | undefined {
  const u = (value: bigint): bigint => BigInt.asUintN(width, value);
  const count = right & BigInt(width - 1);
  switch (name) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return left << count;
    case '>>s':
      return left >> count;
    case '>>u':
      return u(left) >> count;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<s':
      return left < right;
    case '<=s':
      return left <= right;
    case '<u':
      return u(left) < u(right);
    case '<=u':
      return u(left) <= u(right);
    default:
      return undefined;
  }
}

/** Are they the same reading of the same thing? */
export function same(a: Expression, b: Expression): boolean {
  if (a.kind !== b.kind || a.type !== b.type) return false;
  switch (a.kind) {
    case 'constant':
      return b.kind === a.kind && a.value === b.value;
    case 'local':
      return b.kind === a.kind && a.name === b.name;
    case 'floatRegister':
      return b.kind === a.kind && a.field === b.field;
    case 'unary':
      return b.kind === a.kind && a.name === b.name && same(a.operand, b.operand);
    case 'choice':
      return (
        b.kind === a.kind && same(a.condition, b.condition) && same(a.then, b.then) && same(a.otherwise, b.otherwise)
      );
    case 'binary':
      return b.kind === a.kind && a.name === b.name && same(a.left, b.left) && same(a.right, b.right);
    default:
      return false;
  }
}

/** The bits of x under a mask: (x & mask); undefined where it is something else. */
export function masked(e: Expression): { readonly x: Expression; readonly mask: bigint } | undefined {
  if (e.kind !== 'binary' || e.name !== '&' || e.right.kind !== 'constant') return undefined;
  return { x: e.left, mask: e.right.value };
}

/** Bits of one number put together again, or taken away from it. */
function rejoined(type: Type, name: BinaryName, left: Expression, right: Expression): Expression | undefined {
  const low = masked(right);
  if (low === undefined || (type !== 'i32' && type !== 'i64')) return undefined;
  if (name === '^' && same(left, low.x)) return binary(type, '&', left, constant(type, ~low.mask));
  const high = masked(left);
  if (name !== '|' || high === undefined) return undefined;
  const turned = low.x.kind === 'unary' && low.x.name === '~' && high.mask === ~low.mask;
  if (turned && same(high.x, low.x.operand)) return binary(type, '^', high.x, constant(type, low.mask));
  if (!same(high.x, low.x)) return undefined;
  return binary(type, '&', low.x, constant(type, high.mask | low.mask));
}

/** x op 0 == x */
const ZERO_RIGHT: ReadonlySet<BinaryName> = new Set(['+', '-', '|', '^', '<<', '>>s', '>>u']);

export function binary(type: Type, name: BinaryName, left: Expression, right: Expression): Expression {
  if (name === '&&' || name === '||') return logical(name, left, right);
  if (left.kind === 'constant' && right.kind === 'constant') {
    const value = binaryOf(left.type === 'i32' ? 32 : 64, name, left.value, right.value);
    if (value !== undefined) return constant(type as Constant['type'], value);
  }
  if (isConstant(right, 0n) && ZERO_RIGHT.has(name)) return left;
  if (isConstant(left, 0n) && (name === '+' || name === '|' || name === '^')) return right;
  if (name === '&' && isConstant(right, 0n) && pure(left)) return right;
  if (name === '&' && isConstant(right, -1n)) return left;
  if (name === '+' && right.kind === 'unary' && right.name === '-' && (type === 'f64' || type === 'f32'))
    return { kind: 'binary', type, name: '-', left, right: right.operand };
  const whole = rejoined(type, name, left, right);
  if (whole) return whole;
  return { kind: 'binary', type, name, left, right };
}

function logical(name: '&&' | '||', left: Expression, right: Expression): Expression {
  const decides = name === '||' ? 1n : 0n;
  if (left.kind === 'constant') return left.value === decides ? left : right;
  if (right.kind === 'constant') {
    if (right.value !== decides) return left;
    if (pure(left)) return right;
  }
  return { kind: 'binary', type: 'bool', name, left, right };
}

export function choice(condition: Expression, then: Expression, otherwise: Expression): Expression {
  if (condition.kind === 'constant') return condition.value ? then : otherwise;
  if (condition.kind === 'unary' && condition.name === '!') return choice(condition.operand, otherwise, then);
  const node = { kind: 'choice', type: then.type, condition, then, otherwise } as const;
  return isCold(otherwise) && !isCold(then) ? { ...node, likely: true } : node;
}

/** Does it call a function or raise flags, as only the slow sides of decisions do? */
function isCold(e: Expression): boolean {
  let cold = false;
  eachExpression(e, (inner) => {
    cold ||= inner.kind === 'call';
    if (inner.kind === 'block') eachStatement(inner.body, ({ kind }) => (cold ||= kind === 'raise'));
  });
  return cold;
}

/** Can the expression be left out: does it change nothing and never trap? */
export function pure(e: Expression): boolean {
  switch (e.kind) {
    case 'load':
    case 'loadFloat':
    case 'host':
    case 'call':
    case 'block':
    case 'rounding':
      return false;
    case 'unary':
      return pure(e.operand);
    case 'binary':
      return !/^[/%][su]$/.test(e.name) && pure(e.left) && pure(e.right);
    case 'choice':
      return pure(e.condition) && pure(e.then) && pure(e.otherwise);
    case 'intrinsic':
      return e.args.every(pure);
    default:
      return true;
  }
}
