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
/** Steps that shortening a sequence may take. */
const MINIMISE_STEPS = 200_000;

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

/** What is left of a failing episode: the steps it needs, the calls they make, and what goes wrong then. */
export interface Minimised {
  readonly steps: readonly number[];
  readonly calls: readonly string[];
  readonly message: string;
}

/** Leaves out steps of a failing episode as long as it fails without them, in a bounded amount of work. */
export function minimise(failure: Failure, checks: Partial<Checks> = {}): Minimised {
  const all = Array.from({ length: failure.step + 1 }, (_, i) => i);
  let best: Minimised = { steps: all, calls: [], message: failure.message };
  let work = 0;
  const fails = (kept: readonly number[]): boolean => {
    work += kept.length;
    if (work > MINIMISE_STEPS) return false;
    const keep = new Set(kept);
    const skip = new Set(all.filter((i) => !keep.has(i)));
    const tally = new Tally();
    tally.log = [];
    const limits = { steps: failure.step + 1, calls: Infinity, skip, checks };
    const again = episode(failure.level, failure.seed, failure.episode, tally, limits);
    if (again) best = { steps: kept.filter((i) => i <= again.step), calls: tally.log, message: again.message };
    return again !== undefined;
  };
  // Often the end alone is enough.
  for (let last = 8; last < all.length; last *= 2) if (fails(all.slice(-last))) break;
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < best.steps.length && work < MINIMISE_STEPS;) {
      const { steps } = best;
      if (!fails([...steps.slice(0, from), ...steps.slice(from + size)])) from += size;
    }
  return best;
}
