/**
 * Areas of a process's address space and paging in. Pure list operations on `Memory.areas` first; then what also touches frames
 * and tables, always in bounded pieces.
 */
import { Cause } from '../../hart/types';
import type { MemoryFault } from '../../machine/ports';
import { PAGE_SIZE } from '../../units';
import { Cost, type Core } from '../core';
import { readContent, writeContent } from '../files/content';
import { Prot, type Area, type Backing, type Memory, type Process } from '../state';
import { allocateFrames, copyFrame, frameReferences, reach, releaseFrame, shareFrame } from './frames';
import { MMAP_MIN, MMAP_TOP } from './layout';
import { keepInObject, objectFrame } from './objects';
import {
  addPage,
  changePage,
  copyOnWriteLeaf,
  frameOf,
  isCopyOnWrite,
  Pte,
  readEntry,
  removePage,
  userLeaf,
} from './tables';

/** Areas of a process; Linux's vm.max_map_count. */
export const MAX_AREAS = 65530;
/** Pages mapped, changed or removed per step. */
const PIECE = 128;

/** Index of the first area that ends behind an address. */
function firstBehind(areas: readonly Area[], address: number): number {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (areas[middle]!.end <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const areaAt = (memory: Memory, address: number): Area | undefined => {
  const area = memory.areas[firstBehind(memory.areas, address)];
  return area && area.start <= address ? area : undefined;
};

/** Indices [from, to) of the areas that overlap [start, end). */
function overlapping(areas: readonly Area[], start: number, end: number): { from: number; to: number } {
  const from = firstBehind(areas, start);
  let to = from;
  while (to < areas.length && areas[to]!.start < end) to++;
  return { from, to };
}

const backingFrom = (backing: Backing, skip: number): Backing => {
  if (backing.kind === 'file')
    return { ...backing, offset: backing.offset + skip, length: Math.max(0, backing.length - skip) };
  if (backing.kind === 'frames') return { ...backing, frames: backing.frames.slice(skip / PAGE_SIZE) };
  return backing;
};

/** The part of an area inside [start, end), which overlaps it. */
export function clip(area: Area, start: number, end: number): Area {
  const from = Math.max(start, area.start);
  const to = Math.min(end, area.end);
  if (from === area.start && to === area.end) return area;
  const skip = from - area.start;
  const { object } = area;
  return {
    ...area,
    start: from,
    end: to,
    backing: backingFrom(area.backing, skip),
    ...(object ? { object: { ...object, start: object.start + skip } } : {}),
  };
}

/** What is left of an area without [start, end), which it overlaps. */
function remains(area: Area, start: number, end: number): Area[] {
  const rest: Area[] = [];
  if (area.start < start) rest.push(clip(area, area.start, start));
  if (end < area.end) rest.push(clip(area, end, area.end));
  return rest;
}

/** The list without [start, end). */
export function withoutRange(areas: readonly Area[], start: number, end: number): Area[] {
  const { from, to } = overlapping(areas, start, end);
  const rest = areas.slice(from, to).flatMap((area) => remains(area, start, end));
  return areas.slice(0, from).concat(rest, areas.slice(to));
}

const mergeable = (a: Area, b: Area): boolean =>
  a.end === b.start &&
  a.prot === b.prot &&
  a.shared === b.shared &&
  a.name === b.name &&
  a.object?.id === b.object?.id &&
  (!a.object || a.object.start + a.end - a.start === b.object!.start) &&
  a.backing.kind === 'anonymous' &&
  b.backing.kind === 'anonymous';

/** The list with areas in place of those at [from, to); anonymous neighbours of one kind become one. */
function replaced(areas: readonly Area[], from: number, to: number, by: readonly Area[]): Area[] {
  // The neighbours outside may merge with the first and the last.
  const [first, last] = [Math.max(0, from - 1), Math.min(areas.length, to + 1)];
  const merged: Area[] = [];
  for (const area of [...areas.slice(first, from), ...by, ...areas.slice(to, last)]) {
    const before = merged.at(-1);
    if (before && mergeable(before, area)) merged[merged.length - 1] = { ...before, end: area.end };
    else merged.push(area);
  }
  return areas.slice(0, first).concat(merged, areas.slice(last));
}

/** The list with an area in a hole of it. */
export function withArea(areas: readonly Area[], area: Area): Area[] {
  const at = firstBehind(areas, area.start);
  return replaced(areas, at, at, [area]);
}

/** The list with other permissions in [start, end). */
export function withProt(areas: readonly Area[], start: number, end: number, prot: number): Area[] {
  const { from, to } = overlapping(areas, start, end);
  const changed = areas.slice(from, to).flatMap((area) => {
    const inside = { ...clip(area, start, end), prot };
    return [...remains(area, start, end), inside].sort((a, b) => a.start - b.start);
  });
  return replaced(areas, from, to, changed);
}

/** True when [start, end) is covered without a hole. */
export function covered(memory: Memory, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const area = areaAt(memory, at);
    if (!area) return false;
    at = area.end;
  }
  return true;
}

/** The highest hole of `length` bytes below MMAP_TOP, undefined when there is none. */
export function findHole(memory: Memory, length: number): number | undefined {
  let end = MMAP_TOP;
  for (let i = memory.areas.length - 1; i >= 0; i--) {
    const area = memory.areas[i]!;
    if (area.start >= end) continue;
    if (area.end + length <= end) break;
    end = Math.min(end, area.start);
  }
  return end - length >= MMAP_MIN ? end - length : undefined;
}

/** What paging in came to. */
export type PagedIn = 'done' | 'bad-address' | 'bad-access' | 'no-memory';

const allowed = (prot: number, cause: Cause): boolean => {
  if (cause === Cause.StorePageFault) return (prot & Prot.WRITE) !== 0;
  if (cause === Cause.InstructionPageFault) return (prot & Prot.EXEC) !== 0;
  return prot !== 0;
};

/** A new frame with what an area shows at a page; undefined when memory is short. */
function filledFrame(core: Core, { backing, start }: Area, page: number): number | undefined {
  const frame = allocateFrames(core, 0);
  const skip = page * PAGE_SIZE - start;
  if (frame === undefined || backing.kind !== 'file' || skip >= backing.length) return frame;
  const bytes = readContent(backing.content, backing.offset + skip, Math.min(PAGE_SIZE, backing.length - skip));
  if (bytes.length > 0) core.port.write(reach(core, frame), bytes);
  core.chargeBytes(bytes.length);
  return frame;
}

/** One page of an area, which is not present: its frame, made if need be, mapped. Undefined when memory is short. */
function bringIn(core: Core, memory: Memory, area: Area, page: number): Memory | undefined {
  const { backing } = area;
  core.charge(Cost.LINE);
  if (backing.kind === 'frames') {
    const frame = backing.frames[page - area.start / PAGE_SIZE];
    return frame === undefined ? undefined : addPage(core, memory, page, userLeaf(frame, area.prot));
  }
  let frame = objectFrame(core, area, page);
  const known = frame !== undefined;
  frame ??= filledFrame(core, area, page);
  if (frame === undefined) return undefined;
  if (area.object && !known) keepInObject(core, area, page, frame);
  if (area.object) shareFrame(core, frame);
  const mapped = addPage(core, memory, page, userLeaf(frame, area.prot));
  if (!mapped) releaseFrame(core, frame);
  return mapped;
}

/** A page that is copied when it is written, about to be: a frame of its own, its old one if nobody else has it. */
function unshare(core: Core, memory: Memory, { prot }: Area, page: number): Memory | undefined {
  const frame = frameOf(memory.pages.get(page)!);
  if (frameReferences(core, frame) === 1) return changePage(core, memory, page, userLeaf(frame, prot));
  const copy = copyFrame(core, frame);
  if (copy === undefined) return undefined;
  releaseFrame(core, frame);
  return changePage(core, memory, page, userLeaf(copy, prot));
}

/** What a fault asks for at a page: the memory as it is when nothing is to be done, undefined when memory is short. */
function provide(core: Core, memory: Memory, area: Area, page: number, store: boolean): Memory | undefined {
  const leaf = memory.pages.get(page);
  if (leaf === undefined) return bringIn(core, memory, area, page);
  return store && isCopyOnWrite(leaf) ? unshare(core, memory, area, page) : memory;
}

/**
 * Answers a page fault of user code or of the kernel's own access: maps the page, or copies one that is shared until it is written, and
 * as many of the following pages up to `end` as one step may. `id` (tid or job) tells a second fault at a page that is present from the first.
 */
export function pageIn(core: Core, process: Process, fault: MemoryFault, end: number, id: number): PagedIn {
  const { cause, address } = fault;
  let memory = core.process(process.pid).memory;
  const area = areaAt(memory, address);
  if (!area) return 'bad-address';
  if (cause !== Cause.StorePageFault && cause !== Cause.LoadPageFault && cause !== Cause.InstructionPageFault)
    return 'bad-access';
  if (!allowed(area.prot, cause)) return 'bad-access';
  core.charge(Cost.FAULT);
  const first = Math.floor(address / PAGE_SIZE);
  const store = cause === Cause.StorePageFault;
  const leaf = memory.pages.get(first);
  if (leaf !== undefined && !(store && isCopyOnWrite(leaf))) {
    // A translation that was cached before the entry was written; or the firmware took the page away.
    const { spurious } = core.state;
    if ((readEntry(core, memory, first) & Pte.V) === 0) return 'bad-access';
    if (spurious?.id === id && spurious.address === address) return 'bad-access';
    core.set({ fence: true, spurious: { id, address } });
    return 'done';
  }
  const last = Math.max(first + 1, Math.min(Math.ceil(end / PAGE_SIZE), area.end / PAGE_SIZE, first + PIECE));
  for (let page = first; page < last; page++) {
    const next = provide(core, memory, area, page, store);
    if (!next) return page === first ? 'no-memory' : finish(core, process, memory);
    memory = next;
  }
  return finish(core, process, memory);
}

function finish(core: Core, process: Process, memory: Memory): PagedIn {
  core.setProcess(process.pid, { memory });
  core.set({ spurious: undefined });
  return 'done';
}

/** What paging in would put there, without doing it; undefined for a page that is present, or that no area has. */
export function untouchedPage(core: Core, memory: Memory, address: number): Uint8Array | undefined {
  const area = areaAt(memory, address);
  if (!area || area.prot === 0 || memory.pages.has(address / PAGE_SIZE)) return undefined;
  const { backing } = area;
  const skip = address - area.start;
  const frame =
    backing.kind === 'frames' ? backing.frames[skip / PAGE_SIZE] : objectFrame(core, area, address / PAGE_SIZE);
  if (frame !== undefined) return core.port.read(reach(core, frame), PAGE_SIZE);
  const page = new Uint8Array(PAGE_SIZE);
  if (backing.kind === 'file' && skip < backing.length)
    page.set(readContent(backing.content, backing.offset + skip, Math.min(PAGE_SIZE, backing.length - skip)));
  return page;
}

/** The present pages in [from, end), at most a piece of them, and where to go on. Empty tables are skipped. */
export function presentPages(memory: Memory, from: number, end: number): { pages: number[]; next: number } {
  const pages: number[] = [];
  let page = from;
  for (let looked = 0; page < end && pages.length < PIECE && looked < 4096; looked++) {
    if (!memory.middles.has(page >>> 18)) page = ((page >>> 18) + 1) << 18;
    else if (!memory.leaves.has(page >>> 9)) page = ((page >>> 9) + 1) << 9;
    else {
      if (memory.pages.has(page)) pages.push(page);
      page++;
    }
  }
  return { pages, next: Math.min(page, end) };
}

/** A dirty page of a shared file mapping goes back into the file. */
function writeBack(core: Core, area: Area, page: number, frame: number): void {
  if (area.writeBack === 0 || area.backing.kind !== 'file') return;
  const inode = core.state.fs.inodes.get(area.writeBack);
  if (inode?.type !== 'file') return;
  const skip = page * PAGE_SIZE - area.start;
  const offset = area.backing.offset + skip;
  const count = Math.min(PAGE_SIZE, inode.content.size - offset);
  if (count <= 0) return;
  const content = writeContent(inode.content, offset, core.port.read(reach(core, frame), count));
  const inodes = core.state.fs.inodes.set(area.writeBack, { ...inode, content, changed: core.now });
  core.set({ fs: { ...core.state.fs, inodes } });
  core.chargeBytes(count);
}

/** Writes shared file pages of [from, end) back, a piece at a time; returns where to go on, `end` when done. */
export function syncPages(core: Core, pid: number, from: number, end: number): number {
  const { memory } = core.process(pid);
  const { pages, next } = presentPages(memory, from / PAGE_SIZE, end / PAGE_SIZE);
  for (const page of pages) {
    const area = areaAt(memory, page * PAGE_SIZE);
    if (area) writeBack(core, area, page, frameOf(memory.pages.get(page)!));
  }
  core.charge(pages.length);
  return next * PAGE_SIZE;
}

/** Drops the pages of [from, end), a piece at a time; returns where to go on, `end` when done. Areas stay. */
export function dropPages(core: Core, pid: number, from: number, end: number): number {
  let { memory } = core.process(pid);
  const { pages, next } = presentPages(memory, from / PAGE_SIZE, end / PAGE_SIZE);
  for (const page of pages) {
    const frame = frameOf(memory.pages.get(page)!);
    const area = areaAt(memory, page * PAGE_SIZE);
    if (area) writeBack(core, area, page, frame);
    memory = removePage(core, memory, page);
    if (area?.backing.kind !== 'frames') releaseFrame(core, frame);
  }
  core.charge(pages.length * Cost.LINE);
  core.setProcess(pid, { memory });
  return next * PAGE_SIZE;
}

/** Gives the present pages of [from, end) the permissions of their areas, a piece at a time. */
export function applyProt(core: Core, pid: number, from: number, end: number): number {
  let { memory } = core.process(pid);
  const { pages, next } = presentPages(memory, from / PAGE_SIZE, end / PAGE_SIZE);
  for (const page of pages) {
    const area = areaAt(memory, page * PAGE_SIZE);
    const old = memory.pages.get(page)!;
    const leafOf = isCopyOnWrite(old) ? copyOnWriteLeaf : userLeaf;
    const leaf = leafOf(frameOf(old), area?.prot ?? 0);
    if (leaf !== old) memory = changePage(core, memory, page, leaf);
  }
  core.charge(pages.length * Cost.LINE);
  core.setProcess(pid, { memory });
  return next * PAGE_SIZE;
}

/** Moves the present pages of [from, end) by `distance` bytes, a piece at a time; undefined when table pages are short. */
export function movePages(core: Core, pid: number, from: number, end: number, distance: number): number | undefined {
  let { memory } = core.process(pid);
  const { pages, next } = presentPages(memory, from / PAGE_SIZE, end / PAGE_SIZE);
  for (const page of pages) {
    const leaf = memory.pages.get(page)!;
    const moved = addPage(core, removePage(core, memory, page), page + distance / PAGE_SIZE, leaf);
    if (!moved) return undefined;
    memory = moved;
  }
  core.charge(pages.length * Cost.LINE);
  core.setProcess(pid, { memory });
  return next * PAGE_SIZE;
}
