// Operands for the floating-point rows: corners of the formats, and random ones close to where rounding decides.
import { readEncoding, type Row } from '../../../emulator/isa/row';

/** One execution: the operands are those of rs1 (of either register file), rs2 and rs3. */
export interface Vector {
  readonly row: Row;
  readonly rm: number;
  readonly operands: readonly [bigint, bigint, bigint];
}

export interface Outcome {
  /** What goes to rd. */
  readonly result: bigint;
  /** fflags afterwards. */
  readonly flags: number;
}

export const hasRoundingMode = (row: Row): boolean => readEncoding(row.encoding).fields.has('rm');

type Kind = 'half' | 'single' | 'double' | 'integer';

/** How many registers the instruction reads, and of which kind the first is. */
export function shape(row: Row): { sources: number; kind: Kind } {
  const sources = ['rs1', 'rs2', 'rs3'].filter((name) => readEncoding(row.encoding).fields.has(name)).length;
  if (/,rs1/.test(row.operands)) return { sources, kind: 'integer' };
  if (/\.h$/.test(row.mnemonic)) return { sources, kind: 'half' };
  return { sources, kind: /\.s$|fmv\.x\.w/.test(row.mnemonic) ? 'single' : 'double' };
}

/** xorshift128 over 32-bit words, handing out 64 bits. */
export class Random {
  private s = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef];

  constructor(seed: number) {
    this.s[0]! ^= seed * 0x85ebca6b;
    for (let i = 0; i < 20; i++) this.word();
  }

  word(): number {
    const [a, b, c, d] = this.s as [number, number, number, number];
    const t = a ^ (a << 11);
    const next = d ^ (d >>> 19) ^ (t ^ (t >>> 8));
    this.s = [b, c, d, next];
    return next >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bits64(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}

/** Corner operands of a format: zeros, subnormals, ends of the ranges, infinities, NaNs, 1 and its neighbours, ties, integers. */
function corners(exponentBits: number, fractionBits: number): bigint[] {
  const one = ((1n << BigInt(exponentBits - 1)) - 1n) << BigInt(fractionBits);
  const infinity = ((1n << BigInt(exponentBits)) - 1n) << BigInt(fractionBits);
  const normal = 1n << BigInt(fractionBits);
  const exponent = (e: number) => one + BigInt(e) * normal;
  const values = [
    0n,
    1n,
    2n,
    normal - 1n,
    normal,
    normal + 1n,
    exponent(-fractionBits - 1), // half an ulp of 1
    exponent(-fractionBits),
    exponent(-1) - 1n,
    exponent(-1),
    exponent(-1) + 1n,
    one - 1n,
    one,
    one + 1n,
    one + normal / 2n, // 1.5
    exponent(1),
    exponent(1) + normal / 4n, // 2.5
    exponent(fractionBits),
    exponent(fractionBits + 1),
    exponent(31) - 1n,
    exponent(31),
    exponent(32),
    exponent(63),
    exponent(64) - 1n,
    infinity - normal,
    infinity - 1n, // the largest
    infinity,
    infinity + 1n, // signaling
    infinity + normal / 2n, // the canonical NaN
    infinity + normal / 2n + 3n,
  ];
  const sign = 1n << BigInt(exponentBits + fractionBits);
  // Half precision has no numbers as large as the last of these.
  return values.filter((value) => value >= 0n && value < sign).flatMap((value) => [value, value | sign]);
}

const BOX_HALF = 0xffffffff_ffff0000n;
const BOX = 0xffffffff_00000000n;
/** Boxed, and not: 1.0 with zeros above it, or in a binary32 box. */
const HALVES: readonly bigint[] = [...corners(5, 10).map((bits) => bits | BOX_HALF), 0x3c00n, 0xffffffff_00003c00n];
/** Among the singles: what decides conversions to binary16. */
export const SINGLES: readonly bigint[] = [
  ...corners(8, 23).map((bits) => bits | BOX),
  0x3f800000n,
  BOX - 1n,
  ...[
    0x477fe000n, // largest binary16
    0x477fefffn,
    0x477ff000n, // halfway to 2^16
    0x387fc000n, // below the smallest normal binary16
    0x387fe000n,
    0x387ff000n,
    0x33800000n, // smallest subnormal binary16
    0xb3000001n,
    0x33000000n,
  ].map((bits) => bits | BOX),
];
/** Among the doubles: what decides conversions to binary32, to binary16 and to integers. */
export const DOUBLES: readonly bigint[] = [
  ...corners(11, 52),
  0x47efffffe0000000n, // largest binary32
  0x47effffff0000000n, // halfway to 2^128
  0x47efffffefffffffn,
  0x380fffffe0000000n, // below the smallest normal binary32
  0x380ffffff0000000n,
  0x380fffffefffffffn,
  0x36a0000000000000n, // smallest subnormal binary32
  0x3690000000000000n,
  0xc1e0000000000000n, // -2^31
  0xc1e0000000100000n, // -2^31 - 0.5
  0xc1e0000000200000n,
  0x41dfffffffe00000n, // 2^31 - 0.5
  0x41efffffffefffffn,
  0x40effc0000000000n, // largest binary16
  0x40effdffffffffffn,
  0xc0effe0000000000n, // halfway to 2^16
  0x3f0ff80000000000n, // below the smallest normal binary16
  0x3f0ffc0000000000n,
  0x3f0ffe0000000000n,
  0x3e60000000000001n,
  0xbe60000000000000n, // half the smallest subnormal binary16
];
export const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  (1n << 24n) + 1n,
  (1n << 25n) + 2n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  (1n << 53n) - 1n,
  (1n << 53n) + 1n,
  (1n << 54n) + 2n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 63n) + 1n,
  (1n << 63n) | 0x400n,
  (1n << 63n) | 0x8000000000n,
].flatMap((value) => [value, BigInt.asUintN(64, -value)]);

interface Format {
  readonly corners: readonly bigint[];
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** The ones above a number in a register. */
  readonly box: bigint;
}
const FORMATS: Readonly<Record<Exclude<Kind, 'integer'>, Format>> = {
  half: { corners: HALVES, exponentBits: 5, fractionBits: 10, box: BOX_HALF },
  single: { corners: SINGLES, exponentBits: 8, fractionBits: 23, box: BOX },
  double: { corners: DOUBLES, exponentBits: 11, fractionBits: 52, box: 0n },
};

/** A number of its own for each instruction, whatever stands in the list before it. */
const seedOf = ({ mnemonic }: Row): number => [...mnemonic].reduce((seed, c) => (31 * seed + c.charCodeAt(0)) >>> 0, 0);

/** A random operand: corners, plain bits, short fractions, and exponents near the middle, the ends and each other. */
function randomOperand(random: Random, kind: Kind, middle: number): bigint {
  if (kind === 'integer') {
    if (random.below(6) === 0) return random.pick(INTEGERS);
    const value = random.bits64() >> BigInt(random.below(64));
    return BigInt.asUintN(64, random.below(2) ? value : -value);
  }
  const { corners: list, exponentBits, fractionBits, box } = FORMATS[kind];
  const roll = random.below(16);
  if (roll === 0) return random.pick(list);
  const width = 1 + exponentBits + fractionBits;
  let fraction = random.bits64() & ((1n << BigInt(fractionBits)) - 1n);
  if (roll < 6) fraction = (fraction >> BigInt(random.below(fractionBits))) << BigInt(random.below(fractionBits));
  fraction &= (1n << BigInt(fractionBits)) - 1n;
  const bias = 2 ** (exponentBits - 1) - 1;
  const around = [middle, 0, 1 - bias, bias - 1, 0][random.below(5)]!;
  const spread = roll === 15 ? bias : random.pick([2, 6, fractionBits, fractionBits + 12]);
  const exponent = around + random.below(2 * spread + 1) - spread;
  const biased = Math.min(Math.max(exponent + bias, 0), 2 * bias + (random.below(64) === 0 ? 1 : 0));
  const bits = (BigInt(random.below(2)) << BigInt(width - 1)) | (BigInt(biased) << BigInt(fractionBits)) | fraction;
  return random.below(200) === 0 ? bits : bits | box;
}

/** `count` random vectors of an instruction, cycling through the rounding modes. */
export function randomVectors(row: Row, count: number, seed: number): Vector[] {
  const random = new Random(seed * 1000 + seedOf(row));
  const { kind } = shape(row);
  const modes = hasRoundingMode(row) ? 5 : 1;
  return Array.from({ length: count }, (_, i) => {
    const middle = random.below(200) - 100;
    const operands = [
      randomOperand(random, kind, middle),
      randomOperand(random, kind, random.below(2) ? -middle : middle),
      randomOperand(random, kind, random.below(2) ? 0 : 2 * middle),
    ] as [bigint, bigint, bigint];
    const fused = shape(row).sources === 3;
    if (fused && i % 7 === 3) return { row, rm: i % modes, operands: nearCancellation(row, operands) };
    if (fused && i % 7 === 5) return { row, rm: i % modes, operands: nearTie(row, random) };
    return { row, rm: i % modes, operands };
  });
}

/** For the fused instructions: a product that is almost half a last place of the third operand, off by its own last bits. */
function nearTie(row: Row, random: Random): [bigint, bigint, bigint] {
  const { kind } = shape(row);
  if (kind === 'integer') throw new Error(`${row.mnemonic} is not a fused instruction`);
  const { exponentBits, fractionBits, box } = FORMATS[kind];
  const normal = 1n << BigInt(fractionBits);
  const one = ((1n << BigInt(exponentBits - 1)) - 1n) * normal;
  const sign = () => BigInt(random.below(2)) << BigInt(exponentBits + fractionBits);
  const near = () => BigInt(random.below(9) - 4);
  const exponent = BigInt(random.below(Math.min(20, fractionBits)) - 10);
  const scale = BigInt(-fractionBits - 1 + random.below(3) - 1);
  const fraction = random.bits64() % normal;
  return [
    (one + exponent * normal + near()) | sign() | box,
    (one + (scale - exponent) * normal + near()) | sign() | box,
    (one + fraction) | sign() | box,
  ];
}

const view = new DataView(new ArrayBuffer(8));

/** The value of a finite number. */
function valueOf(bits: bigint, { exponentBits, fractionBits }: Format): number {
  const field = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n));
  const fraction = Number(bits & ((1n << BigInt(fractionBits)) - 1n)) / 2 ** fractionBits;
  const size = field === 0 ? fraction * 2 : fraction + 1;
  return (
    ((bits >> BigInt(exponentBits + fractionBits)) & 1n ? -size : size) * 2 ** (field - 2 ** (exponentBits - 1) + 1)
  );
}

/** A value's leading digits in a format: zero or an infinity if it has no normal number there. */
function leadingDigits(value: number, { exponentBits, fractionBits }: Format): bigint {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const ones = (1n << BigInt(exponentBits)) - 1n;
  const field = ((bits >> 52n) & 0x7ffn) - 1023n + (ones >> 1n);
  const fraction = (bits & 0xfffffffffffffn) >> BigInt(52 - fractionBits);
  const size =
    field <= 0n ? 0n : field >= ones ? ones << BigInt(fractionBits) : (field << BigInt(fractionBits)) | fraction;
  return size | ((bits >> 63n) << BigInt(exponentBits + fractionBits));
}

/** For the fused instructions: a third operand that is close to the product of the others, so that most bits cancel. */
function nearCancellation(row: Row, operands: [bigint, bigint, bigint]): [bigint, bigint, bigint] {
  const { kind } = shape(row);
  if (kind === 'integer') throw new Error(`${row.mnemonic} is not a fused instruction`);
  const [a, b] = operands;
  const format = FORMATS[kind];
  return [a, b, leadingDigits(-valueOf(a, format) * valueOf(b, format), format) | format.box];
}

/** Corner vectors of an instruction, in every rounding mode: each corner, or `perMode` pairs or triples (0: all pairs, 4000 triples). */
export function cornerVectors(row: Row, perMode: number): Vector[] {
  const { sources, kind } = shape(row);
  const list = kind === 'integer' ? INTEGERS : FORMATS[kind].corners;
  const random = new Random(seedOf(row));
  const modes = hasRoundingMode(row) ? [0, 1, 2, 3, 4] : [0];
  return modes.flatMap((rm) => {
    if (sources === 1) return list.map((a): Vector => ({ row, rm, operands: [a, 0n, 0n] }));
    if (sources === 2 && perMode === 0)
      return list.flatMap((a) => list.map((b): Vector => ({ row, rm, operands: [a, b, 0n] })));
    return Array.from({ length: perMode }, (): Vector => ({
      row,
      rm,
      operands: [random.pick(list), random.pick(list), sources === 3 ? random.pick(list) : 0n],
    }));
  });
}
