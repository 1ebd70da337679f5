/**
 * Areas of a process's address space. Pure list operations on `Memory.areas` first; then what changes the present pages of a range, always
 * in bounded pieces. What a page shows is paging-in.ts.
 */
import { PAGE_SIZE } from '../../units';
import { Cost, type Core } from '../core';
import type { Area, Backing, Memory } from '../state';
import { releaseFrame } from './frames';
import { MMAP_MIN, MMAP_TOP } from './layout';
import { addPage, changePage, copyOnWriteLeaf, frameOf, isCopyOnWrite, removePage, userLeaf } from './tables';

/** Areas of a process; Linux's vm.max_map_count. */
export const MAX_AREAS = 65530;
/** Pages mapped, changed or removed per step. */
export const PIECE = 128;

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
    return {
      ...backing,
      offset: backing.offset + skip,
      ...(backing.length === undefined ? {} : { length: Math.max(0, backing.length - skip) }),
    };
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

/** Does `b` show what comes behind `a`, in the same way? */
const continues = (a: Backing, b: Backing, size: number): boolean =>
  a.kind === 'anonymous'
    ? b.kind === 'anonymous'
    : a.kind === 'file' &&
      b.kind === 'file' &&
      a.inode === b.inode &&
      a.length === undefined &&
      b.length === undefined &&
      a.offset + size === b.offset;

const mergeable = (a: Area, b: Area): boolean =>
  a.end === b.start &&
  a.prot === b.prot &&
  a.shared === b.shared &&
  a.name === b.name &&
  a.writeBack === b.writeBack &&
  a.object?.id === b.object?.id &&
  (!a.object || a.object.start + a.end - a.start === b.object!.start) &&
  continues(a.backing, b.backing, a.end - a.start);

/** The list with areas in place of those at [from, to); neighbours of one kind become one. */
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

/** Drops the pages of [from, end), a piece at a time; returns where to go on, `end` when done. Areas stay. */
export function dropPages(core: Core, pid: number, from: number, end: number): number {
  const { memory, next } = dropFrom(core, core.process(pid).memory, from, end);
  core.setProcess(pid, { memory });
  return next;
}

/** `dropPages` of an address space that need not be a process's any more. */
export function dropFrom(core: Core, memory: Memory, from: number, end: number): { memory: Memory; next: number } {
  const { pages, next } = presentPages(memory, from / PAGE_SIZE, end / PAGE_SIZE);
  for (const page of pages) {
    const frame = frameOf(memory.pages.get(page)!);
    const area = areaAt(memory, page * PAGE_SIZE);
    memory = removePage(core, memory, page);
    if (area?.backing.kind !== 'frames') releaseFrame(core, frame);
  }
  core.charge(pages.length * Cost.LINE);
  return { memory, next: next * PAGE_SIZE };
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
