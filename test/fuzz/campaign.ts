/**
 * Runs of many calls, cut into episodes: each is a machine of its own whose every step is decided by (seed, episode, step) and by what is
 * there, so that a failing one is repeated from its numbers alone, and made shorter by leaving steps out.
 */
import type { Checks } from '../../monitor/checks';
import { Random } from '../differential/random';
import { KernelWorld } from './kernel/world';
import { LinuxWorld } from './linux/world';
import { Tally } from './tally';

export interface FuzzWorld {
  /** One step: a call, or a few that belong together. */
  step(random: Random): void;
  /** A step that is left out of a repetition: whoever is to do something does nothing. */
  skip?(): void;
  fullCheck(): void;
  /** The end of an episode: nothing may be left behind. */
  finish?(): void;
}

export type Level = 'kernel' | 'linux';
export const LEVELS: readonly Level[] = ['kernel', 'linux'];

/** Steps of an episode; between full checks, calls. */
export const EPISODE = 6000;
const FULL_CHECK = 1000;
const MINIMISE_RUNS = 200;

const WORLDS: Readonly<Record<Level, (tally: Tally, seed: number, checks: Partial<Checks>) => FuzzWorld>> = {
  kernel: (tally, _seed, checks) => new KernelWorld(tally, checks),
  linux: (tally, seed, checks) => new LinuxWorld(tally, seed, checks),
};

export interface Failure {
  readonly level: Level;
  readonly seed: number;
  readonly episode: number;
  readonly step: number;
  readonly message: string;
  readonly stack: string;
}

const mix = (...numbers: readonly number[]): number =>
  numbers.reduce((hash, number) => Math.imul(hash ^ number, 0x9e3779b1) ^ (hash >>> 15), 0x2545f491);

export interface Limits {
  readonly steps: number;
  /** Calls after which the episode ends, in the tally. */
  readonly calls: number;
  readonly skip?: ReadonlySet<number>;
  /** Checks of the monitor that are switched off, to see that this is found. */
  readonly checks?: Partial<Checks>;
}

/** One episode; what went wrong in it, if anything. */
export function episode(level: Level, seed: number, number: number, tally: Tally, limits: Limits): Failure | undefined {
  let step = -1;
  try {
    const world = WORLDS[level](tally, mix(seed, number), limits.checks ?? {});
    let checked = tally.total.calls;
    for (step = 0; step < limits.steps && tally.total.calls < limits.calls; step++) {
      if (limits.skip?.has(step)) world.skip?.();
      else world.step(new Random(mix(seed, number, step)));
      if (tally.total.calls - checked < FULL_CHECK) continue;
      checked = tally.total.calls;
      world.fullCheck();
    }
    world.fullCheck();
    world.finish?.();
    return undefined;
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { level, seed, episode: number, step, message, stack: stack ?? '' };
  }
}

/** The steps of a failing episode without those that it fails without, in a bounded number of tries. */
export function minimise(failure: Failure, checks: Partial<Checks> = {}): { steps: number[]; message: string } {
  let needed = Array.from({ length: failure.step + 1 }, (_, i) => i);
  let { message } = failure;
  let runs = 0;
  const fails = (kept: readonly number[]): boolean => {
    if (runs++ > MINIMISE_RUNS) return false;
    const keep = new Set(kept);
    const skip = new Set(Array.from({ length: failure.step + 1 }, (_, i) => i).filter((i) => !keep.has(i)));
    const limits = { steps: failure.step + 1, calls: Infinity, skip, checks };
    const again = episode(failure.level, failure.seed, failure.episode, new Tally(), limits);
    if (again) message = again.message;
    return again !== undefined;
  };
  for (
    let size = Math.ceil(needed.length / 2);
    size >= 1 && runs < MINIMISE_RUNS;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  )
    for (let from = 0; from < needed.length;) {
      const without = [...needed.slice(0, from), ...needed.slice(from + size)];
      if (fails(without)) needed = without;
      else from += size;
    }
  return { steps: needed, message };
}
