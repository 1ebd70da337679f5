/**
 * From the text a user typed to bytes: for `setVariable` and `setExpression`. Only scalars; what does not fit the type is
 * refused with the reason and never cut. Knows where bytes go (`writesFor`) but writes nothing.
 */
import { strip, typeName, type Type } from '../../symbols/dwarf/info/model';
import { encodeFloat } from './floats';
import { addressOf, bitsOf, readPlace, toBytes, type TargetAccess } from './place';
import { isScalar, isSigned, type ScalarType } from './scalars';
import type { Value } from './value';

/** Why a text is no value of a type. */
export interface EncodeError {
  readonly error: string;
}

/** The bytes of `text` as a value of `type`: `42`, `-1`, `0x2a`, `'a'`, `1.5`, `true`, `READ | WRITE`. */
export function encode(type: Type, text: string): Uint8Array | EncodeError {
  const actual = strip(type);
  if (!isScalar(actual)) return { error: `A value of type ${typeName(type)} cannot be set as a whole; set its parts.` };
  return encodeScalar(actual, text.trim(), actual.size, 8 * actual.size);
}

function encodeScalar(type: ScalarType, text: string, size: number, bits: number): Uint8Array | EncodeError {
  if (type.kind === 'base' && type.encoding === 'float') return encodeNumber(type, text, size);
  if (type.kind === 'base' && (type.encoding === 'complex' || type.encoding === 'other'))
    return { error: `Setting values of type ${type.name} is not supported.` };
  const integer = parseInteger(type, text);
  if (integer === undefined) return { error: `'${text}' is not a value of type ${typeName(type)}.${hint(type)}` };
  const isBoolean = type.kind === 'base' && type.encoding === 'boolean';
  const low = isSigned(type) ? -(1n << BigInt(bits - 1)) : 0n;
  const high = isBoolean ? 1n : isSigned(type) ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  // Hexadecimal is how people write bits, so 0xff is accepted for a signed char.
  const isBitPattern = /^0[xb]/i.test(text) && integer >= 0n && integer < 1n << BigInt(bits) && !isBoolean;
  if ((integer < low || integer > high) && !isBitPattern)
    return { error: `${text} does not fit ${typeName(type)}: it holds ${low} to ${high}.` };
  return toBytes(integer, size);
}

function hint(type: ScalarType): string {
  if (type.kind !== 'enum') return '';
  return ` It has ${type.enumerators
    .slice(0, 8)
    .map((e) => e.name)
    .join(', ')}${type.enumerators.length > 8 ? ', …' : ''}.`;
}

function encodeNumber(type: ScalarType, text: string, size: number): Uint8Array | EncodeError {
  const match = /^([+-]?)(inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|0x[\da-f]+)[fl]?$/i.exec(text);
  if (!match) return { error: `'${text}' is not a value of type ${typeName(type)}.` };
  const word = match[2]!.toLowerCase();
  const number = word === 'inf' ? Infinity : word === 'nan' ? NaN : Number(word);
  return (
    encodeFloat(match[1] === '-' ? -number : number, size) ?? {
      error: `Setting values of type ${typeName(type)} is not supported.`,
    }
  );
}

function parseInteger(type: ScalarType, text: string): bigint | undefined {
  if (type.kind === 'base' && type.encoding === 'boolean') {
    if (text === 'true') return 1n;
    if (text === 'false') return 0n;
  }
  if (type.kind === 'enum') {
    const values = text.split('|').map((part) => {
      const name = part.trim();
      return type.enumerators.find((e) => e.name === name)?.value ?? parseIntegerLiteral(name);
    });
    if (values.every((value) => value !== undefined)) return values.reduce((sum, value) => sum | value, 0n);
  }
  if (type.kind === 'pointer' && text === 'NULL') return 0n;
  return parseIntegerLiteral(text);
}

const ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

/** An integer or character as C writes it, with a sign; undefined for any other text. */
export function parseIntegerLiteral(text: string): bigint | undefined {
  const match = /^([+-]?)\s*(0x[\da-f]+|0b[01]+|\d+)(?:u?l{0,2}|l{1,2}u)$/i.exec(text);
  if (match) {
    const digits = match[2]!;
    if (/^0\d/.test(digits) && !/^[0-7]+$/.test(digits)) return undefined;
    const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
    return match[1] === '-' ? -value : value;
  }
  const character = /^'(.*)'$/su.exec(text)?.[1];
  return character === undefined ? undefined : parseCharacter(character);
}

function parseCharacter(text: string): bigint | undefined {
  const numeric = /^\\(?:x([\da-f]{1,2})|([0-7]{1,3}))$/i.exec(text);
  if (numeric) return BigInt(parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 8) & 0xff);
  if (text.length === 2 && text[0] === '\\') {
    const code = ESCAPES[text[1]!];
    return code === undefined ? undefined : BigInt(code);
  }
  const code = text.length === 1 && text !== '\\' ? text.charCodeAt(0) : undefined;
  return code !== undefined && code < 0x80 ? BigInt(code) : undefined;
}

/** One write that makes a value what the user typed. */
export type Write =
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: Uint8Array }
  | { readonly kind: 'register'; readonly register: number; readonly value: bigint };

/** What has to be written so that `value` becomes `text`; a bit field is merged with the bits around it. */
export function writesFor(value: Value, text: string, target: TargetAccess = value.context): Write | EncodeError {
  const actual = strip(value.type);
  const { place } = value;
  const { bits } = place;
  if (place.location.kind === 'unavailable') return { error: `It cannot be set: ${place.location.reason}.` };
  if (place.location.kind === 'value') return { error: 'It cannot be set: the compiler keeps this value nowhere.' };
  if (place.location.kind === 'pieces') return { error: 'It cannot be set: its parts are in several places.' };
  if (!isScalar(actual)) return encode(value.type, text) as EncodeError;
  const encoded = encodeScalar(actual, text.trim(), actual.size, bits?.size ?? 8 * actual.size);
  if ('error' in encoded) return encoded;
  if (place.location.kind === 'register') {
    const { register } = place.location;
    const old = target.readRegister(register);
    if (old === undefined) return { error: `It cannot be set: register ${register} cannot be read in this frame.` };
    const width = bits?.size ?? 8 * actual.size;
    const offset = 8 * place.offset + (bits?.offset ?? 0);
    // The calling convention keeps a 32-bit integer sign-extended in its register, and a float boxed in ones.
    if (offset === 0 && !bits && actual.size < 8)
      return { kind: 'register', register, value: extend(actual, encoded, register) };
    return { kind: 'register', register, value: insert(old, bitsOf(encoded, 0, width), offset, width, 64) };
  }
  const address = addressOf({ location: place.location, offset: place.offset }) ?? 0n;
  if (!bits) return { kind: 'memory', address, bytes: encoded };
  return mergeBits(address, encoded, bits, target);
}

function extend(type: ScalarType, bytes: Uint8Array, register: number): bigint {
  const bits = 8 * bytes.length;
  const raw = bitsOf(bytes, 0, bits);
  if (register >= 32) return (((1n << BigInt(64 - bits)) - 1n) << BigInt(bits)) | raw;
  return BigInt.asUintN(64, bits === 32 || isSigned(type) ? BigInt.asIntN(bits, raw) : raw);
}

function insert(old: bigint, value: bigint, offset: number, width: number, total: number): bigint {
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(offset);
  return BigInt.asUintN(total, (old & ~mask) | (value << BigInt(offset)));
}

function mergeBits(
  address: bigint,
  encoded: Uint8Array,
  bits: { offset: number; size: number },
  target: TargetAccess,
): Write | EncodeError {
  const first = Math.floor(bits.offset / 8);
  const length = Math.ceil((bits.offset + bits.size) / 8) - first;
  const start = address + BigInt(first);
  const old = readPlace({ location: { kind: 'memory', address: start }, offset: 0 }, length, target);
  if (!(old instanceof Uint8Array)) return { error: `It cannot be set: ${old.unavailable}.` };
  const merged = insert(
    bitsOf(old, 0, 8 * length),
    bitsOf(encoded, 0, bits.size),
    bits.offset - 8 * first,
    bits.size,
    8 * length,
  );
  return { kind: 'memory', address: start, bytes: toBytes(merged, length) };
}
