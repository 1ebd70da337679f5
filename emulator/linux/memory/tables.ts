/**
 * Page tables. They lie in the guarded area and, once the firmware has been set up, are only read here: every change is queued as
 * an entry for `PageTableFirmware.write` and made before user code or a driver goes on. Sv39, privileged specification 4.4.
 */
import { Pte } from '../../hart/pte';
import { PAGE_SIZE, pa } from '../../units';
import type { Core } from '../core';
import type { SbiCall } from '../device';
import { Prot, type Memory, type TablePool } from '../state';
import { reach } from './frames';
import { HUGE, LINEAR_BASE, MIB, RAM_BASE, USER_TOP } from './layout';

/** One of the two bits left to software (RSW): the frame may have other holders, a store needs a frame of its own first. */
export const COPY_ON_WRITE = 256;
const KERNEL_LEAF = Pte.V | Pte.R | Pte.W | Pte.G | Pte.A | Pte.D;
/** Entries per call of the firmware: one page of {address, value} pairs. */
export const LIST_ENTRIES = PAGE_SIZE / 16;
const GIB = 1024 * MIB;

const pointer = (table: number): number => (table / PAGE_SIZE) * 1024 + Pte.V;
export const frameOf = (entry: number): number => Math.floor(entry / 1024) * PAGE_SIZE;
const rootIndex = (address: number): number => Math.floor(address / GIB) & 511;

/** The leaf for a frame of user memory. A and D are set at once: nobody here looks at them. */
export function userLeaf(frame: number, prot: number): number {
  if ((prot & (Prot.READ | Prot.WRITE | Prot.EXEC)) === 0) return (frame / PAGE_SIZE) * 1024;
  const bits = Pte.V | Pte.R | Pte.U | Pte.A | Pte.D | (prot & Prot.WRITE ? Pte.W : 0) | (prot & Prot.EXEC ? Pte.X : 0);
  return (frame / PAGE_SIZE) * 1024 + bits;
}

export const isCopyOnWrite = (leaf: number): boolean => (leaf & COPY_ON_WRITE) !== 0;

/** The leaf for a frame that must be copied before it is written: as `userLeaf`, never writable. */
export function copyOnWriteLeaf(frame: number, prot: number): number {
  // A page that may only be written still is readable.
  const readable = prot & Prot.WRITE ? (prot | Prot.READ) & ~Prot.WRITE : prot;
  return userLeaf(frame, readable) + COPY_ON_WRITE;
}

type PoolName = 'root' | 'middle' | 'leaf';

function poolRange(core: Core, name: PoolName): { base: number; count: number } {
  const { base, size, rootPages, middlePages } = core.layout.tables;
  // The first root page is never used: firmware takes a root only strictly inside the area.
  if (name === 'root') return { base: base + PAGE_SIZE, count: rootPages - 1 };
  if (name === 'middle') return { base: base + rootPages * PAGE_SIZE, count: middlePages };
  const used = rootPages + middlePages;
  return { base: base + used * PAGE_SIZE, count: size / PAGE_SIZE - used };
}

/** A table page; its entries are all zero. Undefined when the area is full. */
export function takeTable(core: Core, name: PoolName): number | undefined {
  const pool: TablePool = core.state.pools[name];
  const { base, count } = poolRange(core, name);
  const freed = pool.freed.last();
  if (freed === undefined && pool.next >= count) return undefined;
  const table = freed ?? base + pool.next * PAGE_SIZE;
  const left = freed === undefined ? { ...pool, next: pool.next + 1 } : { ...pool, freed: pool.freed.pop() };
  core.set({ pools: { ...core.state.pools, [name]: left } });
  return table;
}

/** Gives a table back whose entries have all been set to zero. */
export function giveTable(core: Core, name: PoolName, table: number): void {
  const pool = core.state.pools[name];
  core.set({ pools: { ...core.state.pools, [name]: { ...pool, freed: pool.freed.push(table) } } });
}

/** Queues one entry. */
export function putEntry(core: Core, table: number, index: number, value: number): void {
  core.set({ entries: core.state.entries.push({ entry: table + index * 8, value }) });
}

/** Before the firmware is set up: tables are written directly. */
export function writeEntryDirectly(core: Core, table: number, index: number, value: number): void {
  core.port.writeI64(reach(core, table + index * 8), value);
}

/** Builds the kernel's root table and linear map; before the firmware is set up. */
export function buildKernelTables(core: Core): void {
  const root = takeTable(core, 'root')!;
  const { start, end } = core.layout.linear;
  for (let gib = RAM_BASE; gib < end; gib += GIB) {
    const middle = takeTable(core, 'middle')!;
    writeEntryDirectly(core, root, rootIndex(gib - RAM_BASE + LINEAR_BASE), pointer(middle));
    for (let huge = Math.max(gib, start); huge < Math.min(end, gib + GIB); huge += HUGE) {
      writeEntryDirectly(core, middle, ((huge - gib) / HUGE) & 511, (huge / PAGE_SIZE) * 1024 + KERNEL_LEAF);
      core.charge(1);
    }
  }
  core.set({ kernelRoot: root });
}

/** Second-level table of the linear map for a physical address: they were taken first, in order. */
function linearMiddle(core: Core, address: number): number {
  return poolRange(core, 'middle').base + Math.floor((address - RAM_BASE) / GIB) * PAGE_SIZE;
}

/** A root table that shares the kernel's half; undefined when there is none left. */
export function newRoot(core: Core): number | undefined {
  const root = takeTable(core, 'root');
  if (root === undefined) return undefined;
  for (let gib = RAM_BASE; gib < core.layout.linear.end; gib += GIB)
    putEntry(core, root, rootIndex(gib - RAM_BASE + LINEAR_BASE), pointer(linearMiddle(core, gib)));
  return root;
}

/** Gives back the tables of an address space that has no pages left. */
export function freeTables(core: Core, memory: Memory): void {
  for (let gib = RAM_BASE; gib < core.layout.linear.end; gib += GIB)
    putEntry(core, memory.root, rootIndex(gib - RAM_BASE + LINEAR_BASE), 0);
  for (let index = 0; index < USER_TOP / GIB; index++) {
    const middle = memory.middles.get(index);
    if (middle === undefined) continue;
    putEntry(core, memory.root, index, 0);
    giveTable(core, 'middle', middle);
  }
  giveTable(core, 'root', memory.root);
}

/** The memory with `leaf` at a page that has none yet; undefined when table pages are short. Queues the entries. */
export function addPage(core: Core, memory: Memory, page: number, leaf: number): Memory | undefined {
  const region = page >>> 9;
  const gib = page >>> 18;
  let { middles, leaves } = memory;
  let middle = middles.get(gib);
  let table = leaves.get(region);
  if (table === undefined) {
    const before = core.state.pools;
    const fresh = takeTable(core, 'leaf');
    const known = middle;
    middle ??= takeTable(core, 'middle');
    if (fresh === undefined || middle === undefined) {
      core.set({ pools: before });
      return undefined;
    }
    if (known === undefined) {
      middles = middles.set(gib, middle);
      putEntry(core, memory.root, gib, pointer(middle));
    }
    table = { table: fresh, used: 0 };
    putEntry(core, middle, region & 511, pointer(fresh));
  }
  leaves = leaves.set(region, { ...table, used: table.used + 1 });
  putEntry(core, table.table, page & 511, leaf);
  return { ...memory, middles, leaves, pages: memory.pages.set(page, leaf) };
}

/** Replaces the leaf of a present page. */
export function changePage(core: Core, memory: Memory, page: number, leaf: number): Memory {
  putEntry(core, memory.leaves.get(page >>> 9)!.table, page & 511, leaf);
  core.set({ fence: true });
  return { ...memory, pages: memory.pages.set(page, leaf) };
}

/** Takes a present page out; its leaf table goes with the last one. */
export function removePage(core: Core, memory: Memory, page: number): Memory {
  const region = page >>> 9;
  const leaf = memory.leaves.get(region)!;
  putEntry(core, leaf.table, page & 511, 0);
  core.set({ fence: true });
  const pages = memory.pages.remove(page);
  if (leaf.used > 1) return { ...memory, pages, leaves: memory.leaves.set(region, { ...leaf, used: leaf.used - 1 }) };
  putEntry(core, memory.middles.get(page >>> 18)!, region & 511, 0);
  giveTable(core, 'leaf', leaf.table);
  return { ...memory, pages, leaves: memory.leaves.remove(region) };
}

/** The entry of a present page as it is in memory now: the firmware may have taken its V bit. */
export function readEntry(core: Core, memory: Memory, page: number): number {
  return core.port.readI64(reach(core, memory.leaves.get(page >>> 9)!.table + (page & 511) * 8));
}

/** The next list of queued entries, written to the list page; the call to make for it. */
export function nextEntries(core: Core): { readonly call: SbiCall; readonly count: number } {
  const batch = core.state.entries.take(LIST_ENTRIES);
  const bytes = new DataView(new ArrayBuffer(batch.size * 16));
  let at = 0;
  for (const { entry, value } of batch) {
    bytes.setBigUint64(at, BigInt(entry), true);
    bytes.setBigUint64(at + 8, BigInt(value), true);
    at += 16;
  }
  core.port.write(reach(core, core.state.listPage), new Uint8Array(bytes.buffer));
  core.chargeBytes(at);
  return { call: core.options.pageTables.write(pa(core.state.listPage), batch.size), count: batch.size };
}

/** Calls that split the 2 MiB leaves of the linear map which [address, address + length) covers only in part. */
export function splitLinear(core: Core, address: number, length: number): SbiCall[] {
  const calls: SbiCall[] = [];
  const end = address + length;
  for (const region of new Set([Math.floor(address / HUGE) * HUGE, Math.floor((end - 1) / HUGE) * HUGE])) {
    if (length <= 0 || (address <= region && region + HUGE <= end)) continue;
    const number = (region - RAM_BASE) / HUGE;
    if (core.state.splits.has(number)) continue;
    const table = takeTable(core, 'leaf');
    if (table === undefined) return [];
    core.set({ splits: core.state.splits.set(number, table) });
    calls.push(core.options.pageTables.split(pa(linearMiddle(core, region) + (number & 511) * 8), pa(table)));
  }
  return calls;
}
