/**
 * Shared objects: the pages behind MAP_SHARED mappings of memory and of files, so that a mapping that fork has doubled shows the same pages
 * in both processes, also those that nobody touched before. An object lives as long as an area shows it: whoever changes the list of areas of
 * an address space does so through `setAreas`, which counts.
 */
import { Map } from 'immutable';
import { PAGE_SIZE } from '../../units';
import type { Core } from '../core';
import { deviceAt, driverKernel } from '../drivers';
import { addJob } from '../process';
import type { Area } from '../state';
import { releaseFrame } from './frames';

/** Pages looked at in one step. */
const PIECE = 512;

/** Areas per object in a list. */
function objectCounts(areas: readonly Area[]): Map<number, number> {
  return Map<number, number>().withMutations((counts) => {
    for (const { object } of areas) if (object) counts.update(object.id, 0, (count) => count + 1);
  });
}

/** Puts a list of areas in place; an object that no area shows any more is freed by a job. */
export function setAreas(core: Core, pid: number, areas: readonly Area[]): void {
  const { memory } = core.process(pid);
  const [before, after] = [objectCounts(memory.areas), objectCounts(areas)];
  core.setProcess(pid, { memory: { ...memory, areas } });
  // By number: the jobs that free objects come in an order.
  const ids = [...before.merge(after).keys()].sort((a, b) => a - b);
  for (const id of ids) changeCount(core, id, after.get(id, 0) - before.get(id, 0));
  tellDevices(core, memory.areas, areas);
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

function changeCount(core: Core, id: number, by: number): void {
  if (by === 0) return;
  const object = core.state.objects.get(id) ?? { pages: Map(), end: 0, areas: 0 };
  const areas = object.areas + by;
  core.set({ objects: core.state.objects.set(id, { ...object, areas }) });
  if (areas === 0) addJob(core, { kind: 'free-object', object: id, position: 0 });
}

/** The number of a new object, which comes into being with the first area that shows it. */
export function newObject(core: Core): number {
  const id = core.state.nextObject;
  core.set({ nextObject: id + 1 });
  return id;
}

const pageIn = (area: Area, page: number): number => (area.object!.start + page * PAGE_SIZE - area.start) / PAGE_SIZE;

/** The frame that an area's object has for a page of the address space; it has to get a reference before it is mapped. */
export function objectFrame(core: Core, area: Area, page: number): number | undefined {
  return area.object && core.state.objects.get(area.object.id)?.pages.get(pageIn(area, page));
}

/** Gives a new frame to an area's object, which holds a reference to it from now on. */
export function keepInObject(core: Core, area: Area, page: number, frame: number): void {
  const { objects } = core.state;
  const object = objects.get(area.object!.id)!;
  const index = pageIn(area, page);
  const pages = object.pages.set(index, frame);
  core.set({ objects: objects.set(area.object!.id, { ...object, pages, end: Math.max(object.end, index + 1) }) });
}

/** Frees some pages of an object that nothing shows; the position to go on from, undefined when the object is gone. */
export function freeObject(core: Core, id: number, position: number): number | undefined {
  const object = core.state.objects.get(id)!;
  const end = Math.min(object.end, position + PIECE);
  for (let page = position; page < end; page++) {
    const frame = object.pages.get(page);
    if (frame !== undefined) releaseFrame(core, frame);
  }
  core.charge(end - position + 1);
  if (end < object.end) return end;
  core.set({ objects: core.state.objects.remove(id) });
  return undefined;
}
