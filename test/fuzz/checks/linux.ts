/**
 * The full check of kernel and driver: reference counts of frames and open files equal their holders, the page allocator's blocks are somebody's,
 * regions know who shows and uses them, and the driver and the monitor agree on which enclaves there are.
 */
import type { Area, State } from '../../../emulator/linux/state';
import { buddyFreePages } from '../../../emulator/linux/memory/buddy';
import { PAGE_SIZE } from '../../../emulator/units';
import { SharedPage } from '../../../monitor/driver/core';
import { recordsOf, regionsOf, type DriverState } from '../../../monitor/driver/state';
import type { ComposedSystem } from '../../../monitor/system/system';
import { RAM, frameOf, hex, must, pageOf } from './memory';

/** Blocks of 2 MiB that the monitor was given. */
const EXTEND_ORDER = 9;

export function checkLinux(system: ComposedSystem, linux: State, driver: DriverState, own: number): void {
  checkOpenFiles(linux);
  checkRegions(linux, driver);
  checkEnclaves(system, driver);
  // Between two steps of a job that frees memory, or of a call that moves it, nobody can say from outside what is whose.
  if (inMotion(linux)) return;
  checkReferences(linux);
  const held = heldElsewhere(system, linux, driver);
  must(held === own, () => `${held - own} pages are taken and nobody's`);
}

const EXECVE = 221;
const CLONE = 220;

function inMotion({ jobs, threads }: State): boolean {
  const frees = [...jobs.values()].some(({ work }) => work.kind !== 'command' && work.kind !== 'boot-device');
  const moves = [...threads.values()].some(
    ({ call }) => call && [EXECVE, CLONE].includes(call.number) && call.phase !== undefined,
  );
  return frees || moves;
}

/** Frames of processes and shared objects with the number of their holders. */
function holders(linux: State): Map<number, number> {
  const counts = new Map<number, number>();
  const hold = (frame: number) => counts.set(frame, (counts.get(frame) ?? 0) + 1);
  for (const { memory, borrows } of linux.processes.values()) {
    if (borrows !== 0) continue;
    for (const [page, leaf] of memory.pages) {
      const at = page * PAGE_SIZE;
      const area = memory.areas.find(({ start, end }: Area) => start <= at && at < end);
      must(area !== undefined, () => `the page ${hex(at)} lies in no area`);
      if (area.backing.kind !== 'frames') hold(frameOf(leaf));
    }
  }
  for (const { pages } of linux.objects.values()) for (const frame of pages.values()) hold(frame);
  return counts;
}

function checkReferences(linux: State): void {
  const counts = holders(linux);
  for (const [frame, count] of counts) {
    const known = linux.references.get(frame / PAGE_SIZE, 1);
    must(known === count, () => `frame ${hex(frame)} counts ${known} references, ${count} have it`);
  }
  for (const number of linux.references.keys())
    must(counts.has(number * PAGE_SIZE), () => `frame ${hex(number * PAGE_SIZE)} has references and no holder`);
}

/** Blocks that calls in progress have in hand: {pa, order} in the plain data they left for their next step. */
function inHand(value: unknown, found: Map<number, number>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  const { pa, order } = value as { pa?: unknown; order?: unknown };
  if (typeof pa === 'number' && typeof order === 'number') found.set(pa, order);
  for (const inner of Object.values(value)) inHand(inner, found);
}

/** Pages that are taken and neither a process's nor the driver's: the kernel's own, always as many. No page may be two's. */
export function heldElsewhere(system: ComposedSystem, linux: State, driver: DriverState): number {
  const pages = system.machine.ramSize / PAGE_SIZE;
  const taken = new Map<number, string>();
  const take = (pa: number, order: number, who: string): void => {
    for (let page = pageOf(pa); page < pageOf(pa) + 2 ** order; page++) {
      must(!taken.has(page), () => `${hex(RAM + page * PAGE_SIZE)} is ${taken.get(page)}'s and ${who}'s`);
      taken.set(page, who);
    }
  };
  for (const frame of holders(linux).keys()) take(frame, 0, 'a process');
  const blocks = new Map<number, number>();
  for (const { pool, shared } of recordsOf(driver)) {
    if (pool) blocks.set(pool.pa, pool.order);
    blocks.set(shared.pa, shared.order);
  }
  for (const table of ['shm', 'relay'] as const)
    for (const { pa, order } of regionsOf(driver, table)) blocks.set(pa, order);
  for (const [number, order] of driver.blocks) blocks.set(number * PAGE_SIZE, order);
  for (const number of driver.extended.keys()) blocks.set(number * PAGE_SIZE, EXTEND_ORDER);
  const moving = new Map<number, number>();
  for (const { call } of linux.threads.values()) inHand(call?.phase, moving);
  for (const { phase } of linux.jobs.values()) inHand(phase, moving);
  for (const [pa, order] of moving) blocks.set(pa, order);
  for (const [pa, order] of blocks) take(pa, order, 'the driver');
  const order = Math.ceil(Math.log2(pages));
  return 2 ** order - buddyFreePages(linux.buddy, order) - taken.size;
}

function checkOpenFiles(linux: State): void {
  const counts = new Map<number, number>();
  for (const { descriptors, pid } of linux.processes.values())
    for (const { file } of descriptors.values()) {
      must(linux.openFiles.has(file), () => `process ${pid} has an open file that is not there`);
      counts.set(file, (counts.get(file) ?? 0) + 1);
    }
  for (const [id, file] of linux.openFiles)
    must(
      file.references === (counts.get(id) ?? 0),
      () => `${file.path} counts ${file.references}, ${counts.get(id)} have it`,
    );
}

function checkRegions(linux: State, driver: DriverState): void {
  const records = recordsOf(driver);
  for (const table of ['shm', 'relay'] as const) {
    const shows = (id: number) => (area: Area) => {
      if (area.backing.kind !== 'frames' || !area.backing.device) return false;
      const data = area.backing.device.data as { table: string; id: number };
      return data.table === table && data.id === id;
    };
    const regions = regionsOf(driver, table);
    must(new Set(regions.map(({ id }) => id)).size === regions.length, () => `ids of ${table} are not unique`);
    for (const { id, maps, users } of regions) {
      const areas = [...linux.processes.values()].flatMap(({ memory, borrows }) => (borrows ? [] : memory.areas));
      const shown = areas.filter(shows(id)).length;
      must(maps === shown, () => `${table} ${hex(id)} counts ${maps} maps, ${shown} areas show it`);
      for (const user of users)
        must(
          records.some((record) => record.serial === user && record[table] === id),
          () => `${table} ${hex(id)} has a user that is no enclave`,
        );
    }
  }
}

/** Every enclave of the monitor's is one of the driver's, under the number both know. */
function checkEnclaves({ monitor }: ComposedSystem, driver: DriverState): void {
  const records = recordsOf(driver);
  must(new Set(records.map(({ eid }) => eid)).size === records.length, () => 'eids of the driver are not unique');
  must(new Set(records.map(({ serial }) => serial)).size === records.length, () => 'serials are not unique');
  for (const { instance, eidPointer } of [...monitor.enclaves(), ...monitor.shadows()]) {
    const known = records.filter(({ shared }) => shared.pa + SharedPage.eid === eidPointer);
    must(known.length === 1, () => `instance ${instance} is ${known.length} enclaves of the driver`);
  }
}
