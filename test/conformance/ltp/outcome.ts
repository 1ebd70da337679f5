/** What a test of LTP ended with, here or under qemu-riscv64. */

export type Verdict = 'passed' | 'failed' | 'not applicable' | 'no end' | 'crashed';

export interface Outcome {
  readonly verdict: Verdict;
  /** Exit status; 128 + n for signal n; undefined when it never ended. */
  readonly status: number | undefined;
  /** Its own lines of the kinds that are not passes, and the system's. */
  readonly said: string;
  readonly missing?: readonly string[];
  readonly milliseconds?: number;
}

/** The exit status is a sum of these (LTP's tst_res_flags.h). */
const TCONF = 32;

export function verdictOf(status: number | undefined, output: string): Verdict {
  if (/Kernel panic/.test(output)) return 'crashed';
  if (status === undefined) return 'no end';
  if (status === 0) return 'passed';
  // A disk of its own (a loop device) is wanted, and there is none.
  if (status === TCONF || /Failed to acquire device/.test(output)) return 'not applicable';
  return 'failed';
}

const SAID_MAX = 1500;

/** The lines that tell why; colours and passes left out. */
export function telling(output: string): string {
  const lines = output.replace(/\u001b\[[\d;]*m/g, '').split('\n');
  const kept = lines.filter(
    (line) => line !== '' && !/TPASS|TINFO|^(passed|failed|broken|skipped|warnings) |^Summary/.test(line),
  );
  return kept.join('\n').slice(0, SAID_MAX);
}
