/**
 * The machine's one clock. A tick is an executed instruction or part of a personality's step; guests see it as cycle and
 * instret, and divided down to 10 MHz as time. The tick lives in the machine's memory because it is state.
 */
import { tick, type Tick } from '../units';
import { Area } from './layout';
import type { PhysicalMemory } from './memory';

/** Frequency of `time` and mtime. */
export const TIMEBASE_HZ = 10_000_000;

export class Clock {
  /** Ticks per unit of `time`. */
  readonly ticksPerUnit: number;
  /** Instructions of the current engine run that come before the one being executed; 0 outside of a run. */
  elapsed = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    clockHz: number,
  ) {
    this.ticksPerUnit = clockHz / TIMEBASE_HZ;
    if (!Number.isInteger(this.ticksPerUnit) || this.ticksPerUnit < 1)
      throw new Error(`clock of ${clockHz} Hz: give a multiple of ${TIMEBASE_HZ}`);
  }

  get tick(): Tick {
    return tick(this.memory.f64[Area.TICK / 8]! + this.elapsed);
  }

  set tick(value: number) {
    this.memory.f64[Area.TICK / 8] = value;
  }

  /** Value of `time`: an integer. */
  get time(): number {
    return Math.floor(this.tick / this.ticksPerUnit);
  }
}
