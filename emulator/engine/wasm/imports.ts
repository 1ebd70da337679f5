/**
 * The functions of the host (engine/host.ts) as WebAssembly imports: all parameters and results are i32. The order is that of the
 * module's imports.
 */
import type { Host } from '../host';

/** Parameters, and whether there is a result. */
const SHAPES = {
  decode: [1, false],
  hot: [3, false],
  resolve: [2, true],
  single: [2, true],
  stop: [2, true],
  trap: [3, true],
  illegal: [1, true],
  load: [3, true],
  store: [5, true],
  loadReserved: [3, true],
  storeConditional: [5, true],
  amoLoad: [3, true],
  amoStore: [5, true],
  cacheBlock: [3, true],
  zeroBlock: [2, true],
  readCsr: [3, true],
  writeCsr: [3, true],
  returnFromTrap: [1, true],
  wait: [0, true],
  fenceTranslations: [0, true],
  fenceInstructions: [0, true],
} as const satisfies Partial<Record<keyof Host, readonly [number, boolean]>>;

export type Import = keyof typeof SHAPES;
export const IMPORTS = Object.entries(SHAPES).map(([name, [parameters, result]]) => ({
  name: name as Import,
  parameters,
  result,
}));

/** What the module asks for as `env`, besides the memory. */
export function importsOf(host: Host): Record<Import, (...args: number[]) => number | void> {
  const bound = IMPORTS.map(({ name }) => [name, (host[name] as (...args: number[]) => number | void).bind(host)]);
  return Object.fromEntries(bound) as Record<Import, (...args: number[]) => number | void>;
}
