/**
 * Typed trees as compact JSON text, so that the build can leave them behind and a process reads only those it needs. A node is an array:
 * the place of its kind in KINDS, then its fields in the order written there; a list of nodes begins with LIST instead. An integer that
 * is a value (a bigint) is a string of its digits, which no name is; a type is its place in TYPES.
 */
import type { Expression, Statement, Type } from './ir';

type Node = Expression | Statement;

/** Kinds, and their fields behind `kind`. Where a statement and an expression share a kind, the statement lacks the last ones. */
const FIELDS: Readonly<Record<Node['kind'], readonly string[]>> = {
  constant: ['type', 'value'],
  local: ['type', 'name'],
  global: ['type', 'name'],
  register: ['type', 'file', 'field'],
  number: ['type', 'field'],
  immediate: ['type'],
  pc: ['type'],
  length: ['type'],
  rounding: ['type'],
  state: ['type', 'name'],
  unary: ['type', 'name', 'operand'],
  binary: ['type', 'name', 'left', 'right'],
  choice: ['type', 'condition', 'then', 'otherwise', 'likely'],
  call: ['name', 'args', 'type'],
  load: ['type', 'bits', 'address'],
  host: ['name', 'args', 'type'],
  float: ['type', 'bits'],
  floatRegister: ['type', 'field'],
  loadFloat: ['type', 'address'],
  intrinsic: ['type', 'name', 'args'],
  block: ['type', 'body'],
  let: ['name', 'type', 'value'],
  assign: ['scope', 'name', 'value'],
  setRegister: ['file', 'value'],
  if: ['condition', 'then', 'otherwise'],
  while: ['condition', 'body'],
  return: ['value'],
  store: ['bits', 'address', 'value'],
  jump: ['target', 'relative'],
  trap: ['cause', 'value'],
  illegal: [],
  raise: ['flags'],
  setFloatRegister: ['value'],
  storeFloat: ['address', 'value'],
  setFloatCsr: ['field', 'value'],
};
const KINDS = Object.keys(FIELDS) as Node['kind'][];
const LIST = -1;
const TYPES: readonly Type[] = ['bool', 'i32', 'i64', 'f32', 'f64'];

type Fields = Record<string, unknown>;

function packed(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return [LIST, ...value.map(packed)];
  if (typeof value !== 'object' || value === null) return value;
  const node = value as Node & Fields;
  const out: unknown[] = [KINDS.indexOf(node.kind)];
  for (const field of FIELDS[node.kind])
    if (field in node) out.push(field === 'type' ? TYPES.indexOf(node[field] as Type) : packed(node[field]));
  return out;
}

function unpacked(value: unknown): unknown {
  if (typeof value === 'string') return /^-?\d+$/.test(value) ? BigInt(value) : value;
  if (value === null) return undefined;
  if (!Array.isArray(value)) return value;
  const [first, ...rest] = value as [number, ...unknown[]];
  if (first === LIST) return rest.map(unpacked);
  const kind = KINDS[first]!;
  const node: Fields = { kind };
  rest.forEach((value, i) => {
    const field = FIELDS[kind][i]!;
    node[field] = field === 'type' ? TYPES[value as number] : unpacked(value);
  });
  return node;
}

/** A tree as plain JSON data. */
export const encodeTree = (tree: Node | readonly Node[]): unknown => packed(tree);
/** @param data what `encodeTree` of a tree of the same type gave */
export const decodeTree = <T extends Node | readonly Node[]>(data: unknown): T => unpacked(data) as T;
