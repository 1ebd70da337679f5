/**
 * Numbers for things a client may ask about while the program is paused: frames and expandable variables. They count from 1 in
 * the order they are handed out and start again at every stop, so that equal sessions give equal numbers.
 */

/** Variables handed out between two stops; a client that asks for more has lost its way. */
const REFERENCES_MAX = 1_000_000;

export class References<T> {
  private items: T[] = [];

  add(item: T): number {
    if (this.items.length >= REFERENCES_MAX) throw new Error('too many variables were expanded at one stop');
    return this.items.push(item);
  }

  get(reference: number): T | undefined {
    return this.items[reference - 1];
  }

  clear(): void {
    this.items = [];
  }
}
