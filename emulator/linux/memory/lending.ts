/**
 * Address spaces that several processes use: one owns the memory, the others borrow it (clone with CLONE_VM, as vfork and posix_spawn make
 * it) until they execute a program or end. When the owner does so first, the first borrower becomes the owner: pages are never copied or lost.
 * `Core.process` shows a borrower with its owner's memory, `Core.setProcess` puts changes there.
 */
import { Map } from 'immutable';
import { PAGE_SIZE, space } from '../../units';
import type { Core } from '../core';
import type { Memory } from '../state';

/** Of a process that borrows, or that has none any more. */
export const NO_MEMORY: Memory = {
  root: 0,
  middles: Map(),
  leaves: Map(),
  pages: Map(),
  areas: [],
  brkStart: 0,
  brk: 0,
};

/** The process that owns the memory which a process uses. */
export function ownerOf(core: Core, pid: number): number {
  return core.state.processes.get(pid)!.borrows || pid;
}

function setBorrowers(core: Core, owner: number, pids: readonly number[]): void {
  const { borrowers } = core.state;
  core.set({ borrowers: pids.length > 0 ? borrowers.set(owner, pids) : borrowers.remove(owner) });
}

/** Tells the outside which images a process that owns its memory has in it. */
export function tellImages(core: Core, pid: number): void {
  const { memory, images } = core.process(pid);
  for (const image of images)
    core.emit({
      kind: 'image',
      pid,
      space: space(memory.root / PAGE_SIZE),
      path: image.path,
      base: image.base,
      get hash() {
        return image.hash;
      },
    });
}

/** Notes that process `pid`, made with `borrows: owner`, uses the owner's memory. */
export function lend(core: Core, owner: number, pid: number): void {
  setBorrowers(core, owner, [...(core.state.borrowers.get(owner) ?? []), pid]);
}

/** Takes its address space from a process: the memory to be freed, undefined when others use it on. */
export function detachMemory(core: Core, pid: number): Memory | undefined {
  const { borrows, memory } = core.state.processes.get(pid)!;
  core.setProcess(pid, { borrows: 0, memory: NO_MEMORY });
  if (borrows !== 0) {
    const others = core.state.borrowers.get(borrows)!.filter((other) => other !== pid);
    setBorrowers(core, borrows, others);
    return undefined;
  }
  const [heir, ...others] = core.state.borrowers.get(pid) ?? [];
  if (heir === undefined) return memory;
  setBorrowers(core, pid, []);
  setBorrowers(core, heir, others);
  core.setProcess(heir, { borrows: 0, memory });
  tellImages(core, heir);
  for (const other of others) core.setProcess(other, { borrows: heir, memory: NO_MEMORY });
  return undefined;
}
