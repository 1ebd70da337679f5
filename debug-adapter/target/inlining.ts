/**
 * Inlined calls as run control sees them. Several calls begin at one address when the first thing a function does is a call
 * that was inlined: the thread stands before all of them at once, and which of them the user is shown in is up to the step that
 * led there. DWARF 5, section 3.3.8.
 */
import type { CodeFrame } from '../inspect/stack/entry';
import type { SourcePlace } from '../symbols/dwarf/info/scopes';
import type { Image } from './image';

export interface Inlining {
  /** The inlined calls around an address, outermost first. */
  readonly chain: readonly number[];
  /** Where each of them was written. */
  readonly calls: readonly SourcePlace[];
  /** How many of the innermost begin at this very address. */
  readonly beginning: number;
}

const NONE: Inlining = { chain: [], calls: [], beginning: 0 };

/** At a link-time address. */
export function inliningAt(image: Image, address: number): Inlining {
  const inlined = image.program.info.scopesAt(address)?.inlined ?? [];
  if (inlined.length === 0) return NONE;
  let beginning = 0;
  while (inlined.at(-1 - beginning)?.entry === address) beginning++;
  return { chain: inlined.map(({ id }) => id), calls: inlined.map(({ call }) => call), beginning };
}

/** The chain of the frame as it is shown: without the calls that are inside of it. */
export function chainOf(frame: CodeFrame): readonly number[] {
  if (!frame.mapping || frame.level === undefined) return [];
  return inliningAt(frame.mapping.image, frame.lookup).chain.slice(0, frame.level);
}

export function commonLength(a: readonly number[], b: readonly number[]): number {
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common++;
  return common;
}

/** How many levels a breakpoint on one of these lines leaves out: the call itself is shown where it was put, not what is inlined there. */
export function hiddenByLine(frames: Iterable<CodeFrame>, lines: readonly number[]): number {
  let inner = 0;
  let most = 0;
  for (const { depth, lookup, mapping, place } of frames) {
    if (depth !== 0 || !mapping) break;
    if (inner === 0) most = inliningAt(mapping.image, lookup).beginning;
    if (inner > most) break;
    if (place && lines.includes(place.line)) return inner;
    inner++;
  }
  // Optimised code may begin a call among the instructions of another line.
  return most;
}
