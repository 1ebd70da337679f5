/**
 * `npm run bench -- --regions N`: N distinct hot loops one after the other in one process. All of them must have
 * been translated, and what is not run any more released: the resident set after the last quarter is held against that after the second, both with
 * garbage collected, and its peak, as V8 lets it be, against a cap.
 */
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import type { EngineName } from '../../emulator/machine/types';
import { withPrograms } from './compiled';
import type { RegionsResult, RegionsRun } from './regions-run';
import { timed } from './timed';

export const REGIONS = 200_000;
const GROWTH = 1.1;
/** MiB that the process may take at most. */
const CAP = 600;
/**
 * Runs of each loop: so many that a translator which spends a fifth of the time translating gets to all of them. With 30,000 it made 199,868:
 * those that it lacked had been told of up to 29 times, and were over before enough had been earned.
 */
const TIMES = 40_000;

export interface RegionsOptions {
  readonly count: number;
  readonly engine?: EngineName;
  readonly cap?: number;
}

export interface RegionsReport extends RegionsResult {
  readonly count: number;
  readonly cap: number;
  readonly seconds: number;
  /** Last quarter / second quarter, with garbage collected. */
  readonly growth: number;
  readonly kept: boolean;
}

/** Measures and tells. Throws an Error when the program did not do what it should. */
export function measureRegions(
  child: string,
  options: RegionsOptions,
  say: (line: string) => void,
): Promise<RegionsReport> {
  const { count, cap = CAP } = options;
  // Every loop in a place of its own: 128 bytes apart that are six times as many pages as there are blocks of decoded code for.
  const places = Math.ceil(count / 16) * 16;
  return withPrograms(async (make) => {
    const program = await make('host', 'guests/regions.c', 'regions', ['-O2']);
    const engine = options.engine ?? ENGINE_NAMES[0]!;
    const run: RegionsRun = { program, args: [count, places, TIMES].map(String), engine };
    const { seconds, stdout } = timed(process.execPath, [child, JSON.stringify(run)]);
    const result = JSON.parse(stdout) as RegionsResult;
    if (result.exitStatus !== 0 || result.rss.length !== 4)
      throw new Error(`exit status ${result.exitStatus}: ${result.output}`);
    const growth = result.collected[3]! / result.collected[1]!;
    const translated = result.translated?.made ?? count;
    const kept = growth <= GROWTH && result.peak <= cap && translated >= count;
    say(`${count} distinct loops, each run ${TIMES} times, in ${places} places, with the engine ${result.engine}:`);
    say(`  ${(result.ticks / 1e6).toFixed(0)} M ticks, ${seconds.toFixed(1)} s of CPU time`);
    const counts = result.translated;
    if (counts) {
      say(
        `  ${counts.made} regions made, ${counts.live} alive, ${counts.modules} modules in ${counts.generations + 1} generations`,
      );
      say(`  all of them translated: ${translated >= count ? 'yes' : 'NO'}`);
    }
    const list = (sizes: readonly number[]): string => sizes.map((mib) => `${mib.toFixed(0)} MiB`).join(', ');
    say(`  resident set after each quarter: ${list(result.rss)}; with garbage collected: ${list(result.collected)}`);
    say(`  last / second: ${growth.toFixed(3)}, wanted at most ${GROWTH}: ${growth <= GROWTH ? 'yes' : 'NO'}`);
    say(`  peak ${result.peak.toFixed(0)} MiB, wanted at most ${cap}: ${result.peak <= cap ? 'yes' : 'NO'}`);
    return { ...result, count, cap, seconds, growth, kept };
  });
}
