/** Operators that lead from one place of the program to another: `*`, `&`, `.`, `->`, `[]`, and the `,[n]` of a watch. */
import {
  pointerTo,
  sizeOf,
  strip,
  typeName,
  type ArrayType,
  type Member,
  type StructType,
  type Type,
} from '../../symbols/dwarf/info/model';
import { memberPlace } from '../variables/children';
import { memoryPlace, partOf, toBytes, valuePlace, type Place } from '../variables/place';
import { Value } from '../variables/value';
import { errors } from './errors';
import { numberOf, pointerOf } from './operators';
import type { NumberValue } from './numbers';

export const POINTER_SIZE = 8;
/** Unnamed members are searched this deep. */
const MAX_UNNAMED = 8;

/** `*value` */
export function dereference(value: Value, column: number): Value {
  if (strip(value.type).kind === 'function') return value;
  const { address: at, target } = pointerOf(value, column);
  return new Value('', complete(target, column), memoryPlace(at), value.context);
}

/** A type that has values: not void, not a struct that is only declared. */
function complete(type: Type, column: number): Type {
  const actual = strip(type);
  if (actual.kind === 'void')
    throw errors.wrongType('A void pointer leads to no value; cast it to another type first.', column);
  if (actual.kind === 'struct' && actual.incomplete)
    throw errors.wrongType(`${typeName(type)} is only declared: this program has no definition of it.`, column);
  return type;
}

/** `&value` */
export function address(value: Value, column: number): Value {
  const { place } = value;
  if (place.bits) throw errors.noAddress('it is a bit field', column);
  const { location } = place;
  if (location.kind === 'memory') {
    const bytes = toBytes(location.address, POINTER_SIZE);
    return new Value('', pointerTo(value.type, POINTER_SIZE), valuePlace(bytes), value.context);
  }
  if (location.kind === 'unavailable') throw errors.noAddress(location.reason, column);
  throw errors.noAddress(location.kind === 'register' ? 'it is in a register' : 'it is not in memory', column);
}

/** `value.name` and `value->name` */
export function member(value: Value, name: string, arrow: boolean, column: number): Value {
  const type = strip(value.type);
  if (arrow) {
    if (type.kind === 'struct')
      throw errors.wrongType(`${typeName(value.type)} is not a pointer: use '.' instead of '->'.`, column);
    const { address: at, target } = pointerOf(value, column);
    return memberOf(new Value('', complete(target, column), memoryPlace(at), value.context), name, column);
  }
  const isPointer = type.kind === 'pointer' && strip(type.target).kind === 'struct';
  if (isPointer && type.symbol === '*')
    throw errors.wrongType(`${typeName(value.type)} is a pointer: use '->' instead of '.'.`, column);
  if (isPointer) return memberOf(dereference(value, column), name, column);
  return memberOf(value, name, column);
}

function memberOf(value: Value, name: string, column: number): Value {
  const type = strip(value.type);
  if (type.kind !== 'struct')
    throw errors.wrongType(`${typeName(value.type)} is not a struct or union: it has no members.`, column);
  complete(type, column);
  const found = find(type, value.place, name, 0);
  if (!found) throw errors.noMember(typeName(value.type), name, column);
  return new Value(name, found.member.type, found.place, value.context);
}

function find(
  type: StructType,
  place: Place,
  name: string,
  depth: number,
): { member: Member; place: Place } | undefined {
  for (const candidate of type.members) {
    if (candidate.name === name) return { member: candidate, place: memberPlace(place, candidate) };
    const inner = strip(candidate.type);
    const isTransparent = (candidate.name === undefined || candidate.inherited) && inner.kind === 'struct';
    const found =
      isTransparent && depth < MAX_UNNAMED ? find(inner, memberPlace(place, candidate), name, depth + 1) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** `value[at]`; C allows `at[value]` too. */
export function index(value: Value, at: Value, column: number): Value {
  const isIndexable = (candidate: Value): boolean => ['array', 'pointer'].includes(strip(candidate.type).kind);
  if (!isIndexable(value) && isIndexable(at)) return index(at, value, column);
  const position = numberOf(at, column);
  if (position.kind !== 'integer') throw errors.wrongType('An index has to be an integer.', column);
  const type = strip(value.type);
  // An array that is not in memory has elements, but no address to count from.
  if (type.kind === 'array' && value.place.location.kind !== 'memory')
    return elementOf(value, type, position.integer, column);
  const { address: base, target } = pointerOf(value, column);
  const size = sizeOf(complete(target, column)) ?? new Value('', target, memoryPlace(base), value.context).size;
  if (size === undefined) throw errors.wrongType(`The size of ${typeName(target)} is not known.`, column);
  return new Value('', target, memoryPlace(base + position.integer * BigInt(size)), value.context);
}

function elementOf(value: Value, type: ArrayType, position: bigint, column: number): Value {
  const size = sizeOf(type.element);
  const count = value.elementCount(type);
  if (size === undefined || count === undefined || position < 0n || position >= BigInt(count))
    throw errors.wrongType(`The array is not in memory, and ${position} is not one of its elements.`, column);
  return new Value('', type.element, partOf(value.place, Number(position) * size), value.context);
}

/** `value,[length]`: that many elements from where a pointer or array starts. */
export function arrayOf(value: Value, length: NumberValue, column: number): Value {
  const count = length.kind === 'integer' ? Number(length.integer) : NaN;
  if (!Number.isSafeInteger(count) || count < 0)
    throw errors.wrongType('The number of elements has to be a positive integer.', column);
  const { address: at, target } = pointerOf(value, column);
  const type: ArrayType = { kind: 'array', element: complete(target, column), count, bound: undefined };
  if (sizeOf(type) === undefined)
    throw errors.wrongType(`${count} elements of ${typeName(target)} are too many.`, column);
  return new Value('', type, memoryPlace(at), value.context);
}
