/**
 * Doubling an address space, as fork does: the same areas; private pages are shared by both until one of them writes (copy on write), pages
 * of shared mappings for good. A piece at a time: between the pieces no thread of the process that is doubled may run or change its areas, which
 * holds while the call that does it goes on from step to step without blocking.
 */
import { Map } from 'immutable';
import { PAGE_SIZE } from '../../units';
import { Cost, type Core } from '../core';
import type { Memory } from '../state';
import { areaAt, presentPages } from './areas';
import { releaseFrame, shareFrame } from './frames';
import { USER_TOP } from './layout';
import { setAreas } from './objects';
import { addPage, changePage, copyOnWriteLeaf, frameOf, isCopyOnWrite, newRoot } from './tables';

/**
 * An address space for a new process that is to become as another, without pages or areas yet; undefined when table pages are short. When the
 * process is there with it, `forkAreas` comes next.
 */
export function emptyMemory(core: Core, like: Memory): Memory | undefined {
  const root = newRoot(core);
  const { brkStart, brk } = like;
  return root === undefined
    ? undefined
    : { root, middles: Map(), leaves: Map(), pages: Map(), areas: [], brkStart, brk };
}

/** Gives process `child` the areas of `parent`; then come the pages. */
export function forkAreas(core: Core, parent: number, child: number): void {
  const { areas } = core.process(parent).memory;
  setAreas(core, child, areas);
  core.charge(areas.length >> 2);
}

/**
 * Gives process `child`, which has the areas of `parent` already, the parent's present pages in [from, USER_TOP), at most a piece of them.
 * Returns where to go on, USER_TOP when done, undefined when table pages are short: then `dropPages` of the child undoes what was done (pages
 * of the parent that were marked take their frames back at their next store).
 */
export function forkPages(core: Core, parent: number, child: number, from: number): number | undefined {
  let [old, young] = [core.process(parent).memory, core.process(child).memory];
  const { pages, next } = presentPages(old, from / PAGE_SIZE, USER_TOP / PAGE_SIZE);
  let short = false;
  for (const page of pages) {
    const area = areaAt(old, page * PAGE_SIZE);
    // Frames of a device are no frames of the process, and the firmware may have taken some away: a fault asks for them anew.
    if (!area || area.backing.kind === 'frames') continue;
    let leaf = old.pages.get(page)!;
    const frame = frameOf(leaf);
    if (!area.shared && !isCopyOnWrite(leaf)) {
      leaf = copyOnWriteLeaf(frame, area.prot);
      old = changePage(core, old, page, leaf);
    }
    shareFrame(core, frame);
    const mapped = addPage(core, young, page, leaf);
    if (!mapped) {
      releaseFrame(core, frame);
      short = true;
      break;
    }
    young = mapped;
  }
  core.charge(pages.length * Cost.LINE);
  core.setProcess(parent, { memory: old });
  core.setProcess(child, { memory: young });
  return short ? undefined : next * PAGE_SIZE;
}
