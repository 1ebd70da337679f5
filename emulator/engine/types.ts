/**
 * The seam behind which an engine executes guest instructions. Synchronous, never throws, allocates nothing per run.
 * An engine owns no state of the machine: registers are the hart's words, memory is the machine's.
 */
import type { Cause } from '../hart/types';
import type { Hart } from '../hart/hart';

export const enum ExitKind {
  /**
   * The budget is used up, or something that decides what runs next was changed (a CSR, a timer, a privilege level), so that the
   * machine must look at interrupts and deadlines again: `ticks` may be less than the budget.
   */
  BUDGET,
  /** An exception. `cause` and tval say which; the hart's pc is at the instruction, which counts as executed. */
  TRAP,
  /** A stop is armed at the hart's pc; the instruction there was not executed. */
  STOP,
  /** A watched range was accessed by the instruction before the hart's pc. */
  WATCH,
  /** WFI was executed; the hart's pc is behind it. */
  WFI,
}

/** Why `run` came back. One object per engine, overwritten by the next run. */
export interface Exit {
  kind: ExitKind;
  /** Instructions executed, trapping ones included. */
  ticks: number;
  cause: Cause;
  tvalLow: number;
  tvalHigh: number;
  /** WATCH: the access. */
  address: number;
  size: number;
  write: boolean;
}

export const newExit = (): Exit => ({
  kind: ExitKind.BUDGET,
  ticks: 0,
  cause: 0,
  tvalLow: 0,
  tvalHigh: 0,
  address: 0,
  size: 0,
  write: false,
});

/** What a translator has done so far. */
export interface Translated {
  /** Regions that were made, and those that are alive. */
  readonly made: number;
  readonly live: number;
  /** Modules that were compiled, and how often all modules were put in order. */
  readonly modules: number;
  readonly generations: number;
}

export interface Engine {
  /** Executes at most `budget` (at least 1) instructions at the hart's privilege and pc. */
  run(hart: Hart, budget: number): Exit;
  /** Another engine goes on. */
  rest?(): void;
  /** Of an engine that translates, once it has begun. */
  readonly translated?: Translated | undefined;
}

/** Given to `passStop` instead of a space: no stop is to be passed. */
export const NO_PASS = -2;

/** How an engine's loop ended. The hart's pc was set, Area.COUNT says how many instructions were executed. */
export const enum Left {
  /** The number of instructions it was given is executed. */
  LIMIT,
  /** Something that the loop holds is out of date: enter it again. */
  AGAIN,
  /** The last of the instructions counted raised an exception. */
  TRAP,
  /** A stop is armed at the pc. */
  STOP,
  /** The last of the instructions counted was WFI. */
  WFI,
}

/** How a piece of an instruction that may fail ended. Below TRAP its effect has taken place. */
export const enum Result {
  DONE = 0,
  /** Done, and what the engine holds in locals may be out of date: leave the loop after this instruction. */
  LEAVE = 1,
  TRAP = 2,
  /** Nothing was done: leave the loop and execute the instruction again. */
  RETRY = 3,
  /** The hart's pc was set; leave the loop. */
  JUMPED = 4,
  WFI = 5,
}

/** Where an exception's facts are put until the engine leaves its loop. */
export interface Fault {
  cause: Cause;
  low: number;
  high: number;
}
