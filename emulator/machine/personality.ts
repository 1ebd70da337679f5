/**
 * The seam between the machine and the software at a privilege level that is a TypeScript object instead of guest code.
 *
 * A trap enters the level as the privileged specification says (xepc, xcause, xtval and xstatus are written, the hart is at that
 * level); the machine then calls `step` for as long as the hart stays there. A personality leaves by `hart.mret()`, `hart.sret()`,
 * `hart.ecall()` or `hart.waitForInterrupt()`, as guest code would. No JavaScript frame of it outlives a step: what it is in the
 * middle of is plain data in its state.
 */
import type { Hart } from '../hart/types';

export interface Personality {
  /** One bounded piece of work, well under a millisecond. Returns its cost in ticks, an integer of at least 1. Never throws. */
  step(hart: Hart): number;
  /**
   * The root of the state: an immutable tree of plain data (records, arrays, strings, numbers, bigints, typed arrays that are
   * never written again, `immutable` Maps and Lists). Behaviour must not depend on the iteration order of an `immutable` Map.
   */
  snapshot(): unknown;
  /** Puts a root that `snapshot` returned, in this process or in an earlier one, back in place. */
  restore(root: unknown): void;
}
