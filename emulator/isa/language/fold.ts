/**
 * Nodes of typed trees put together with what is known about their operands: constants are computed, conversions that undo one another
 * disappear. What comes out means the same as the node that was asked for. Floats are never computed here.
 */
import type { BinaryName, Expression, Type, UnaryName } from './ir';

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
  return { kind: 'choice', type: then.type, condition, then, otherwise };
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
    case 'fused':
      return e.args.every(pure);
    default:
      return true;
  }
}
