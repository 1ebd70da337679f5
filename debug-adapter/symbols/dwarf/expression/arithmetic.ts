/** Arithmetic and comparisons of DWARF expressions (DWARF 5, section 2.5.1.4) on integers of a given width. */
import { Op } from './opcodes';
import type { Operand } from './operand';

/** `undefined` is a division by zero. `addressBits` is the width of the generic type. */
export function arithmetic(op: number, left: Operand, right: Operand, addressBits: number): Operand | undefined {
  const bits = left.type.size > 0 ? 8 * left.type.size : addressBits;
  const value = compute(op, left, right, bits);
  if (value === undefined) return undefined;
  return { type: left.type, value: left.type.signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value) };
}

function compute(op: number, left: Operand, right: Operand, bits: number): bigint | undefined {
  const a = left.value;
  const b = right.value;
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  const unsigned = (value: bigint): bigint => BigInt.asUintN(bits, value);
  const amount = unsigned(b) > BigInt(bits) ? BigInt(bits) : unsigned(b);
  switch (op) {
    case Op.abs:
      return signed(a) < 0n ? -signed(a) : signed(a);
    case Op.neg:
      return -a;
    case Op.not:
      return ~a;
    case Op.and:
      return a & b;
    case Op.or:
      return a | b;
    case Op.xor:
      return a ^ b;
    case Op.plus:
      return a + b;
    case Op.minus:
      return a - b;
    case Op.mul:
      return a * b;
    // The standard divides signed; the remainder of generic values is unsigned.
    case Op.div:
      return signed(b) === 0n ? undefined : signed(a) / signed(b);
    case Op.mod:
      if (unsigned(b) === 0n) return undefined;
      return left.type.signed ? signed(a) % signed(b) : unsigned(a) % unsigned(b);
    case Op.shl:
      return a << amount;
    case Op.shr:
      return unsigned(a) >> amount;
    case Op.shra:
      return signed(a) >> amount;
    default:
      return a;
  }
}

/** Generic values compare as signed ones. */
export function compare(op: number, left: Operand, right: Operand, addressBits: number): boolean {
  const isGeneric = left.type.size === 0;
  const a = isGeneric ? BigInt.asIntN(addressBits, left.value) : left.value;
  const b = isGeneric ? BigInt.asIntN(addressBits, right.value) : right.value;
  switch (op) {
    case Op.eq:
      return a === b;
    case Op.ge:
      return a >= b;
    case Op.gt:
      return a > b;
    case Op.le:
      return a <= b;
    case Op.lt:
      return a < b;
    default:
      return a !== b;
  }
}
