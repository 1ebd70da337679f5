/**
 * What leaves the machine: output, life-cycle events, transitions. Each is stamped with tick and sequence number; the sequence
 * number is part of the machine's state, the mark of what was delivered is not, so a replay delivers nothing twice.
 */
import type { Tick } from '../units';

export type Stamped<E> = E & { readonly tick: Tick; readonly sequence: number };

export class Outbox<E extends object> {
  private pending: Stamped<E>[] = [];
  private delivered = 0;
  /** Number of events emitted so far; state, saved and restored with the machine. */
  sequence = 0;
  /**
   * A debugger's hook, not state: called for every event, also replayed ones; returning true makes `Machine.run` return right
   * after the step that emitted it.
   */
  listener: ((event: Stamped<E>) => boolean) | undefined;
  /** Set when the listener asked to stop; cleared by whoever acts on it. */
  stopRequested: Stamped<E> | undefined;

  constructor(private readonly now: () => Tick) {}

  emit(event: E): void {
    // The event itself, not a copy, which would compute what it tells only when asked.
    const stamped = Object.assign(event, { tick: this.now(), sequence: ++this.sequence });
    if (this.listener?.(stamped)) this.stopRequested ??= stamped;
    if (stamped.sequence > this.delivered) this.pending.push(stamped);
  }

  /** Takes what was emitted since the last call. */
  drain(): Stamped<E>[] {
    const events = this.pending;
    this.pending = [];
    this.delivered = Math.max(this.delivered, this.sequence);
    return events;
  }

  /** After a restore in a new process: what was emitted up to here has been delivered by the earlier one. */
  assumeDelivered(): void {
    this.delivered = Math.max(this.delivered, this.sequence);
  }
}
