/** The seam of a system call's handler: what it gets and what it can ask for. */
import type { SbiCall } from '../device';
import type { Core } from '../core';
import type { Call, Process, Thread, Wait } from '../state';

export type Outcome =
  /** a0: a result or a negative errno. */
  | number
  /** Blocked; the handler is called again with `phase` and `call.woken`. */
  | { readonly do: 'block'; readonly wait: Wait; readonly phase: unknown }
  /** On with the next step: long work in pieces. */
  | { readonly do: 'more'; readonly phase: unknown }
  /** To the back of the run queue, then on. */
  | { readonly do: 'yield'; readonly phase: unknown }
  /** Others have their turn, or the timer is set, before the handler is called again just like this time. */
  | { readonly do: 'make-way' }
  /** An SBI call; its result is in `call.sbi` of the next step. */
  | { readonly do: 'sbi'; readonly call: SbiCall; readonly phase: unknown }
  /** The registers are as they should be (or the thread is gone). */
  | { readonly do: 'done' };

export interface CallContext {
  readonly core: Core;
  readonly thread: Thread;
  readonly process: Process;
  readonly call: Call;
}

/** Throws MemoryFault for user memory that is not there; everything it did in this step is then undone and done again. */
export type Handler = (context: CallContext, ...args: readonly number[]) => Outcome;

export const waitFor = (queues: readonly string[], deadline = Infinity): Wait => ({ queues, deadline, bitset: ~0 });
