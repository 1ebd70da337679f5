/** Numbers as C computes with them: types, promotions and conversions (C17, section 6.3.1), on the LP64 data model. */
import { strip, type BaseType, type Type } from '../../symbols/dwarf/info/model';
import { decodeFloat, encodeFloat } from '../variables/floats';
import { integerOf, isScalar, isSigned } from '../variables/scalars';
import { toBytes } from '../variables/place';

const base = (name: string, size: number, encoding: BaseType['encoding']): BaseType => ({
  kind: 'base',
  name,
  size,
  encoding,
});

export const INT = base('int', 4, 'signed');
export const UNSIGNED_INT = base('unsigned int', 4, 'unsigned');
export const LONG = base('long', 8, 'signed');
export const UNSIGNED_LONG = base('unsigned long', 8, 'unsigned');
export const FLOAT = base('float', 4, 'float');
export const DOUBLE = base('double', 8, 'float');
const INT128 = base('__int128', 16, 'signed');
const UNSIGNED_INT128 = base('unsigned __int128', 16, 'unsigned');

/** The types that every C program can name, used by a debugger or not. */
export const BUILT_IN: ReadonlyMap<string, Type> = new Map<string, Type>(
  [
    base('char', 1, 'unsignedChar'), // plain char is unsigned on RISC-V
    base('signed char', 1, 'char'),
    base('unsigned char', 1, 'unsignedChar'),
    base('short', 2, 'signed'),
    base('unsigned short', 2, 'unsigned'),
    INT,
    UNSIGNED_INT,
    LONG,
    UNSIGNED_LONG,
    base('long long', 8, 'signed'),
    base('unsigned long long', 8, 'unsigned'),
    FLOAT,
    DOUBLE,
    base('long double', 16, 'float'),
    base('_Bool', 1, 'boolean'),
  ].map((type): [string, Type] => [type.name, type]),
);

/** A number with its C type. */
export type NumberValue =
  | { readonly type: BaseType; readonly kind: 'integer'; readonly integer: bigint }
  | { readonly type: BaseType; readonly kind: 'float'; readonly float: number };

/** An integer wrapped to its type. */
export function integer(type: BaseType, value: bigint): NumberValue {
  const bits = 8 * type.size;
  return { type, kind: 'integer', integer: isSigned(type) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value) };
}

export function float(type: BaseType, value: number): NumberValue {
  return { type, kind: 'float', float: type.size === 4 ? Math.fround(value) : value };
}

export const toNumber = (value: NumberValue): number =>
  value.kind === 'integer' ? Number(value.integer) : value.float;

/** The bytes of an arithmetic or enumeration type as a number; undefined for other types. */
export function numberFrom(type: Type, bytes: Uint8Array, bits?: number): NumberValue | undefined {
  const actual = strip(type);
  if (!isScalar(actual) || actual.kind === 'pointer') return undefined;
  if (actual.kind === 'base' && actual.encoding === 'float') {
    const value = decodeFloat(bytes);
    return value === undefined ? undefined : { type: actual, kind: 'float', float: value };
  }
  if (actual.kind === 'base' && (actual.encoding === 'complex' || actual.encoding === 'other')) return undefined;
  const value = integerOf(actual, bytes, bits);
  const own = actual.kind === 'enum' ? integerType(actual.size, isSigned(actual)) : actual;
  // A bit field narrower than int promotes to int whatever its sign.
  if (bits !== undefined && bits < 32) return { type: INT, kind: 'integer', integer: value };
  return { type: own, kind: 'integer', integer: value };
}

function integerType(size: number, signed: boolean): BaseType {
  if (size > 8) return signed ? INT128 : UNSIGNED_INT128;
  if (size > 4) return signed ? LONG : UNSIGNED_LONG;
  return signed || size < 4 ? INT : UNSIGNED_INT;
}

/** Integer promotion: what is narrower than int becomes int. */
export function promote(value: NumberValue): NumberValue {
  if (value.kind === 'float' || value.type.size >= 4) return value;
  return integer(INT, value.integer);
}

/** The usual arithmetic conversions: the type both operands of an operator are converted to. */
export function commonType(left: NumberValue, right: NumberValue): BaseType {
  const [a, b] = [promote(left), promote(right)];
  if (a.kind === 'float' || b.kind === 'float') {
    const sizes = [a, b].map((value) => (value.kind === 'float' ? value.type.size : 0));
    return Math.max(...sizes) > 4 ? DOUBLE : FLOAT;
  }
  if (a.type.size !== b.type.size) return a.type.size > b.type.size ? a.type : b.type;
  return isSigned(a.type) ? b.type : a.type;
}

/** Converts a number to an arithmetic type, as an assignment does. */
export function convert(value: NumberValue, type: BaseType): NumberValue {
  if (type.encoding === 'float') return float(type, toNumber(value));
  if (type.encoding === 'boolean') return integer(type, toNumber(value) === 0 ? 0n : 1n);
  if (value.kind === 'integer') return integer(type, value.integer);
  return integer(type, Number.isFinite(value.float) ? BigInt(Math.trunc(value.float)) : 0n);
}

export function bytesOf(value: NumberValue): Uint8Array {
  if (value.kind === 'integer') return toBytes(value.integer, value.type.size);
  return encodeFloat(value.float, value.type.size) ?? new Uint8Array(value.type.size);
}

/** Applies a binary arithmetic operator after conversion to a common type; undefined is a division by zero. */
export function compute(operator: string, left: NumberValue, right: NumberValue): NumberValue | undefined {
  const type = operator === '<<' || operator === '>>' ? promote(left).type : commonType(left, right);
  const a = convert(left, type);
  const b = operator === '<<' || operator === '>>' ? right : convert(right, type);
  if (a.kind === 'float' && b.kind === 'float') return computeFloat(operator, type, a.float, b.float);
  if (a.kind !== 'integer' || b.kind !== 'integer') return undefined;
  return computeInteger(operator, type, a.integer, b.integer);
}

function computeFloat(operator: string, type: BaseType, a: number, b: number): NumberValue | undefined {
  switch (operator) {
    case '+':
      return float(type, a + b);
    case '-':
      return float(type, a - b);
    case '*':
      return float(type, a * b);
    case '/':
      return float(type, a / b);
    default:
      return truth(ordered(operator, a, b));
  }
}

function computeInteger(operator: string, type: BaseType, a: bigint, b: bigint): NumberValue | undefined {
  const amount = BigInt.asUintN(8, b) % BigInt(8 * type.size);
  switch (operator) {
    case '+':
      return integer(type, a + b);
    case '-':
      return integer(type, a - b);
    case '*':
      return integer(type, a * b);
    case '/':
      return b === 0n ? undefined : integer(type, a / b);
    case '%':
      return b === 0n ? undefined : integer(type, a % b);
    case '&':
      return integer(type, a & b);
    case '|':
      return integer(type, a | b);
    case '^':
      return integer(type, a ^ b);
    case '<<':
      return integer(type, a << amount);
    case '>>':
      return integer(type, a >> amount);
    default:
      return truth(ordered(operator, a, b));
  }
}

export function ordered(operator: string, a: bigint | number, b: bigint | number): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

export const truth = (value: boolean): NumberValue => integer(INT, value ? 1n : 0n);
