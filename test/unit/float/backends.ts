/** What the floating-point rows can be run on: everything that gives the row language a meaning. */
import { callFunction } from '../../reference/evaluate';
import { compiled } from '../engine/source/compiled';
import { FLOAT_LIBRARY, functionName, parametersOf } from './rows';
import '../../../debug-adapter/node-flags';
import { hasFused } from '../../../emulator/engine/wasm/fused';
import { templates } from './templates';
import type { Outcome, Vector } from './vectors';
import { webAssembly } from './web-assembly';

export interface Backend {
  readonly name: string;
  /** Is it quick enough for hundreds of thousands of vectors? */
  readonly quick: boolean;
  /**
   * Calls a function of FLOAT_LIBRARY.
   * @param args integers of the parameters' widths
   * @param before fflags before
   */
  call(name: string, args: readonly bigint[], before: number): Outcome;
}

const evaluator: Backend = {
  name: 'the reference evaluator',
  quick: false,
  call(name, args, before) {
    const { result, fcsr } = callFunction(FLOAT_LIBRARY, name, args, before);
    return { result: result as bigint, flags: fcsr };
  },
};

const javaScript = compiled(FLOAT_LIBRARY, false);
const source: Backend = {
  name: 'generated TypeScript',
  quick: true,
  call(name, args, before) {
    const { result, fcsr } = javaScript.call(name, args, before);
    return { result: result as bigint, flags: fcsr };
  },
};

const module: Backend = { name: 'WebAssembly', quick: true, call: webAssembly(FLOAT_LIBRARY) };

export const BACKENDS: readonly Backend[] = [evaluator, source, module];

/** The rows as translated code has them; it knows the functions of rows only. */
export const TEMPLATES: Backend = { name: 'templates', quick: true, call: templates(false) };

/** Those for a host that has a fused multiply-add, if this one has. */
export const FUSED_TEMPLATES: Backend | undefined = hasFused()
  ? { name: 'templates with a fused operator', quick: true, call: templates(true) }
  : undefined;

/** The quickest there is. */
export const QUICKEST: Backend = module;

/** Executes a vector with the flags clear, or with `before` already accrued. */
export function run(backend: Backend, { row, rm, operands }: Vector, before = 0): Outcome {
  const [rs1, rs2, rs3] = operands;
  const values: Record<string, bigint> = { rs1, frs1: rs1, frs2: rs2, frs3: rs3, zimm: rs1 & 31n, rm: BigInt(rm) };
  return backend.call(
    functionName(row),
    parametersOf(row).map((name) => values[name]!),
    before,
  );
}
