import assert from 'node:assert/strict';
import type { Copies } from '../../../emulator/machine/types';
import { tick, type Tick } from '../../../emulator/units';
import { EVERY, leastMissed, MOST, Recording, type Recorded } from '../../../monitor/system/recording';

/** A run that writes so many pages between two looks. Its copies are used again as soon as a snapshot is given up. */
class Run implements Recorded<{ readonly tick: Tick }> {
  tick = tick(0);
  readonly given: Tick[] = [];
  private made = 0;
  private touched = 0;
  private spare = 0;
  private readonly sizes = new Map<Tick, number>();

  get machine(): { readonly copies: Copies } {
    return { copies: { made: this.made, touched: this.touched, held: this.touched - this.spare } };
  }

  snapshot(): { readonly tick: Tick } {
    this.sizes.set(this.tick, 0);
    return { tick: this.tick };
  }

  giveUp(snapshot: { readonly tick: Tick }): void {
    this.given.push(snapshot.tick);
    this.spare += this.sizes.get(snapshot.tick)!;
  }

  /** The pages are written before the next snapshot is due. */
  go(ticks: number, pages: number): void {
    this.tick = tick(this.tick + ticks);
    const latest = [...this.sizes.keys()].at(-1)!;
    this.sizes.set(latest, this.sizes.get(latest)! + pages);
    this.made += pages;
    const again = Math.min(pages, this.spare);
    this.spare -= again;
    this.touched += pages - again;
  }
}

const STEP = 1_000_000;

function recorded(ticks: number, pagesEvery: (snapshots: number) => number): [Recording<{ tick: Tick }>, Run] {
  const run = new Run();
  const recording = new Recording(run);
  let last: { readonly tick: Tick } | undefined;
  while (run.tick < ticks) {
    const latest = recording.snapshots.at(-1);
    run.go(STEP, latest === last ? 0 : pagesEvery(recording.snapshots.length));
    last = latest;
    recording.look();
  }
  return [recording, run];
}

const ticksOf = (recording: Recording<{ tick: Tick }>): number[] => recording.snapshots.map(({ tick }) => tick);

describe('A recording', () => {
  it('begins with a snapshot, and has them as far apart as wanted while there are few', () => {
    const [recording] = recorded(10 * EVERY, () => 10);
    assert.deepEqual(ticksOf(recording), Array.from({ length: 11 }, (_, i) => i * EVERY)); // prettier-ignore
    assert.equal(recording.upTo(tick(3 * EVERY - 1))?.tick, 2 * EVERY);
    assert.equal(recording.upTo(tick(3 * EVERY))?.tick, 3 * EVERY);
  });

  it('is sparser where much is written, and less so once memory for the copies is there', () => {
    const [recording] = recorded(1000 * EVERY, () => 1000);
    const ticks = ticksOf(recording);
    assert.ok(ticks[1]! >= 5 * EVERY);
    const latest = ticks.at(-1)! - ticks.at(-2)!;
    assert.ok(latest > EVERY && latest < ticks[1]!, `${ticks[1]} first, ${latest} at last`);
  });

  it('keeps few of a long run: always the first and the latest, and the older the further apart', () => {
    const [recording, run] = recorded(3000 * EVERY, () => 1);
    const ticks = ticksOf(recording);
    assert.equal(ticks.length, MOST);
    assert.equal(ticks[0], 0);
    assert.equal(run.tick - ticks.at(-1)!, 0);
    assert.equal(new Set([...ticks, ...run.given]).size, MOST + run.given.length, 'nothing kept was given up');
    for (const [i, at] of ticks.slice(1).entries()) {
      const age = run.tick - ticks[i]!;
      assert.ok(at - ticks[i]! <= Math.max(2 * EVERY, 0.2 * age), `${at - ticks[i]!} ticks without one ${age} ago`);
    }
  });

  it('keeps fewer where they take much memory, but never less than some', () => {
    const [some, run] = recorded(3000 * EVERY, () => 800);
    assert.ok(some.snapshots.length < MOST && some.snapshots.length > 16);
    assert.ok(run.machine.copies.held <= 33_600);
    const [few] = recorded(30_000 * EVERY, () => 30_000);
    assert.equal(few.snapshots.length, 16);
  });

  it('misses least what has close neighbours long ago', () => {
    assert.equal(leastMissed([0, 10, 20, 30, 40]), 1);
    assert.equal(leastMissed([0, 30, 34, 38, 60, 70]), 2);
    assert.equal(leastMissed([0, 40, 50, 60, 70]), 2);
  });
});
