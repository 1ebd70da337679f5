/**
 * A file that is cut: its pages behind the new end go out of every address space that maps them (also the copies of private mappings, as
 * POSIX has it: an access then is a SIGBUS) and out of the page cache, a piece at a time.
 */
import { PAGE_SIZE } from '../../units';
import type { Core } from '../core';
import type { Area } from '../state';
import { dropPages } from './areas';
import { cutObject } from './objects';

/** How far it has come: addresses of process `pid` below `at` are done; with pid Infinity, pages of the object below `at`. */
export interface Cutting {
  readonly pid: number;
  readonly at: number;
}
export const CUT_FROM_START: Cutting = { pid: 0, at: 0 };

/** Where an area shows pages of an object from `first` on, if it does. */
function shownFrom({ object, start, end }: Area, id: number, first: number): number | undefined {
  if (object?.id !== id) return undefined;
  const from = Math.max(start, start + first * PAGE_SIZE - object.start);
  return from < end ? from : undefined;
}

/** One piece of taking away an object's pages from `first` on; undefined when done. */
export function cutMappings(core: Core, id: number, first: number, { pid, at }: Cutting): Cutting | undefined {
  if (pid !== Infinity) {
    const pids = [...core.state.processes.keys()].filter((other) => other >= pid).sort((a, b) => a - b);
    for (const candidate of pids)
      for (const area of core.process(candidate).memory.areas) {
        const from = shownFrom(area, id, first);
        if (from === undefined || (candidate === pid && area.end <= at)) continue;
        return { pid: candidate, at: dropPages(core, candidate, Math.max(from, candidate === pid ? at : 0), area.end) };
      }
  }
  const next = cutObject(core, id, Math.max(first, pid === Infinity ? at : 0));
  return next === undefined ? undefined : { pid: Infinity, at: next };
}
