/**
 * A queue of numbers from whose middle anybody may leave, as a persistent value: for state that is one immutable tree. Each operation
 * touches the nodes on a path or two, never all members: a queue of thousands costs little more than one of ten, in each step.
 */
import { Map } from 'immutable';
import { first, from, insert, remove, type Sorted } from './sorted';

export interface Fifo {
  /** Members (`tie`) by their place (`key`), in the order they came. */
  readonly order: Sorted;
  readonly places: Map<number, number>;
  /** Place of the next to come. */
  readonly next: number;
}

export const EMPTY_FIFO: Fifo = { order: null, places: Map(), next: 0 };

/** The queue with `id` at its end, if it stands in it nowhere. */
export function joined(queue: Fifo, id: number): Fifo {
  const { order, places, next } = queue;
  if (places.has(id)) return queue;
  return { order: insert(order, next, id), places: places.set(id, next), next: next + 1 };
}

export function left(queue: Fifo, id: number): Fifo {
  const place = queue.places.get(id);
  if (place === undefined) return queue;
  return { ...queue, order: remove(queue.order, place, id), places: queue.places.remove(id) };
}

export const sizeOf = (queue: Fifo): number => queue.places.size;
export const firstOf = (queue: Fifo): number | undefined => first(queue.order)?.tie;

/** Members (`tie`) from a place (`key`) on. */
export const membersFrom = (queue: Fifo, place: number): ReturnType<typeof from> => from(queue.order, place);
