/**
 * Operand values where instructions go wrong: limits of every width, patterns, and the corners of each floating-point format with the
 * ways it stands in a 64-bit register. Unprivileged specification, "NaN Boxing of Narrower Values".
 */
import type { Random } from './random';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** 0, ±1, the limits of 8 … 64 bits signed and unsigned and their neighbours, alternating bits, powers of two ± 1. */
export const INTEGERS: readonly bigint[] = [
  ...new Set(
    [
      0n, 1n, -1n, 2n, -2n,
      ...[8n, 16n, 32n, 64n].flatMap((width) => [
        (1n << (width - 1n)) - 1n, -(1n << (width - 1n)), 1n << (width - 1n), (1n << width) - 1n, (1n << width) + 1n,
      ]),
      0x5555555555555555n, 0xaaaaaaaaaaaaaaaan, 0x0f0f0f0f0f0f0f0fn, 0x00ff00ff00ff00ffn, 0x0123456789abcdefn, 0xfedcba9876543210n,
      ...[5n, 6n, 12n, 31n, 33n, 52n, 53n, 62n, 63n].flatMap((power) => [(1n << power) - 1n, 1n << power, (1n << power) + 1n]),
      -2048n, 0xffffffff80000000n, 0x7fffffff80000000n, 0x00000000ffffff80n,
    ].map(u64),
  ),
]; // prettier-ignore

/** A few of them, for products of operands. */
export const FEW_INTEGERS: readonly bigint[] = [
  0n, 1n, -1n, 2n, 31n, 63n, 0x7fn, -0x80n, 0x7fffn, 0x7fffffffn, -0x80000000n, 0x80000000n, 0xffffffffn, 0x100000001n,
  0x7fffffffffffffffn, -0x8000000000000000n, 0x5555555555555555n, 0x0123456789abcdefn, 0xfedcba9876543210n,
].map(u64); // prettier-ignore

interface Format {
  readonly bits: bigint;
  readonly fraction: bigint;
}

const HALF: Format = { bits: 16n, fraction: 10n };
const SINGLE: Format = { bits: 32n, fraction: 23n };
const DOUBLE: Format = { bits: 64n, fraction: 52n };

/** Corners of a format as its own bits, positive; `few` leaves out what only now and then matters. */
function corners({ bits, fraction }: Format, few: boolean): bigint[] {
  const exponentBits = bits - 1n - fraction;
  const bias = (1n << (exponentBits - 1n)) - 1n;
  const infinity = ((1n << exponentBits) - 1n) << fraction;
  const quiet = 1n << (fraction - 1n);
  const one = bias << fraction;
  const power = (exponent: bigint): bigint => (bias + exponent) << fraction;
  const list = [
    0n, // zero
    1n, // the smallest subnormal
    (1n << fraction) - 1n, // the largest subnormal
    1n << fraction, // the smallest normal
    infinity - 1n, // the largest
    infinity,
    infinity | quiet, // the canonical NaN
    infinity | 1n, // signalling
    one,
    one + 1n,
    power(0n) | (quiet | (quiet >> 1n)), // 1.75
    power(-1n), // 0.5: a tie when rounded to an integer
  ];
  if (few) return list;
  return [
    ...list,
    infinity | quiet | 1n, // quiet with a payload
    infinity | (quiet - 1n), // signalling with a payload
    infinity | quiet | (quiet - 1n),
    one - 1n,
    power(0n) | quiet, // 1.5
    power(1n) | (quiet >> 1n), // 2.5
    (1n << fraction) + 1n,
    (1n << (fraction - 1n)) + 1n, // a subnormal
    power(fraction), // from here on only integers
    power(fraction + 1n) - 1n,
    ...[6n, 7n, 8n, 15n, 16n, 30n, 31n, 32n, 62n, 63n, 64n]
      .filter((exponent) => exponent <= bias)
      .flatMap((exponent) => [power(exponent), power(exponent) - 1n, power(exponent) + 1n]),
  ];
}

const withSigns = (format: Format, few: boolean): bigint[] =>
  corners(format, few).flatMap((value) => [value, value | (1n << (format.bits - 1n))]);

/** The bits of a narrower value in a register: all ones above. */
const box = ({ bits }: Format, value: bigint): bigint => u64(-1n << bits) | value;

/** What a register may hold that is no box: read as a NaN by the narrower instructions. */
const UNBOXED = [
  0x3f800000n,
  0xfffffffe3f800000n,
  0x7fffffff3f800000n,
  0x3c00n,
  0xffff0000ffff3c00n,
  0xfffffffffffe3c00n,
];

export type Width = 16 | 32 | 64;
const FORMATS: Readonly<Record<Width, Format>> = { 16: HALF, 32: SINGLE, 64: DOUBLE };

/** Register contents for an operand of a width. */
export function floats(width: Width, few = false): bigint[] {
  const format = FORMATS[width];
  const values = withSigns(format, few).map((value) => (width === 64 ? value : box(format, value)));
  return width === 64 ? values : [...values, ...(few ? UNBOXED.slice(0, 1) : UNBOXED)];
}

const ALL_FLOATS: readonly bigint[] = [...floats(16), ...floats(32), ...floats(64)];

/** A random register of the integer file. */
export function randomInteger(random: Random): bigint {
  const kind = random.below(4);
  if (kind === 0) return random.pick(INTEGERS);
  // A random width makes small and large numbers alike, and both signs.
  if (kind === 1) return u64(BigInt.asIntN(random.between(1, 64), random.word64()));
  if (kind === 2) return random.word64() & random.word64() & random.word64();
  return random.word64();
}

/** A random register of the floating-point file, often one whose sums and products are neither exact nor a NaN. */
export function randomFloat(random: Random): bigint {
  const kind = random.below(6);
  if (kind === 0) return random.pick(ALL_FLOATS);
  const width: Width = kind === 1 ? 64 : kind === 2 ? 32 : kind === 3 ? 16 : random.pick([16, 32, 64] as const);
  const { bits, fraction } = FORMATS[width];
  const bias = (1n << (bits - fraction - 2n)) - 1n;
  // Exponents close to each other, or any.
  const near = bias + BigInt(random.between(-3, 3));
  const exponent = random.once(3) ? random.word64() & (2n * bias + 1n) : near;
  const mantissa = random.once(3)
    ? (random.word64() & 7n) << (fraction - 3n)
    : random.word64() & ((1n << fraction) - 1n);
  const value = (BigInt(random.below(2)) << (bits - 1n)) | (exponent << fraction) | mantissa;
  return width === 64 ? value : box(FORMATS[width], value);
}
