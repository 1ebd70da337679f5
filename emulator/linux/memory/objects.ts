/**
 * Shared objects: the pages behind MAP_SHARED mappings, System V segments and mapped files (the page cache), so that every mapping shows the
 * same pages, in whichever process and also those that nobody touched before. Private mappings of a file read these pages too and copy one
 * to write it. An object lives as long as an area shows it or somebody holds it: whoever changes the list of areas of an address space does
 * so through `setAreas`, which counts. Frames of an object are never given to a driver or to firmware: those get fresh blocks only.
 */
import { Map } from 'immutable';
import { PAGE_SIZE } from '../../units';
import type { Core } from '../core';
import { deviceAt, driverKernel } from '../drivers';
import { readContent, writeContent, type Content } from '../files/content';
import { dropIfUnused } from '../files/tree';
import { addJob } from '../scheduler';
import type { Area, SharedObject } from '../state';
import { allocateFrames, reach, releaseFrame } from './frames';

/** Pages freed, and pages or empty regions looked at, in one step. */
const PIECE = 64;
const LOOKS = 4096;
const REGION = 512;

/** Areas per object in a list. */
function objectCounts(areas: readonly Area[]): Map<number, number> {
  return Map<number, number>().withMutations((counts) => {
    for (const { object } of areas) if (object) counts.update(object.id, 0, (count) => count + 1);
  });
}

/** Puts a list of areas in place; an object that no area shows any more is freed by a job. */
export function setAreas(core: Core, pid: number, areas: readonly Area[]): void {
  const { memory } = core.process(pid);
  core.setProcess(pid, { memory: { ...memory, areas } });
  recount(core, memory.areas, areas);
}

/** One list of areas is gone, the other has come. Most changes touch few areas of many: only the part that differs is looked at. */
export function recount(core: Core, all: readonly Area[], next: readonly Area[]): void {
  const shorter = Math.min(all.length, next.length);
  let head = 0;
  while (head < shorter && all[head] === next[head]) head++;
  let tail = 0;
  while (tail < shorter - head && all.at(-1 - tail) === next.at(-1 - tail)) tail++;
  const [gone, come] = [all.slice(head, all.length - tail), next.slice(head, next.length - tail)];
  const [before, after] = [objectCounts(gone), objectCounts(come)];
  // By number: the jobs that free objects come in an order.
  const ids = [...before.merge(after).keys()].sort((a, b) => a - b);
  for (const id of ids) holdObject(core, id, after.get(id, 0) - before.get(id, 0));
  tellDevices(core, gone, come);
}

/** Devices whose memory is shown in more areas than before, or fewer, learn of it: first what is new, so that no count falls to 0 between. */
function tellDevices(core: Core, before: readonly Area[], after: readonly Area[]): void {
  const shown = (areas: readonly Area[]) =>
    areas.flatMap(({ backing }) => (backing.kind === 'frames' && backing.device ? [backing.device] : []));
  for (const [areas, by] of [
    [shown(after), 1],
    [shown(before), -1],
  ] as const)
    for (const { path, data } of areas) deviceAt(core, path)?.mapped?.(driverKernel(core), data, by);
}

/** `by` more (or fewer) areas or others hold an object. */
export function holdObject(core: Core, id: number, by: number): void {
  if (by === 0) return;
  const object = core.state.objects.get(id)!;
  const areas = object.areas + by;
  core.set({ objects: core.state.objects.set(id, { ...object, areas }) });
  if (areas === 0) addJob(core, { kind: 'free-object', object: id, position: 0 });
}

/** A new object without pages; nobody holds it yet. */
export function newObject(core: Core, inode = 0): number {
  const id = core.state.nextObject;
  const object: SharedObject = { inode, written: false, pages: Map(), regions: Map(), end: 0, areas: 0 };
  core.set({ nextObject: id + 1, objects: core.state.objects.set(id, object) });
  return id;
}

/** An object that came into being for an area that could not be made. */
export function dropObject(core: Core, id: number): void {
  if (core.state.objects.get(id)?.areas === 0) addJob(core, { kind: 'free-object', object: id, position: 0 });
}

/** The object with the pages of a file; `written`: a mapping that may store to them is to be made. */
export function objectOfFile(core: Core, number: number, written: boolean): number {
  const inode = core.state.fs.inodes.get(number);
  if (inode?.type !== 'file') throw new Error(`inode ${number} is no file`);
  let { object: id } = inode;
  if (id === undefined) {
    id = newObject(core, number);
    core.set({ fs: { ...core.state.fs, inodes: core.state.fs.inodes.set(number, { ...inode, object: id }) } });
  }
  const object = core.state.objects.get(id)!;
  if (written && !object.written) core.set({ objects: core.state.objects.set(id, { ...object, written: true }) });
  return id;
}

const pageIn = (area: Area, page: number): number => (area.object!.start + page * PAGE_SIZE - area.start) / PAGE_SIZE;

/** The frame that an area's object has for a page of the address space; it has to get a reference before it is mapped. */
export function objectFrame(core: Core, area: Area, page: number): number | undefined {
  return area.object && core.state.objects.get(area.object.id)?.pages.get(pageIn(area, page));
}

/** The same, made if it is not there: zeros, or what the file holds. Undefined when memory is short. */
export function provideObjectFrame(core: Core, area: Area, page: number): number | undefined {
  const known = objectFrame(core, area, page);
  if (known !== undefined) return known;
  const frame = allocateFrames(core, 0);
  if (frame === undefined) return undefined;
  const index = pageIn(area, page);
  const object = core.state.objects.get(area.object!.id)!;
  const inode = core.state.fs.inodes.get(object.inode);
  if (inode?.type === 'file') {
    const bytes = readContent(inode.content, index * PAGE_SIZE, PAGE_SIZE);
    if (bytes.length > 0) core.port.write(reach(core, frame), bytes);
    core.chargeBytes(bytes.length);
  }
  const region = Math.floor(index / REGION);
  const kept: SharedObject = {
    ...object,
    pages: object.pages.set(index, frame),
    regions: object.regions.set(region, object.regions.get(region, 0) + 1),
    end: Math.max(object.end, index + 1),
  };
  core.set({ objects: core.state.objects.set(area.object!.id, kept) });
  return frame;
}

/** Pages of an object in [from, end) that are there, at most a piece of them, and where to go on. */
function somePages(object: SharedObject, from: number, end: number): { pages: number[]; next: number } {
  const pages: number[] = [];
  let page = from;
  for (let looked = 0; page < end && pages.length < PIECE && looked < LOOKS; looked++) {
    const region = Math.floor(page / REGION);
    if (!object.regions.has(region)) page = (region + 1) * REGION;
    else {
      if (object.pages.has(page)) pages.push(page);
      page++;
    }
  }
  return { pages, next: Math.min(page, end) };
}

/** Takes pages out of an object; `keep` writes what a mapping stored in them back to the file first. */
function takePages(core: Core, id: number, taken: readonly number[], keep: boolean): void {
  let { pages, regions } = core.state.objects.get(id)!;
  for (const page of taken) {
    const frame = pages.get(page)!;
    if (keep) writeBack(core, id, page, frame);
    releaseFrame(core, frame);
    pages = pages.remove(page);
    const region = Math.floor(page / REGION);
    const left = regions.get(region)! - 1;
    regions = left === 0 ? regions.remove(region) : regions.set(region, left);
  }
  core.set({ objects: core.state.objects.set(id, { ...core.state.objects.get(id)!, pages, regions }) });
}

/**
 * Frees some pages of an object that nothing holds; the position to go on from, undefined when the object is gone (or is held
 * again: a file was mapped anew).
 */
export function freeObject(core: Core, id: number, position: number): number | undefined {
  const object = core.state.objects.get(id);
  if (!object || object.areas > 0) return undefined;
  const { pages, next } = somePages(object, position, object.end);
  takePages(core, id, pages, true);
  core.charge(pages.length + 1);
  if (next < object.end) return next;
  core.set({ objects: core.state.objects.remove(id) });
  const segment = core.state.segments.findKey((other) => other.object === id);
  if (segment !== undefined) core.set({ segments: core.state.segments.remove(segment) });
  const inode = core.state.fs.inodes.get(object.inode);
  if (inode?.type !== 'file') return undefined;
  const { object: _, ...rest } = inode;
  core.set({ fs: { ...core.state.fs, inodes: core.state.fs.inodes.set(object.inode, rest) } });
  dropIfUnused(core, object.inode);
  return undefined;
}

/** Takes the pages of an object from `from` on out of it, a piece at a time: where to go on, undefined when done. Nothing maps them. */
export function cutObject(core: Core, id: number, from: number): number | undefined {
  const object = core.state.objects.get(id);
  if (!object) return undefined;
  const { pages, next } = somePages(object, from, object.end);
  takePages(core, id, pages, false);
  core.charge(pages.length + 1);
  return next < object.end ? next : undefined;
}

/** Content of a page that programs may have changed goes into the file. */
function writeBack(core: Core, id: number, page: number, frame: number): void {
  const object = core.state.objects.get(id)!;
  const inode = core.state.fs.inodes.get(object.inode);
  if (!object.written || inode?.type !== 'file') return;
  const bytes = core.port.read(reach(core, frame), Math.min(PAGE_SIZE, inode.content.size - page * PAGE_SIZE));
  const before = readContent(inode.content, page * PAGE_SIZE, bytes.length);
  core.chargeBytes(bytes.length);
  if (bytes.every((byte, i) => byte === before[i])) return;
  const content = writeContent(inode.content, page * PAGE_SIZE, bytes);
  const next = { ...inode, content, changed: core.now, modified: core.now };
  core.set({ fs: { ...core.state.fs, inodes: core.state.fs.inodes.set(object.inode, next) } });
}

/** The part of [offset, offset + length) that lies in one page. */
function* pagesOf(
  offset: number,
  length: number,
): Generator<{ page: number; inside: number; at: number; count: number }> {
  for (let at = 0; at < length;) {
    const page = Math.floor((offset + at) / PAGE_SIZE);
    const inside = offset + at - page * PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - inside, length - at);
    yield { page, inside, at, count };
    at += count;
  }
}

/** What a file holds in [offset, offset + length), at most up to its end: its content, or what mappings stored over it. */
export function readThrough(
  core: Core,
  id: number | undefined,
  content: Content,
  offset: number,
  length: number,
): Uint8Array {
  const bytes = readContent(content, offset, length);
  const object = id === undefined ? undefined : core.state.objects.get(id);
  if (!object?.written) return bytes;
  for (const { page, inside, at, count } of pagesOf(offset, bytes.length)) {
    const frame = object.pages.get(page);
    if (frame !== undefined) bytes.set(core.port.read(reach(core, frame + inside), count), at);
  }
  return bytes;
}

/** Bytes that were written to a file show in its mappings. */
export function writeThrough(core: Core, id: number | undefined, offset: number, bytes: Uint8Array): void {
  const object = id === undefined ? undefined : core.state.objects.get(id);
  if (!object) return;
  for (const { page, inside, at, count } of pagesOf(offset, bytes.length)) {
    const frame = object.pages.get(page);
    if (frame !== undefined) core.port.write(reach(core, frame + inside), bytes.subarray(at, at + count));
  }
}

/** A file's size changes: what mappings hold behind its (old or new) end in the end's page becomes zero. */
export function zeroTail(core: Core, id: number | undefined, size: number): void {
  const inside = size % PAGE_SIZE;
  const object = id === undefined || inside === 0 ? undefined : core.state.objects.get(id);
  const frame = object?.pages.get(Math.floor(size / PAGE_SIZE));
  if (frame !== undefined) core.port.fill(reach(core, frame + inside), PAGE_SIZE - inside, 0);
}
