/**
 * The snapshots of a run that can be gone back in: when the next one is due, and which of those there are is given up. Going back to a tick is
 * restoring the latest snapshot before it and executing from there (`state(t) = snapshot + replay`), so the distance of two snapshots is what a user waits for.
 *
 * Decided by ticks and numbers of pages alone, so that the same run has the same snapshots everywhere; nothing else depends on them.
 */
import type { Copies } from '../../emulator/machine/types';
import type { Tick } from '../../emulator/units';

/** Ticks between two snapshots at least: some 10 ms of hot code, 100 ms of code that is interpreted. */
export const EVERY = 20_000_000;
/**
 * Ticks for each page copied since the last snapshot, so that a program that writes everywhere pays less than a tenth, too. A copy takes 0.5 µs, and 1 µs more
 * where the page's first store asks for it; with what it drives out of the host's caches 4 µs of the fastest code, 10,000 instructions (measured).
 */
const PER_COPY = 150_000;
/** ... and for each page of memory touched for the first time: 3 µs, or five times that in a virtual machine whose host has to find it first. */
const PER_TOUCHED = 300_000;
/** Snapshots kept: going back by n ticks executes about a tenth of n at most (see `leastMissed`). */
export const MOST = 160;
/** So few are kept whatever memory they take; ... */
export const FEWEST = 16;
/** ... of more, the copies may take a page for so many ticks of the run, up to so many pages (128 MiB). */
const TICKS_PER_PAGE = 2_000_000;
const PAGES = 32_768;

/** What is recorded: a System. */
export interface Recorded<S extends { readonly tick: Tick }> {
  readonly tick: Tick;
  readonly machine: { readonly copies: Copies };
  snapshot(): S;
  giveUp(snapshot: S): void;
}

/**
 * Of ascending ticks the index of the one that is missed least: without it, going back to just before its follower executes more, and in proportion to
 * how long ago that was it is the least. So distances grow with age. The first and the last two stay.
 */
export function leastMissed(ticks: readonly number[]): number {
  const now = ticks[ticks.length - 1]!;
  let [least, index] = [Infinity, -1];
  for (let i = 1; i < ticks.length - 2; i++) {
    const before = ticks[i - 1]!;
    const missed = (ticks[i + 1]! - before) / (now - before);
    if (missed < least) [least, index] = [missed, i];
  }
  return index;
}

export class Recording<S extends { readonly tick: Tick }> {
  private readonly kept: S[] = [];
  private before: Copies;

  constructor(private readonly recorded: Recorded<S>) {
    this.before = recorded.machine.copies;
    this.take();
  }

  /** In the order of their ticks. */
  get snapshots(): readonly S[] {
    return this.kept;
  }

  /** The latest snapshot at a tick or before it; undefined before the first. */
  upTo(tick: Tick): S | undefined {
    return this.kept.findLast((snapshot) => snapshot.tick <= tick);
  }

  /** To be called between two runs, every million ticks or so: takes a snapshot if one is due. */
  look(): void {
    const { copies } = this.recorded.machine;
    const cost = PER_COPY * (copies.made - this.before.made) + PER_TOUCHED * (copies.touched - this.before.touched);
    if (this.recorded.tick - this.kept.at(-1)!.tick >= Math.max(EVERY, cost)) this.take();
  }

  private take(): void {
    this.before = this.recorded.machine.copies;
    this.kept.push(this.recorded.snapshot());
    while (this.tooMuch()) {
      const [gone] = this.kept.splice(leastMissed(this.kept.map(({ tick }) => tick)), 1);
      this.recorded.giveUp(gone!);
    }
  }

  private tooMuch(): boolean {
    const { length } = this.kept;
    if (length <= FEWEST) return false;
    const pages = Math.min(PAGES, this.recorded.tick / TICKS_PER_PAGE);
    return length > MOST || this.recorded.machine.copies.held > pages;
  }
}
