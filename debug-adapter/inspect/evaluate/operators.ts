/** Operators on scalars: arithmetic, comparisons and casts, on numbers and on pointers. */
import { pointerTo, sizeOf, strip, typeName, VOID, type PointerType, type Type } from '../../symbols/dwarf/info/model';
import { toBytes, valuePlace } from '../variables/place';
import { Value } from '../variables/value';
import { errors } from './errors';
import {
  bytesOf,
  compute,
  convert,
  integer,
  LONG,
  numberFrom,
  ordered,
  toNumber,
  truth,
  UNSIGNED_LONG,
  type NumberValue,
} from './numbers';

const POINTER_BYTES = 8;

/** What a value is called in a message. */
const called = (value: Value): string => value.name || 'It';

/** The address a pointer holds or an array starts at, and the type that is there. */
export function pointerOf(value: Value, column: number): { address: bigint; target: Type } {
  const type = strip(value.type);
  if (type.kind === 'array') {
    const { address } = value;
    if (address !== undefined) return { address, target: type.element };
    const why = value.unavailable ?? 'the array is not in memory';
    throw errors.unavailable(called(value), why, column);
  }
  if (type.kind !== 'pointer') throw errors.wrongType(`${typeName(value.type)} is not a pointer or array.`, column);
  const address = value.integer();
  if (typeof address !== 'bigint') throw errors.unavailable(called(value), address.unavailable, column);
  return { address, target: type.target };
}

/** The number that an arithmetic value is. Throws for other types, and where it cannot be read. */
export function numberOf(value: Value, column: number): NumberValue {
  const type = strip(value.type);
  const isNumber = type.kind === 'enum' || type.kind === 'base';
  if (!isNumber) throw errors.wrongType(`${typeName(value.type)} is not a number.`, column);
  const bytes = value.read();
  if (!(bytes instanceof Uint8Array)) throw errors.unavailable(called(value), bytes.unavailable, column);
  const number = numberFrom(type, bytes, value.place.bits?.size);
  if (!number) throw errors.notSupported(`Computing with ${typeName(value.type)} is`, column);
  return number;
}

/** Arrays and functions become pointers where a value is needed (C17, section 6.3.2.1). */
export function scalar(value: Value): Value {
  const type = strip(value.type);
  const { address } = value;
  if ((type.kind !== 'array' && type.kind !== 'function') || address === undefined) return value;
  const target = type.kind === 'array' ? type.element : value.type;
  return pointer(value, pointerTo(target, POINTER_BYTES), address);
}

const pointer = (like: Value, type: PointerType, address: bigint): Value =>
  new Value('', type, valuePlace(toBytes(address, POINTER_BYTES)), like.context);

export function isTruthy(value: Value, column: number): boolean {
  const decayed = scalar(value);
  if (strip(decayed.type).kind === 'pointer') return pointerOf(decayed, column).address !== 0n;
  return toNumber(numberOf(decayed, column)) !== 0;
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '>', '<=', '>=']);
const INTEGER_ONLY: ReadonlySet<string> = new Set(['%', '&', '|', '^', '<<', '>>']);

/** A binary operator on two scalars. */
export function operate(operator: string, left: Value, right: Value, column: number): Value | NumberValue {
  const leftType = strip(left.type);
  const rightType = strip(right.type);
  if (leftType.kind === 'pointer' || rightType.kind === 'pointer')
    return onPointers(operator, left, right, leftType, rightType, column);
  const [a, b] = [numberOf(left, column), numberOf(right, column)];
  if (INTEGER_ONLY.has(operator) && (a.kind === 'float' || b.kind === 'float'))
    throw errors.wrongType(
      `'${operator}' needs integers, not ${typeName(a.kind === 'float' ? left.type : right.type)}.`,
      column,
    );
  const result = compute(operator, a, b);
  if (!result) throw errors.division(column);
  return result;
}

function onPointers(
  operator: string,
  left: Value,
  right: Value,
  leftType: Type,
  rightType: Type,
  column: number,
): Value | NumberValue {
  if (COMPARISONS.has(operator)) return truth(ordered(operator, addressIn(left, column), addressIn(right, column)));
  if (operator === '-' && leftType.kind === 'pointer' && rightType.kind === 'pointer') {
    const distance = addressIn(left, column) - addressIn(right, column);
    return integer(LONG, BigInt.asIntN(64, distance) / BigInt(stride(leftType, column)));
  }
  if (operator === '+' && rightType.kind === 'pointer' && leftType.kind !== 'pointer')
    return moved(right, rightType, left, 1n, column);
  if ((operator === '+' || operator === '-') && leftType.kind === 'pointer' && rightType.kind !== 'pointer')
    return moved(left, leftType, right, operator === '+' ? 1n : -1n, column);
  throw errors.wrongType(
    `'${operator}' cannot be applied to ${typeName(left.type)} and ${typeName(right.type)}.`,
    column,
  );
}

function moved(value: Value, type: PointerType, by: Value, sign: bigint, column: number): Value {
  const distance = numberOf(by, column);
  if (distance.kind !== 'integer') throw errors.wrongType('Only an integer can be added to a pointer.', column);
  const address = addressIn(value, column) + sign * distance.integer * BigInt(stride(type, column));
  return pointer(value, type, BigInt.asUintN(64, address));
}

/** Pointers to void and to functions count in bytes, as GNU C does. */
function stride(type: PointerType, column: number): number {
  const target = strip(type.target);
  if (target.kind === 'void' || target.kind === 'function') return 1;
  const size = sizeOf(target);
  if (!size) throw errors.wrongType(`The size of ${typeName(type.target)} is not known.`, column);
  return size;
}

function addressIn(value: Value, column: number): bigint {
  if (strip(value.type).kind === 'pointer') return pointerOf(value, column).address;
  const number = numberOf(value, column);
  if (number.kind !== 'integer')
    throw errors.wrongType('A pointer cannot be compared with a floating point number.', column);
  return BigInt.asUintN(64, number.integer);
}

/** `(type)value` */
export function castTo(value: Value, type: Type, column: number): Value {
  const target = strip(type);
  const source = scalar(value);
  const sourceType = strip(source.type);
  if (target.kind === 'void') return new Value('', VOID, valuePlace(new Uint8Array(0)), value.context);
  const isAggregate = target.kind === 'struct' || target.kind === 'array' || target.kind === 'function';
  if (isAggregate || target.kind === 'unknown')
    throw errors.wrongType(`C does not cast to ${typeName(type)}; cast the address: *(${typeName(type)} *)&…`, column);
  const number: NumberValue =
    sourceType.kind === 'pointer'
      ? integer(UNSIGNED_LONG, pointerOf(source, column).address)
      : numberOf(source, column);
  if (target.kind === 'pointer') {
    if (number.kind === 'float') throw errors.wrongType('A floating point number cannot become a pointer.', column);
    return new Value('', type, valuePlace(toBytes(number.integer, target.size)), value.context);
  }
  if (target.kind === 'enum')
    return new Value('', type, valuePlace(bytesOf(convert(number, { ...LONG, size: target.size }))), value.context);
  return new Value('', type, valuePlace(bytesOf(convert(number, target))), value.context);
}
