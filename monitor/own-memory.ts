/**
 * The monitor's own memory: blocks the host gave with MEMORY_EXTEND, from which single pages go to whoever needs one: an instance's
 * page tables and copies, an enclave's tables when its pool is used up. Owns which of these pages are free, and which instance has
 * which. Every free page is zero and belongs to the monitor (kind Monitor). Nothing here grows with the number of enclaves but by the
 * logarithm. (MEMORY_EXTEND: Penglai-TVM's host interface; giving blocks back is this monitor's addition.)
 */
import { List } from 'immutable';
import { buddyAllocate, buddyFree, type Buddy } from '../emulator/linux/memory/buddy';
import { PAGE_SIZE } from '../emulator/units';
import { Physical, Result } from './abi';
import type { Core } from './core';
import { PAGES_PER_STEP } from './costs';
import { PageKind, claim, disown, reuse, zeroPage } from './pages';
import { answer, hide, show, type Task } from './task';

/** Free pages as a tree of blocks, by page of RAM; how many, and how many there are in all. */
export interface OwnMemory {
  readonly tree: Buddy;
  readonly free: number;
  readonly total: number;
}
export const NO_MEMORY: OwnMemory = { tree: 'used', free: 0, total: 0 };

/** What MEMORY_RECLAIM gives back at a time: 2 MiB, one large page of the host's linear map. */
const RECLAIM_ORDER = 9;

const orderOf = (m: Core): number => Math.ceil(Math.log2(m.options.ramSize / PAGE_SIZE));
const pageOf = (address: number): number => (address - Physical.DRAM_BASE) / PAGE_SIZE;
const addressOf = (page: number): number => Physical.DRAM_BASE + page * PAGE_SIZE;

/** A page for an instance, zero; undefined when the monitor has none left. */
export function takePage(m: Core, kind: PageKind, instance: number): number | undefined {
  const { memory, owned } = m.state;
  const got = memory.free > 0 ? buddyAllocate(memory.tree, orderOf(m), 0) : undefined;
  if (!got) return undefined;
  const address = addressOf(got.page);
  reuse(m, address, PAGE_SIZE, kind, instance);
  const pages = owned.get(instance) ?? List<number>();
  m.update({
    memory: { ...memory, tree: got.tree, free: memory.free - 1 },
    owned: owned.set(instance, pages.push(address)),
  });
  return address;
}

/** The task that takes all of these pages from an instance. */
export const freeOwned = (instance: number): Task => ({ do: 'free-owned', instance });

/** Some pages of an instance are the monitor's again, zeroed, the last one first. */
export function freeOwnedStep(m: Core, task: Task & { do: 'free-owned' }): Task | undefined {
  let pages = m.state.owned.get(task.instance);
  if (!pages) return undefined;
  let { tree, free } = m.state.memory;
  for (let count = 0; count < PAGES_PER_STEP && pages.size > 0; count++) {
    const address = pages.last()!;
    pages = pages.pop();
    zeroPage(m, address);
    reuse(m, address, PAGE_SIZE, PageKind.Monitor, 0);
    tree = buddyFree(tree, orderOf(m), 0, pageOf(address))!;
    free++;
  }
  const { owned, memory } = m.state;
  m.update({
    memory: { ...memory, tree, free },
    owned: pages.size > 0 ? owned.set(task.instance, pages) : owned.remove(task.instance),
  });
  return pages.size > 0 ? task : undefined;
}

/** MEMORY_EXTEND: the host gives a block. Whatever lay in it goes before it is used. */
export function memoryExtend(m: Core, base: number, size: number): void {
  if (!claim(m, base, size, PageKind.Monitor, 0)) {
    m.log('memory_extend: not host memory');
    return m.error();
  }
  m.update({ undo: [{ do: 'disown', base, size }, show(base, size), answer(Result.ERROR)] });
  m.queue(hide(base, size), { do: 'zero', base, size, at: 0 }, { do: 'extended', base, size }, answer(Result.SUCCESS));
}

/** The block is zero and the monitor's alone: its pages are free, in naturally aligned pieces. */
export function extended(m: Core, base: number, size: number): void {
  const order = orderOf(m);
  let { tree } = m.state.memory;
  const end = pageOf(base + size);
  for (let page = pageOf(base); page < end;) {
    let piece = 0;
    while (page % 2 ** (piece + 1) === 0 && page + 2 ** (piece + 1) <= end) piece++;
    tree = buddyFree(tree, order, piece, page)!;
    page += 2 ** piece;
  }
  const pages = size / PAGE_SIZE;
  const { free, total } = m.state.memory;
  m.update({ undo: [], memory: { tree, free: free + pages, total: total + pages } });
}

/** MEMORY_RECLAIM: a block of 2 MiB that nobody uses is the host's again; its address, or 0 when there is none. */
export function memoryReclaim(m: Core): void {
  const { memory } = m.state;
  const got = buddyAllocate(memory.tree, orderOf(m), RECLAIM_ORDER);
  if (!got) return m.finishSbi(0, 0);
  const [base, size] = [addressOf(got.page), PAGE_SIZE * 2 ** RECLAIM_ORDER];
  const pages = size / PAGE_SIZE;
  m.update({ memory: { tree: got.tree, free: memory.free - pages, total: memory.total - pages } });
  disown(m, base, size);
  m.queue(show(base, size), { do: 'reclaimed', base });
}
