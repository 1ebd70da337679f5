/** Floating point numbers (IEEE 754) of 2, 4, 8 and 16 bytes as decimal text, and from text. */
import { toBigInt, toBytes } from './place';

/** The shortest decimal that reads back as the same number; of a 16-byte one, up to 34 digits. */
export function formatFloat(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (bytes.length) {
    case 2:
      return formatParts(toBigInt(bytes), 5, 10, 5);
    case 4:
      return shortestSingle(view.getFloat32(0, true));
    case 8:
      return named(view.getFloat64(0, true));
    case 16:
      return formatParts(toBigInt(bytes), 15, 112, 34);
    default:
      return undefined;
  }
}

function named(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function shortestSingle(value: number): string {
  if (!Number.isFinite(value) || value === 0) return named(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** A number of any IEEE format from its bits, exactly, rounded to `digits` significant digits. */
function formatParts(bits: bigint, exponentBits: number, fractionBits: number, digits: number): string {
  const fraction = BigInt.asUintN(fractionBits, bits);
  const exponent = Number(BigInt.asUintN(exponentBits, bits >> BigInt(fractionBits)));
  const sign = bits >> BigInt(fractionBits + exponentBits) ? '-' : '';
  const top = 2 ** exponentBits - 1;
  if (exponent === top) return fraction ? 'nan' : `${sign}inf`;
  if (exponent === 0 && fraction === 0n) return `${sign}0`;
  const significand = exponent === 0 ? fraction : fraction | (1n << BigInt(fractionBits));
  const scale = Math.max(exponent, 1) - (2 ** (exponentBits - 1) - 1) - fractionBits;
  return sign + decimal(significand, scale, digits);
}

/** significand * 2^scale in decimal. */
function decimal(significand: bigint, scale: number, digits: number): string {
  // First estimate the power of ten of the leading digit, then divide so that `digits` digits remain.
  const length = significand.toString(2).length + scale;
  let power = Math.floor((length - 1) * Math.LOG10E * Math.LN2);
  let rounded = divide(significand, scale, digits - 1 - power);
  if (rounded.toString().length > digits) rounded = divide(significand, scale, digits - 1 - ++power);
  const text = rounded.toString();
  power += text.length - digits;
  const short = text.replace(/0+$/, '');
  if (power < -5 || power >= 21)
    return `${short[0]}${short.length > 1 ? '.' + short.slice(1) : ''}e${power < 0 ? '' : '+'}${power}`;
  if (power < 0) return `0.${'0'.repeat(-power - 1)}${short}`;
  return short.length <= power + 1
    ? short.padEnd(power + 1, '0')
    : `${short.slice(0, power + 1)}.${short.slice(power + 1)}`;
}

/** round(significand * 2^scale * 10^shift) */
function divide(significand: bigint, scale: number, shift: number): bigint {
  let over = significand;
  let under = 1n;
  if (scale >= 0) over <<= BigInt(scale);
  else under <<= BigInt(-scale);
  if (shift >= 0) over *= 10n ** BigInt(shift);
  else under *= 10n ** BigInt(-shift);
  return (over + under / 2n) / under;
}

/** The bytes of a number of 4, 8 or 16 bytes; undefined for other sizes. A 16-byte one gets the precision of a double. */
export function encodeFloat(value: number, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setFloat32(0, value, true);
  else if (size === 8) view.setFloat64(0, value, true);
  else if (size === 16) return toBytes(widen(value), 16);
  else return undefined;
  return bytes;
}

/** The bits of a binary128 with the value of a double. */
function widen(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const sign = (bits >> 63n) << 127n;
  let exponent = Number((bits >> 52n) & 0x7ffn);
  let fraction = bits & 0xfffffffffffffn;
  if (exponent === 0x7ff) return sign | (0x7fffn << 112n) | (fraction << 60n);
  if (exponent === 0 && fraction === 0n) return sign;
  // What is subnormal as a double is normal with the wider exponent.
  if (exponent === 0) {
    for (exponent = 1; !(fraction >> 52n); exponent--) fraction <<= 1n;
    fraction &= 0xfffffffffffffn;
  }
  return sign | (BigInt(exponent - 1023 + 16383) << 112n) | (fraction << 60n);
}

/** The number that 2, 4, 8 or 16 bytes hold, as far as a double can. */
export function decodeFloat(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, true);
  if (bytes.length === 8) return view.getFloat64(0, true);
  const text = formatFloat(bytes);
  if (text === undefined) return undefined;
  return text === 'nan' ? NaN : text.endsWith('inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}
