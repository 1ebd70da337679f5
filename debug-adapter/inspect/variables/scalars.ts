/** How one scalar is written: integers, characters, booleans, floating point, enumerations, pointers. */
import { strip, type BaseType, type EnumType, type PointerType, type Type } from '../../symbols/dwarf/info/model';
import { formatFloat } from './floats';
import { toBigInt, type TargetAccess } from './place';
import { characterLiteral, readString } from './text';

/** The format suffixes of a watch expression: `,x` hexadecimal, `,d` decimal, `,c` character, `,b` binary, `,o` octal. */
export type NumberFormat = 'x' | 'd' | 'c' | 'b' | 'o';

export interface FormatContext extends TargetAccess {
  /** `name+offset` of the function that covers a code address. */
  symbolAt?(address: bigint): string | undefined;
}

export type ScalarType = BaseType | EnumType | PointerType;

export const isScalar = (type: Type): type is ScalarType =>
  type.kind === 'base' || type.kind === 'enum' || type.kind === 'pointer';

export const isCharacter = (type: Type): boolean => {
  const actual = strip(type);
  return (
    actual.kind === 'base' && actual.size === 1 && (actual.encoding === 'char' || actual.encoding === 'unsignedChar')
  );
};

/** Whether integers of this type have a sign. */
export function isSigned(type: ScalarType): boolean {
  if (type.kind === 'base') return type.encoding === 'signed' || type.encoding === 'char';
  return type.kind === 'enum' && type.signed;
}

/** The number that the bytes of an integer, enumeration or pointer stand for. `bits` is less for a bit field. */
export function integerOf(type: ScalarType, bytes: Uint8Array, bits = 8 * bytes.length): bigint {
  const value = BigInt.asUintN(bits, toBigInt(bytes));
  return isSigned(type) ? BigInt.asIntN(bits, value) : value;
}

/** Writes a scalar. `bits` is the width of a bit field. */
export function formatScalar(
  type: ScalarType,
  bytes: Uint8Array,
  context: FormatContext,
  format?: NumberFormat,
  bits = 8 * bytes.length,
): string {
  const integer = integerOf(type, bytes, bits);
  if (type.kind === 'pointer') return formatPointer(type, integer, context, format);
  const isFloat = type.kind === 'base' && (type.encoding === 'float' || type.encoding === 'complex');
  if (format && !(isFloat && format === 'd')) return formatNumber(integer, bits, format);
  if (type.kind === 'enum') return format === 'd' ? String(integer) : formatEnum(type, integer);
  return formatBase(type, bytes, integer);
}

export function formatNumber(integer: bigint, bits: number, format: NumberFormat): string {
  const raw = BigInt.asUintN(bits, integer);
  switch (format) {
    case 'x':
      return `0x${raw.toString(16)}`;
    case 'o':
      return `0${raw.toString(8)}`;
    case 'b':
      return `0b${raw.toString(2)}`;
    case 'c':
      return `${integer} ${characterLiteral(Number(BigInt.asUintN(8, raw)))}`;
    case 'd':
      return String(integer);
  }
}

function formatBase(type: BaseType, bytes: Uint8Array, integer: bigint): string {
  switch (type.encoding) {
    case 'boolean':
      return integer === 0n ? 'false' : integer === 1n ? 'true' : `${integer} <not a boolean>`;
    case 'char':
    case 'unsignedChar':
      return bytes.length === 1 ? `${integer} ${characterLiteral(bytes[0]!)}` : String(integer);
    case 'float':
      return formatFloat(bytes) ?? rawBytes(bytes);
    case 'complex': {
      const half = bytes.length / 2;
      const real = formatFloat(bytes.subarray(0, half));
      const imaginary = formatFloat(bytes.subarray(half));
      return real === undefined || imaginary === undefined ? rawBytes(bytes) : `${real} + ${imaginary}i`;
    }
    case 'signed':
    case 'unsigned':
      return String(integer);
    case 'other':
      return rawBytes(bytes);
  }
}

/** Bytes in the order of memory. */
const rawBytes = (bytes: Uint8Array): string =>
  `<bytes ${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}>`;

const MAX_FLAGS = 128;

/** The name of a value, the flags it is made of, or the number. */
function formatEnum(type: EnumType, integer: bigint): string {
  const exact = type.enumerators.find((enumerator) => enumerator.value === integer);
  if (exact) return exact.name;
  const flags = type.enumerators.filter(({ value }) => value !== 0n);
  const areFlags = flags.length > 0 && flags.length <= MAX_FLAGS && flags.every(({ value }) => isPowerOfTwo(value));
  const set = areFlags && integer > 0n ? flags.filter(({ value }) => (integer & value) !== 0n) : [];
  if (set.length === 0) return String(integer);
  const rest = set.reduce((left, { value }) => left & ~value, integer);
  return [...set.map(({ name }) => name), ...(rest ? [`0x${rest.toString(16)}`] : [])].join(' | ');
}

const isPowerOfTwo = (value: bigint): boolean => value > 0n && (value & (value - 1n)) === 0n;

function formatPointer(type: PointerType, address: bigint, context: FormatContext, format?: NumberFormat): string {
  if (format === 'd' || format === 'b' || format === 'o') return formatNumber(address, 8 * type.size, format);
  const text = `0x${address.toString(16)}`;
  if (address === 0n) return text;
  const target = strip(type.target);
  if (target.kind === 'function') {
    const symbol = context.symbolAt?.(address);
    return symbol === undefined ? text : `${text} <${symbol}>`;
  }
  if (!isCharacter(target) || format === 'x') return text;
  return `${text} ${readString(context, address) ?? '<cannot read memory>'}`;
}
