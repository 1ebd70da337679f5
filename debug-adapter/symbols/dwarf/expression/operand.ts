/** Values on the stack of a DWARF expression: bits with the type that says how to compute with them. */

export interface OperandType {
  /** In bytes; 0 is the generic type, which is as wide as an address and has no sign of its own. */
  readonly size: number;
  readonly signed: boolean;
  readonly isFloat: boolean;
}

export interface Operand {
  readonly type: OperandType;
  readonly value: bigint;
}

/** The generic type (DWARF 5, section 2.5.1). */
export const GENERIC: OperandType = { size: 0, signed: false, isFloat: false };

/** Little-endian bytes as a value of `type`. */
export function fromBytes(type: OperandType, bytes: Uint8Array): Operand {
  const size = type.size > 0 ? Math.min(type.size, bytes.length) : bytes.length;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return { type, value: type.signed ? BigInt.asIntN(8 * size, value) : value };
}

/** The value as little-endian bytes; a generic one has `addressSize` of them. */
export function toBytes(operand: Operand, addressSize: number): Uint8Array {
  const size = operand.type.size || addressSize;
  let rest = BigInt.asUintN(8 * size, operand.value);
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
