/**
 * Does the host have an operator that multiplies and adds with one rounding? The relaxed SIMD operators `relaxed_madd` may round once or
 * twice, as the processor likes, but the same way each time (WebAssembly 3.0, "Relaxed Operations"): so they are tried, on triples where
 * the two differ.
 */
import { Code, type ValueType } from './code';
import { ModuleBuilder } from './module';
import { compile, instantiate, validates } from './web-assembly';

type Triple = readonly [a: number, b: number, c: number, fused: number];

/** Triples whose result, rounded once, differs from that of a product rounded before the sum; cancellation, a tie, and both orders. */
const DOUBLES: readonly Triple[] = [
  [1 + 2 ** -30, 1 + 2 ** -30, -(1 + 2 ** -29), 2 ** -60],
  [1 + 2 ** -52, 1 - 2 ** -52, -1, -(2 ** -104)],
  [1 - 2 ** -52, 1 + 2 ** -52, -1, -(2 ** -104)],
  [-(1 + 2 ** -30), 1 + 2 ** -30, 1 + 2 ** -29, -(2 ** -60)],
  [2 ** 600 * (1 + 2 ** -40), 2 ** -600 * (1 - 2 ** -40), -1, -(2 ** -80)],
  // The product alone is out of range.
  [2 ** 1000, 2 ** 24, -(2 ** 1023), 2 ** 1023],
  // A trace less than half a last place, which a product that was rounded is: a tie.
  [1 + 2 ** -27, 2 ** -53 * (1 - 2 ** -27), 1 + 2 ** -52, 1 + 2 ** -52],
];
const SINGLES: readonly Triple[] = [
  [1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11), 2 ** -24],
  [1 + 2 ** -23, 1 - 2 ** -23, -1, -(2 ** -46)],
  [1 - 2 ** -23, 1 + 2 ** -23, -1, -(2 ** -46)],
  [-(1 + 2 ** -12), 1 + 2 ** -12, 1 + 2 ** -11, -(2 ** -24)],
  [2 ** 100, 2 ** 28, -(2 ** 127), 2 ** 127],
];

function fuses(type: ValueType, triples: readonly Triple[]): boolean {
  const shape = type === 'f64' ? 'f64x2' : 'f32x4';
  const code = new Code([type, type, type]);
  for (const operand of [0, 1, 2]) {
    code.get(operand);
    code.vector(`${shape}.splat`);
  }
  code.vector(`${shape}.relaxed_madd`);
  code.vector(`${shape}.extract_lane`, 0);
  const module = new ModuleBuilder();
  const index = module.declare({ parameters: [type, type, type], results: [type] });
  module.define(index, code);
  module.export('madd', index);
  const bytes = module.finish(0);
  if (!validates(bytes)) return false;
  const madd = instantiate(compile(bytes), {}).exports['madd'] as (...operands: number[]) => number;
  return triples.every(([a, b, c, fused]) => madd(a, b, c) === fused);
}

let found: boolean | undefined;
/** True where products are added with one rounding, in both formats. */
export const hasFused = (): boolean => (found ??= fuses('f64', DOUBLES) && fuses('f32', SINGLES));
