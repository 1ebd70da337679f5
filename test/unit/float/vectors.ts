// Operands for the floating-point unit, and what the unit makes of them.
import { encode } from '../../../emulator/isa/encode';
import { Op } from '../../../emulator/isa/op';
import { readEncoding, type Row } from '../../../emulator/isa/row';
import { BASE_ROWS } from '../../../emulator/isa/rows';
import { FloatUnit } from '../../../emulator/engine/float/unit';

/** One execution: operands go to f11..f13, and x11 holds what f11 holds; results come from f10 and x10. */
export interface Vector {
  readonly row: Row;
  readonly rm: number;
  readonly operands: readonly [bigint, bigint, bigint];
}

export interface Outcome {
  readonly f: bigint;
  readonly x: bigint;
  readonly flags: number;
}

/** What f10 and x10 hold before. */
export const SENTINEL = 0x5a5aa5a5_12345678n;

/** Every instruction of F and D that the unit executes. */
export const FLOAT_ROWS: readonly Row[] = BASE_ROWS.filter(
  ({ op }) => op >= Op.FMADD_S && op <= Op.FMV_D_X && op !== Op.FLD && op !== Op.FSD,
);

export const hasRoundingMode = (row: Row): boolean => readEncoding(row.encoding).fields.has('rm');

/** How many registers the instruction reads, and of which kind the first is. */
export function shape(row: Row): { sources: number; kind: 'single' | 'double' | 'integer' } {
  const sources = ['rs1', 'rs2', 'rs3'].filter((name) => readEncoding(row.encoding).fields.has(name)).length;
  if (/,rs1/.test(row.operands)) return { sources, kind: 'integer' };
  return { sources, kind: /\.s$|fmv\.x\.w/.test(row.mnemonic) ? 'single' : 'double' };
}

const memory = new ArrayBuffer(1024);
const F = new BigUint64Array(memory, 256, 32);
const X = new BigUint64Array(memory, 512, 32);
const unit = new FloatUnit();
unit.rebind(memory, 256, 512);

/** Executes a vector on the unit, with the flags clear, or with `before` already accrued. */
export function run({ row, rm, operands }: Vector, before = 0): Outcome {
  operands.forEach((operand, i) => (F[11 + i] = operand));
  X[11] = operands[0];
  F[10] = X[10] = SENTINEL;
  unit.flags = before;
  unit.execute(row.op, 10, 11, 12, 13, rm);
  return { f: F[10]!, x: X[10]!, flags: unit.flags };
}

/** The instruction of a row as the vectors mean it, with the rounding mode left to frm. */
export function wordOf(row: Row): number {
  return encode(row, { rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: 7 });
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
  return values.flatMap((value) => [value, value | sign]);
}

const BOX = 0xffffffff_00000000n;
export const SINGLES: readonly bigint[] = [...corners(8, 23).map((bits) => bits | BOX), 0x3f800000n, BOX - 1n];
/** Among the doubles: what decides conversions to binary32 and to integers. */
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

const FORMATS = {
  single: { corners: SINGLES, exponentBits: 8, fractionBits: 23 },
  double: { corners: DOUBLES, exponentBits: 11, fractionBits: 52 },
};

/** A random operand: corners, plain bits, short fractions, and exponents near the middle, the ends and each other. */
function randomOperand(random: Random, kind: 'single' | 'double' | 'integer', middle: number): bigint {
  if (kind === 'integer') {
    if (random.below(6) === 0) return random.pick(INTEGERS);
    const value = random.bits64() >> BigInt(random.below(64));
    return BigInt.asUintN(64, random.below(2) ? value : -value);
  }
  const { corners: list, exponentBits, fractionBits } = FORMATS[kind];
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
  if (kind === 'double') return bits;
  return random.below(200) === 0 ? bits : bits | BOX;
}

/** `count` random vectors of an instruction, cycling through the rounding modes. */
export function randomVectors(row: Row, count: number, seed: number): Vector[] {
  const random = new Random(seed * 1000 + row.op);
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
  const { exponentBits, fractionBits } = FORMATS[kind];
  const normal = 1n << BigInt(fractionBits);
  const one = ((1n << BigInt(exponentBits - 1)) - 1n) * normal;
  const box = kind === 'double' ? 0n : BOX;
  const sign = () => BigInt(random.below(2)) << BigInt(exponentBits + fractionBits);
  const near = () => BigInt(random.below(9) - 4);
  const exponent = BigInt(random.below(20) - 10);
  const scale = BigInt(-fractionBits - 1 + random.below(3) - 1);
  const fraction = random.bits64() % normal;
  return [
    (one + exponent * normal + near()) | sign() | box,
    (one + (scale - exponent) * normal + near()) | sign() | box,
    (one + fraction) | sign() | box,
  ];
}

/** For the fused instructions: a third operand that is close to the product of the others, so that most bits cancel. */
function nearCancellation(row: Row, operands: [bigint, bigint, bigint]): [bigint, bigint, bigint] {
  const { kind } = shape(row);
  const [a, b] = operands;
  const view = new DataView(new ArrayBuffer(8));
  const read = (bits: bigint) => {
    view.setBigUint64(0, kind === 'double' ? bits : (bits & 0xffffffffn) << 32n);
    return kind === 'double' ? view.getFloat64(0) : view.getFloat32(0);
  };
  const product = -(read(a) * read(b));
  if (kind === 'double') view.setFloat64(0, product);
  else view.setFloat32(0, product);
  const bits = view.getBigUint64(0);
  return [a, b, kind === 'double' ? bits : (bits >> 32n) | BOX];
}

/** Corner vectors of an instruction, in every rounding mode: each corner, or `perMode` pairs or triples (0: all pairs, 4000 triples). */
export function cornerVectors(row: Row, perMode: number): Vector[] {
  const { sources, kind } = shape(row);
  const list = kind === 'integer' ? INTEGERS : kind === 'single' ? SINGLES : DOUBLES;
  const random = new Random(row.op);
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
