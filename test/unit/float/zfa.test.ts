/**
 * Zfa and fcvtmod.w.d, which qemu-riscv64 7.2 does not have: vectors made from the text of the unprivileged manual, chapter "Zfa". The
 * numbers of a format are written as values and encoded here, so that one list serves every format that has the value.
 */
import assert from 'node:assert/strict';
import { BACKENDS, type Backend } from './backends';

type Width = 16 | 32 | 64;
const WIDTHS: readonly Width[] = [16, 32, 64];
const FORMATS = {
  16: { fraction: 10n, bias: 15n },
  32: { fraction: 23n, bias: 127n },
  64: { fraction: 52n, bias: 1023n },
};
const NX = 1;
const NV = 16;
const [RNE, RTZ, RDN, RUP, RMM] = [0n, 1n, 2n, 3n, 4n];

const infinity = (width: Width): bigint => (2n * FORMATS[width].bias + 1n) << FORMATS[width].fraction;
const nan = (width: Width): bigint => infinity(width) | (1n << (FORMATS[width].fraction - 1n));
const signaling = (width: Width): bigint => infinity(width) | 1n;
/** A quiet NaN with a sign and a payload. */
const oddNan = (width: Width): bigint => nan(width) | (1n << BigInt(width - 1)) | 5n;

const view = new DataView(new ArrayBuffer(8));
/** The encoding of a value that the format has. */
function encoded(width: Width, value: number): bigint {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  if (width === 64) return bits;
  const { fraction, bias } = FORMATS[width];
  const sign = (bits >> 63n) << BigInt(width - 1);
  if (value === 0) return sign;
  if (!Number.isFinite(value)) return sign | infinity(width);
  const field = ((bits >> 52n) & 0x7ffn) - 1023n + bias;
  const significand = (bits & 0xfffffffffffffn) | (1n << 52n);
  const dropped = 52n - fraction + (field > 0n ? 0n : 1n - field);
  const kept = significand >> dropped;
  if (kept << dropped !== significand || field >= 2n * bias + 1n) throw new Error(`${value} is not in ${width} bits`);
  return sign | (field > 0n ? ((field - 1n) << fraction) + kept : kept);
}

function check(backend: Backend, name: string, args: readonly bigint[], result: bigint, flags = 0): void {
  const actual = backend.call(name, args, 0);
  const shown = (bits: bigint): string => bits.toString(16);
  assert.equal(
    `${name}(${args.map(shown).join()}) ${shown(actual.result)} ${actual.flags}`,
    `${name}(${args.map(shown).join()}) ${shown(result)} ${flags}`,
  );
}

/** The table "Immediate values loaded by the FLI.S instruction", entries 2 to 29. */
// prettier-ignore
const IMMEDIATES = [
  2 ** -16, 2 ** -15, 2 ** -8, 2 ** -7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75,
  2, 2.5, 3, 4, 8, 16, 128, 256, 2 ** 15, 2 ** 16,
];

/** A value, and what fround makes of it: [RNE, RTZ, RDN, RUP, RMM]. */
const ROUNDED: readonly (readonly [number, readonly number[]])[] = [
  [0, [0, 0, 0, 0, 0]],
  [-0, [-0, -0, -0, -0, -0]],
  [Infinity, [Infinity, Infinity, Infinity, Infinity, Infinity]],
  [-Infinity, [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity]],
  [2 ** -24, [0, 0, 0, 1, 0]],
  [-(2 ** -24), [-0, -0, -1, -0, -0]],
  [0.25, [0, 0, 0, 1, 0]],
  [0.5, [0, 0, 0, 1, 1]],
  [-0.5, [-0, -0, -1, -0, -1]],
  [0.75, [1, 0, 0, 1, 1]],
  [1, [1, 1, 1, 1, 1]],
  [1.5, [2, 1, 1, 2, 2]],
  [-1.5, [-2, -1, -2, -1, -2]],
  [2.5, [2, 2, 2, 3, 3]],
  [-2.5, [-2, -2, -3, -2, -3]],
  [-2.75, [-3, -2, -3, -2, -3]],
  [511.5, [512, 511, 511, 512, 512]],
  [1023.5, [1024, 1023, 1023, 1024, 1024]],
  [-1024, [-1024, -1024, -1024, -1024, -1024]],
  [65504, [65504, 65504, 65504, 65504, 65504]],
];
const ROUNDED_64: typeof ROUNDED = [
  [2 ** 52 - 0.5, [2 ** 52, 2 ** 52 - 1, 2 ** 52 - 1, 2 ** 52, 2 ** 52]],
  [2 ** 53 + 2, [2 ** 53 + 2, 2 ** 53 + 2, 2 ** 53 + 2, 2 ** 53 + 2, 2 ** 53 + 2]],
  [5e-324, [0, 0, 0, 1, 0]],
  [0.49999999999999994, [0, 0, 0, 1, 0]],
];

/** A double, its fcvtmod.w.d, and whether NX (inexact and in range) or NV (out of range) is raised. */
const MODULO: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [-0, 0, 0],
  [1.9, 1, NX],
  [-1.9, -1, NX],
  [5e-324, 0, NX],
  [2 ** 31 - 1, 2 ** 31 - 1, 0],
  [2 ** 31 - 0.5, 2 ** 31 - 1, NX],
  [2 ** 31, -(2 ** 31), NV],
  [-(2 ** 31), -(2 ** 31), 0],
  [-(2 ** 31) - 0.5, -(2 ** 31), NX],
  [-(2 ** 31) - 1, 2 ** 31 - 1, NV],
  [2 ** 32 + 5.5, 5, NV],
  [-(2 ** 32) - 5.5, -5, NV],
  [2 ** 52 + 3, 3, NV],
  [2 ** 53 + 2 ** 33 + 6, 6, NV],
  [2 ** 83 + 2 ** 31, -(2 ** 31), NV],
  [-(2 ** 83) - 2 ** 31, -(2 ** 31), NV],
  [2 ** 84, 0, NV],
  [1.5 * 2 ** 84, 0, NV],
  [Infinity, 0, NV],
  [-Infinity, 0, NV],
  [1.7976931348623157e308, 0, NV],
];

for (const backend of BACKENDS)
  describe(`Zfa on ${backend.name}`, () => {
    it('fli loads the constants of the table, and raises nothing', () => {
      for (const width of WIDTHS) {
        const { fraction } = FORMATS[width];
        const table = IMMEDIATES.map((value) => encoded(width, width === 16 && value === 2 ** 16 ? Infinity : value));
        const values = [encoded(width, -1), 1n << fraction, ...table, infinity(width), nan(width)];
        assert.equal(values.length, 32);
        values.forEach((value, index) => check(backend, `fli${width}`, [BigInt(index)], value));
      }
    });

    it('fminm and fmaxm give the lesser and the greater number, -0 being less than +0', () => {
      const ordered = [-Infinity, -2, -1, -(2 ** -24), -0, 0, 2 ** -24, 1, 1.5, Infinity];
      for (const width of WIDTHS)
        ordered.forEach((less, i) => {
          for (const greater of ordered.slice(i)) {
            const [a, b] = [encoded(width, less), encoded(width, greater)];
            for (const args of [
              [a, b],
              [b, a],
            ]) {
              check(backend, `minm${width}`, args, a);
              check(backend, `maxm${width}`, args, b);
            }
          }
        });
    });

    it('fminm and fmaxm give the canonical NaN for any NaN, and NV for a signaling one', () => {
      for (const width of WIDTHS)
        for (const name of [`minm${width}`, `maxm${width}`]) {
          const one = encoded(width, 1);
          check(backend, name, [oddNan(width), one], nan(width));
          check(backend, name, [one, oddNan(width)], nan(width));
          check(backend, name, [one, signaling(width)], nan(width), NV);
          check(backend, name, [signaling(width), oddNan(width)], nan(width), NV);
        }
    });

    it('fround rounds in each mode without NX; froundnx raises it where the result differs', () => {
      for (const width of WIDTHS)
        for (const [value, results] of width === 64 ? [...ROUNDED, ...ROUNDED_64] : ROUNDED)
          results.forEach((result, rm) => {
            const [from, to] = [encoded(width, value), encoded(width, result)];
            check(backend, `round${width}`, [from, BigInt(rm), 0n], to);
            check(backend, `round${width}`, [from, BigInt(rm), 1n], to, from === to ? 0 : NX);
          });
    });

    it('fround and froundnx make a NaN canonical, and raise NV for a signaling one alone', () => {
      for (const width of WIDTHS)
        for (const rm of [RNE, RTZ, RDN, RUP, RMM])
          for (const inexact of [0n, 1n]) {
            check(backend, `round${width}`, [oddNan(width), rm, inexact], nan(width));
            check(backend, `round${width}`, [signaling(width), rm, inexact], nan(width), NV);
          }
    });

    it('fcvtmod.w.d truncates modulo 2^32, with the flags of fcvt.w.d', () => {
      for (const [value, result, flags] of MODULO)
        check(backend, 'moduloS32From64', [encoded(64, value)], BigInt.asUintN(64, BigInt(result)), flags);
      check(backend, 'moduloS32From64', [nan(64)], 0n, NV);
      check(backend, 'moduloS32From64', [signaling(64)], 0n, NV);
    });

    it('fltq and fleq compare like flt and fle, but raise NV for signaling NaNs alone', () => {
      for (const width of WIDTHS) {
        const [one, two] = [encoded(width, 1), encoded(width, 2)];
        const [zero, minus] = [encoded(width, 0), encoded(width, -0)];
        check(backend, `ltq${width}`, [one, two], 1n);
        check(backend, `ltq${width}`, [two, two], 0n);
        check(backend, `ltq${width}`, [minus, zero], 0n);
        check(backend, `leq${width}`, [two, two], 1n);
        check(backend, `leq${width}`, [zero, minus], 1n);
        check(backend, `leq${width}`, [two, one], 0n);
        for (const name of ['ltq', 'leq']) {
          check(backend, name + width, [oddNan(width), one], 0n);
          check(backend, name + width, [one, nan(width)], 0n);
          check(backend, name + width, [one, signaling(width)], 0n, NV);
        }
        check(backend, `lt${width}`, [one, nan(width)], 0n, NV);
        check(backend, `le${width}`, [nan(width), one], 0n, NV);
      }
    });
  });

describe('boxes of narrow numbers', () => {
  for (const backend of BACKENDS)
    it(`have ones above them; anything else stands for the canonical NaN, on ${backend.name}`, () => {
      check(backend, 'box16', [0x8001n], 0xffffffffffff8001n);
      check(backend, 'box32', [0x80000001n], 0xffffffff80000001n);
      check(backend, 'unbox16', [0xffffffffffff8001n], 0x8001n);
      check(backend, 'unbox32', [0xffffffff80000001n], 0x80000001n);
      check(backend, 'unbox16', [0xfffffffffffe8001n], nan(16));
      check(backend, 'unbox16', [0x7fffffffffff8001n], nan(16));
      check(backend, 'unbox32', [0xfffffffe80000001n], nan(32));
      check(backend, 'unbox32', [0x3f800000n], nan(32));
    });
});
