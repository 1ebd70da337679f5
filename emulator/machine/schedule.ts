/**
 * Whose turn it is. One clock for all harts: a hart runs for a slice of `quantum` ticks, then the next one that does not sleep, by id and
 * round again; a hart that sleeps gives the rest of its slice away. All of it is words of the machine's memory (layout.ts), so a run
 * that is cut anywhere goes on alike.
 *
 * A slice never ends between LR and SC: while a reservation is held it goes on, an instruction at a time, for at most EXTENSION more
 * (a constrained loop has at most 16: unprivileged specification, "Eventual Success of Store-Conditional Instructions"). A reservation
 * that outlives even that ends with the slice, so no other hart's store ever has to look for one.
 */
import type { Hart } from '../hart/hart';
import { Area } from './layout';
import type { PhysicalMemory } from './memory';

/** Ticks of a slice unless the machine is created with another: 50 µs of virtual time. */
export const DEFAULT_QUANTUM = 5_000;
/** Ticks that a slice may be prolonged by while its hart holds a reservation. */
export const EXTENSION = 64;

export class Schedule {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly harts: readonly Hart[],
    readonly quantum: number,
  ) {
    if (!Number.isInteger(quantum) || quantum < 1)
      throw new Error(`a slice of ${quantum} ticks: give an integer of at least 1`);
    this.sliceEnd = harts.length > 1 ? quantum : 0;
  }

  /** The hart whose turn it is, or was last when all sleep. */
  get current(): Hart {
    return this.harts[this.memory.i32[Area.TURN / 4]!]!;
  }

  private get sliceEnd(): number {
    return this.memory.f64[Area.SLICE_END / 8]!;
  }
  private set sliceEnd(at: number) {
    this.memory.f64[Area.SLICE_END / 8] = at;
  }

  /** The hart that executes next, awake; undefined when all sleep. May end a slice and begin another. */
  next(now: number): Hart | undefined {
    const { current, harts } = this;
    if (isAwake(current) && (harts.length === 1 || !this.isOver(current, now))) return awaken(current);
    if (harts.length === 1) return undefined;
    for (let i = 1; i <= harts.length; i++) {
      const hart = harts[(current.id + i) % harts.length]!;
      if (!isAwake(hart)) continue;
      current.leave(now);
      hart.join(now);
      this.memory.i32[Area.TURN / 4] = hart.id;
      this.sliceEnd = now + this.quantum;
      return awaken(hart);
    }
    return undefined;
  }

  private isOver(hart: Hart, now: number): boolean {
    return now >= this.sliceEnd + (hart.reservation < 0 ? 0 : EXTENSION);
  }

  /** Ticks until it must be asked again who is next: at least 1. */
  remaining(now: number): number {
    if (this.harts.length === 1) return Infinity;
    return Math.max(1, this.sliceEnd - now);
  }

  /** When a timer will wake a hart while all sleep, in ticks; Infinity when none will. */
  get wakeTime(): number {
    return Math.min(...this.harts.map((hart) => hart.wakeTime));
  }
}

const isAwake = (hart: Hart): boolean => !hart.sleeping || hart.wakes;

function awaken(hart: Hart): Hart {
  if (hart.sleeping) hart.sleeping = false;
  return hart;
}
