/**
 * When V8 compiles the interpreter's loop a second time. That takes 70 ms of another core, begins after a handful of instructions, because each of
 * them counts for the whole length of the loop's code, and the process can't end before it has: a short program would wait for what it has
 * no use for. With the largest budget it begins after some ten thousand instructions.
 */
import { setFlagsFromString } from 'node:v8';

const LARGEST = 2 ** 31 - 1;
/** What the flag is in the versions of V8 that are known: it can't be asked for, and must be put back. */
const BUDGETS: Readonly<Record<string, number>> = { '11.3': 1_800_000, '12.4': 13_000_000 };

/** Modules that are compiled by `work` are optimised late. */
export function withLateOptimisation<T>(work: () => T): T {
  const usual = BUDGETS[process.versions.v8.split('.', 2).join('.')];
  if (usual === undefined) return work();
  setFlagsFromString(`--wasm-tiering-budget=${LARGEST}`);
  try {
    return work();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${usual}`);
  }
}
