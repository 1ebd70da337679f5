/**
 * Reference counts of page frames, as a persistent value that is part of its owner's state and so of snapshots and of the hash. Whoever
 * allocates frames owns their counts: the host OS those of its processes, a monitor those of its own. A frame in use has one reference
 * unless it is in the map, so frames that nobody shares cost nothing. Knows addresses of frames only, never memory.
 */
import { Map } from 'immutable';
import { PAGE_SIZE } from '../units';

/** Counts of 2 and more, by the frame's number: addresses from 2^31 on would share a few hash values (measured: 16,384 frames, 15). */
export type References = Map<number, number>;
const numberOf = (frame: number): number => frame / PAGE_SIZE;

export const NO_REFERENCES: References = Map();

/** References to a frame that is in use. */
export const referencesTo = (references: References, frame: number): number => references.get(numberOf(frame), 1);

/** With one more reference to a frame that is in use. */
export const withReference = (references: References, frame: number): References =>
  references.set(numberOf(frame), referencesTo(references, frame) + 1);

/** With one reference less; undefined when it was the last and the frame is to be freed. */
export function withoutReference(references: References, frame: number): References | undefined {
  const count = referencesTo(references, frame);
  if (count === 1) return undefined;
  return count === 2 ? references.remove(numberOf(frame)) : references.set(numberOf(frame), count - 1);
}
