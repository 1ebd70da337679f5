/**
 * The frames of one stack, innermost first, found as they are asked for: an editor asks for twenty of a stack that may have a
 * thousand. Ends on a chain that does not lead upwards, so that a smashed stack ends too.
 */
import { lookupPc, unwindFrame } from './unwind';
import type { RegisterSet } from './registers';
import type { Caller, FoundBy, NoCaller, UnwindContext } from './types';

export interface Frame {
  /** 0 is the innermost. */
  readonly level: number;
  readonly registers: RegisterSet;
  readonly pc: bigint;
  /** Where source position and scopes are looked up: of a caller the call, which lies before the return address. */
  readonly lookupPc: bigint;
  /** Canonical frame address; undefined where the frame cannot be unwound. */
  readonly cfa: bigint | undefined;
  /** How the frame was found: by the hart's registers, or from the frame below. */
  readonly foundBy: FoundBy | 'hart';
  /** The frame was stopped at its pc; otherwise it called from before it. */
  readonly exact: boolean;
}

export class StackWalk {
  private readonly found: Frame[] = [];
  private next: (Pick<Caller, 'registers' | 'exact'> & { foundBy: Frame['foundBy'] }) | undefined;
  private ending: NoCaller | undefined;

  /** @param maxDepth frames at most; a stack that has more ends with an error */
  constructor(
    registers: RegisterSet,
    private readonly context: UnwindContext,
    private readonly maxDepth: number,
  ) {
    this.next = { registers, exact: true, foundBy: 'hart' };
  }

  /** Frames `start` to `start + count`, fewer where the stack ends. */
  frames(start: number, count: number): readonly Frame[] {
    while (this.next && this.found.length < start + count) this.find(this.next);
    return this.found.slice(start, start + count);
  }

  /** Frames found so far, and whether there are no more. */
  get known(): { readonly count: number; readonly complete: boolean } {
    return { count: this.found.length, complete: this.next === undefined };
  }

  /** Why the stack ends; undefined as long as its end was not reached. */
  get end(): NoCaller | undefined {
    return this.ending;
  }

  private find({ registers, exact, foundBy }: NonNullable<typeof this.next>): void {
    const level = this.found.length;
    const result = unwindFrame(registers, exact, this.context);
    const misplaced = this.misplaced(result.cfa, foundBy === 'signal');
    const cfa = misplaced ? undefined : result.cfa;
    this.found.push({ level, registers, pc: registers.pc, lookupPc: lookupPc(registers, exact), cfa, foundBy, exact });
    this.next = undefined;
    if (misplaced)
      this.ending = { end: 'its frame does not lie above the frame it called: the stack is damaged', isError: true };
    else if ('end' in result) this.ending = result;
    else if (level + 1 >= this.maxDepth)
      this.ending = { end: `the stack has more than ${this.maxDepth} frames`, isError: true };
    else this.next = result;
  }

  /**
   * Stacks grow downwards, so a caller's frame lies above. Two frames may share an address (a function that was called before it
   * set up its frame, with another link register), three not. A signal may change to another stack.
   */
  private misplaced(cfa: bigint | undefined, afterSignal: boolean): boolean {
    const [below, lower] = [this.found.at(-1)?.cfa, this.found.at(-2)?.cfa];
    if (cfa === undefined || below === undefined || afterSignal) return false;
    return cfa < below || (cfa === below && below === lower);
  }
}
