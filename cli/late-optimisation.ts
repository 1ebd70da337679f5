/**
 * When V8 compiles what runs often a second time, on other cores and better. The process can't end before that has, so a short program would wait
 * for what it has no use for: 70 ms for the interpreter's loop, which begins after a handful of instructions, because each of them counts for the
 * whole length of the loop's code; and as much again for two dozen functions of the host OS and the monitor.
 */
import { setFlagsFromString } from 'node:v8';

/** The largest budget: the loop's begins to be compiled after some ten thousand instructions. */
const LARGEST = 2 ** 31 - 1;
/** What the flag is in the versions of V8 that are known: it can't be asked for, and must be put back. */
const BUDGETS: Readonly<Record<string, number>> = { '11.3': 1_800_000, '12.4': 13_000_000 };

/** WebAssembly that is compiled by `work` is optimised late. */
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

/** CPU time that a program has before JavaScript is optimised, in microseconds. */
const SHORT = 60_000;

/** No JavaScript is optimised between its making and `done`, or the first `look` after some time. V8 counts calls meanwhile. */
export class OptimisationLater {
  private readonly began = process.cpuUsage();
  waiting = true;

  constructor() {
    setFlagsFromString('--no-opt');
  }

  look(): void {
    if (!this.waiting) return;
    const { user, system } = process.cpuUsage(this.began);
    if (user + system > SHORT) this.done();
  }

  /** Must come before V8's code is kept: it is good for the same flags only. */
  done(): void {
    if (!this.waiting) return;
    this.waiting = false;
    setFlagsFromString('--opt');
  }
}
