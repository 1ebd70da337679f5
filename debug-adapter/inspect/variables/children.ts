/** What is inside of a value: members, elements, the target of a pointer. */
import { sizeOf, strip, typeName, type ArrayType, type Member, type StructType } from '../../symbols/dwarf/info/model';
import { addressOf, MAX_READ, memoryPlace, partOf, unavailablePlace, type Place } from './place';
import { Value, type ValueContext } from './value';

/** Unnamed structs in structs are looked through this deep. */
const MAX_UNNAMED = 8;
/** Members of one struct that are shown. */
const MAX_MEMBERS = 10_000;

/** Named children, or undefined for a value that has none. */
export function membersOf(value: Value): Value[] | undefined {
  const actual = strip(value.type);
  if (actual.kind === 'struct') {
    const { location } = value.place;
    return location.kind === 'unavailable' ? undefined : structMembers(value, actual, value.place, '.');
  }
  return actual.kind === 'pointer' ? targetOf(value) : undefined;
}

function structMembers(value: Value, type: StructType, place: Place, operator: '.' | '->'): Value[] {
  const members: Value[] = [];
  const path = value.evaluateName && postfix(value.evaluateName) + operator;
  const context = operator === '->' ? withBlock(value.context, place, type.size) : value.context;
  addMembers(members, type, place, context, path, value.format, 0);
  return members;
}

function addMembers(
  to: Value[],
  type: StructType,
  place: Place,
  context: ValueContext,
  path: string | undefined,
  format: Value['format'],
  depth: number,
): void {
  for (const member of type.members) {
    if (to.length >= MAX_MEMBERS) return;
    const at = memberPlace(place, member);
    const inner = strip(member.type);
    // C reaches the members of an unnamed struct or union as if they were the outer one's.
    if (member.name === undefined && !member.inherited && inner.kind === 'struct' && depth < MAX_UNNAMED) {
      addMembers(to, inner, at, context, path, format, depth + 1);
      continue;
    }
    if (member.name === undefined && !member.inherited) continue; // padding bits
    const name = member.name ?? typeName(member.type);
    const evaluateName = path === undefined || member.inherited ? undefined : path + name;
    to.push(new Value(name, member.type, at, context, { evaluateName, format }));
  }
}

/** Where a member of a struct at `place` is. */
export function memberPlace(place: Place, member: Member): Place {
  if (member.bits) return partOf(place, 0, member.bits);
  if (member.byteOffset === undefined)
    return unavailablePlace('the place of this member is computed while the program runs');
  return partOf(place, member.byteOffset);
}

/** What a pointer leads to: the members of a struct, else one child with the target. */
function targetOf(pointer: Value): Value[] | undefined {
  const type = strip(pointer.type);
  if (type.kind !== 'pointer') return undefined;
  const target = strip(type.target);
  if (target.kind === 'void' || target.kind === 'function' || target.kind === 'unknown') return undefined;
  if (target.kind === 'struct' && target.incomplete) return undefined;
  const address = pointer.integer();
  if (typeof address !== 'bigint' || address === 0n) return undefined;
  const place = memoryPlace(address);
  const isReadable = pointer.context.readMemory(address, 1) !== undefined;
  if (target.kind === 'struct' && isReadable) return structMembers(pointer, target, place, '->');
  const path = pointer.evaluateName && `*${prefix(pointer.evaluateName)}`;
  const name = `*${pointer.name}`;
  return [new Value(name, type.target, place, pointer.context, { evaluateName: path, format: pointer.format })];
}

export interface Elements {
  readonly count: number;
  page(start: number, count: number): Value[];
}

/** Elements of an array; undefined for another value, and where their number is not known. */
export function elementsOf(value: Value): Elements | undefined {
  const type = strip(value.type);
  if (type.kind !== 'array' || value.place.location.kind === 'unavailable') return undefined;
  const size = sizeOf(type.element) ?? variableSize(value, type.element);
  const count = value.elementCount(type);
  if (count === undefined || size === undefined) return undefined;
  return { count, page: (start, length) => elementPage(value, type, size, start, Math.min(length, count - start)) };
}

/** The size of an element that is itself an array of variable length. */
function variableSize(value: Value, element: ArrayType['element']): number | undefined {
  return new Value('', element, value.place, value.context).size;
}

function elementPage(value: Value, type: ArrayType, size: number, start: number, count: number): Value[] {
  const length = Math.max(0, count);
  const context = withBlock(value.context, partOf(value.place, start * size), length * size);
  const path = value.evaluateName && postfix(value.evaluateName);
  return Array.from({ length }, (_, i) => {
    const name = `[${start + i}]`;
    const evaluateName = path === undefined ? undefined : path + name;
    return new Value(name, type.element, partOf(value.place, (start + i) * size), context, {
      evaluateName,
      format: value.format,
    });
  });
}

/** Reads a block of memory once, when first needed, and serves the reads inside of it; others go to the target. */
function withBlock(context: ValueContext, place: Place, length: number | undefined): ValueContext {
  const base = addressOf(place);
  if (base === undefined || !length || length > MAX_READ) return context;
  let block: { readonly bytes: Uint8Array | undefined } | undefined;
  const readMemory = (address: bigint, size: number): Uint8Array | undefined => {
    const offset = address - base;
    if (offset < 0n || offset + BigInt(size) > BigInt(length)) return context.readMemory(address, size);
    block ??= { bytes: context.readMemory(base, length) };
    // A block of which a part cannot be read may still have parts that can.
    return block.bytes?.slice(Number(offset), Number(offset) + size) ?? context.readMemory(address, size);
  };
  return { ...context, readMemory, readRegister: (register) => context.readRegister(register) };
}

const SIMPLE = /^[A-Za-z_$][\w$]*((\.|->)[A-Za-z_][\w]*|\[\d+\])*$/;

/** An expression that a postfix operator may follow. */
const postfix = (expression: string): string => (SIMPLE.test(expression) ? expression : `(${expression})`);

/** An expression that a prefix operator may stand in front of. */
const prefix = (expression: string): string =>
  /^\*+[\w$.>[\]-]+$/.test(expression) ? expression : postfix(expression);
