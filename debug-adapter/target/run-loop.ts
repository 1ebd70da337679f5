/**
 * Runs the machine in short slices, so that whatever the guest does, messages of the client are answered in between. Under pace
 * `real` virtual time never runs ahead of the clock on the wall: sleeps of the guest take as long as they say. Owns no decisions
 * about stops; knows nothing of enclaves.
 */
import type { MachineExit } from '../../emulator/machine/types';
import { tick, type Tick } from '../../emulator/units';

/** The outside's clock and turn-taking, given by whoever starts the adapter. */
export interface Wall {
  /** Milliseconds from any fixed point; never goes back. */
  now(): number;
  /** Runs after messages that have arrived were handled. */
  soon(then: () => void): void;
  /** Returns a function that calls it off. */
  later(milliseconds: number, then: () => void): () => void;
}

export interface Runnable {
  readonly tick: Tick;
  readonly clockHz: number;
  run(until: Tick): MachineExit;
}

/** A slice is over after this many milliseconds, or at the end of the piece that crosses it. */
const SLICE_MS = 10;
/**
 * Ticks run without looking at the clock, at most: 10 µs of the fastest code, but 20 ms of the slowest there is (rounding of subnormals in software, system
 * calls that copy much). So where they took longer than wanted, the next ones are fewer: only the first such piece is long. Where a piece ends the guest doesn't see.
 */
const PIECE_TICKS = 20_000;
const FEWEST_TICKS = 200;
const PIECE_MS = 2;
/** How far virtual time may lag behind before the debt is forgiven; else a sleep after a long computation would be skipped. */
const LAG_MS = 20;

/** What the owner of the loop says to an exit. */
export type Verdict = 'go on' | 'stop' | 'wait';

export class RunLoop {
  private running = false;
  /** Bumped by every start and stop, so that a turn planned before it does nothing. */
  private generation = 0;
  private piece = PIECE_TICKS;
  private anchorTick = 0;
  private anchorWall = 0;
  private cancelWait: (() => void) | undefined;

  constructor(
    private readonly system: Runnable,
    private readonly wall: Wall,
    private readonly pace: 'real' | 'fast',
    private readonly decide: (exit: MachineExit) => Verdict,
    /** Called after each slice, whatever happened in it. */
    private readonly afterSlice: () => void,
  ) {}

  get active(): boolean {
    return this.running;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.anchor();
    this.plan();
  }

  /** Nothing more is run after this returns. */
  stop(): void {
    this.running = false;
    this.generation++;
    this.cancelWait?.();
    this.cancelWait = undefined;
  }

  /** Something from outside happened: a machine that waits for it goes on. */
  wake(): void {
    if (!this.running || !this.cancelWait) return;
    this.cancelWait();
    this.cancelWait = undefined;
    this.anchor(); // what passed while it waited is not owed to it
    this.plan();
  }

  private anchor(): void {
    this.anchorTick = this.system.tick;
    this.anchorWall = this.wall.now();
  }

  private plan(): void {
    const generation = this.generation;
    this.wall.soon(() => {
      if (this.running && generation === this.generation) this.slice();
    });
  }

  private slice(): void {
    const generation = this.generation;
    const began = this.wall.now();
    let wait: number | undefined;
    let now = began;
    do {
      const cap = this.cap();
      if (this.system.tick >= cap) {
        wait = this.millisecondsTo(this.system.tick + 1);
        break;
      }
      const exit = this.system.run(tick(Math.min(this.system.tick + this.piece, cap)));
      const verdict = this.decide(exit);
      if (!this.running || generation !== this.generation) return this.afterSlice();
      if (verdict === 'stop') {
        this.stop();
        return this.afterSlice();
      }
      if (verdict === 'wait') {
        wait = Infinity;
        break;
      }
      const before = now;
      now = this.wall.now();
      this.fit(now - before);
    } while (now - began < SLICE_MS);
    this.forgive();
    this.afterSlice();
    if (!this.running || generation !== this.generation) return;
    if (wait === undefined) this.plan();
    else this.pauseFor(wait);
  }

  /** A piece took so long, in milliseconds. */
  private fit(took: number): void {
    if (took > PIECE_MS) this.piece = Math.max(FEWEST_TICKS, Math.floor((this.piece * PIECE_MS) / took));
    else if (took < PIECE_MS / 4) this.piece = Math.min(PIECE_TICKS, 2 * this.piece);
  }

  /** The last tick that may be reached now. */
  private cap(): number {
    if (this.pace === 'fast') return Number.MAX_SAFE_INTEGER;
    const elapsed = this.wall.now() - this.anchorWall;
    return this.anchorTick + Math.floor((elapsed * this.system.clockHz) / 1000);
  }

  private millisecondsTo(at: number): number {
    return Math.max(1, ((at - this.anchorTick) * 1000) / this.system.clockHz - (this.wall.now() - this.anchorWall));
  }

  private forgive(): void {
    const lag = ((this.cap() - this.system.tick) * 1000) / this.system.clockHz;
    if (this.pace === 'real' && lag > LAG_MS) {
      this.anchorTick = this.system.tick;
      this.anchorWall = this.wall.now() - LAG_MS;
    }
  }

  private pauseFor(milliseconds: number): void {
    const generation = this.generation;
    const resume = (): void => {
      this.cancelWait = undefined;
      if (this.running && generation === this.generation) this.slice();
    };
    // A machine that waits for something outside is woken by `wake` only.
    this.cancelWait = milliseconds === Infinity ? () => undefined : this.wall.later(milliseconds, resume);
  }
}
