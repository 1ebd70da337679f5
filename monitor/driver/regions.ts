/**
 * Memory the host shares with enclaves (shm) or hands over to them (schrodinger, relay): ids, attachments, and the device's mmap.
 * Deviates from the published driver where that one corrupts memory: new regions are zeroed, and an id that is removed while somebody
 * uses its memory takes the memory with it only when the last user is gone.
 */
import type { DeviceStep } from '../../emulator/linux/device';
import { PAGE_SIZE, pa, type PhysicalAddress } from '../../emulator/units';
import { AtParam, GetParam, IdRange } from '../abi';
import { orderOf, type Driver } from './core';
import { EPERM } from './errno';
import { freeId, type Region } from './state';
import { finish, goOn, zero, type Request, type Step, type Turn } from './step';

export type Table = 'shm' | 'relay';

/** An open file's data: what its mmap shows. */
export interface FileData {
  readonly table: Table;
  readonly id: number;
}

const MAX_REGION = 512 * 1024 * 1024;
const live = (driver: Driver, table: Table, id: number): Region | undefined => {
  const region = driver.state[table].get(id);
  return region && !region.removed ? region : undefined;
};

/** The part of a region that a parameter block names, when it is one: page aligned, at least a page, inside. */
export function regionPart(driver: Driver, table: Table, id: number, offset: number, size: number) {
  const region = live(driver, table, id);
  const fits =
    region && offset % PAGE_SIZE === 0 && size % PAGE_SIZE === 0 && size >= PAGE_SIZE && offset + size <= region.size;
  return fits ? { pa: region.pa + offset, size } : undefined;
}

export function useRegion(driver: Driver, table: Table, id: number, serial: number): void {
  const region = driver.state[table].get(id)!;
  driver.setRegion(table, { ...region, users: [...region.users, serial] });
}

export function regionCall(
  t: Turn,
  table: Table,
  what: 'get' | 'at' | 'dt' | 'ctl',
  request: Request,
  file: { readonly data: unknown; set(data: unknown): void },
): DeviceStep {
  const view = new DataView(request.bytes.buffer, request.bytes.byteOffset, request.bytes.byteLength);
  const done = (value: number, bytes = request.bytes) => goOn(200, finish({ ...request, bytes }, value));
  if (what === 'get') return get(t, table, request, Number(view.getBigUint64(GetParam.size, true)));
  const id = view.getInt32(0, true);
  const region = live(t.driver, table, id);
  if (!region) return done(EPERM);
  if (what === 'ctl') return done(remove(t, table, region));
  if (what === 'at' ? table === 'relay' && region.refs >= 1 : region.refs <= 0) return done(EPERM);
  t.driver.setRegion(table, { ...region, refs: region.refs + (what === 'at' ? 1 : -1) });
  file.set(what === 'at' ? ({ table, id } satisfies FileData) : undefined);
  const bytes = request.bytes.slice();
  new DataView(bytes.buffer).setBigUint64(AtParam.size, BigInt(region.size), true);
  return done(0, bytes);
}

/** A block for a new region, which gets its id when all of it is zero: before that nobody can map it. */
function get(t: Turn, table: Table, request: Request, size: number): DeviceStep {
  const order = orderOf(size / PAGE_SIZE);
  const fits = size >= PAGE_SIZE && size <= MAX_REGION && size % PAGE_SIZE === 0;
  const block = fits ? t.kernel.allocateBlock(order) : undefined;
  if (!block) return goOn(200, finish(request, EPERM));
  const then: Step = { at: 'region', request, table, size, block: { pa: block.address, order } };
  return goOn(200, zero(block.stale, then));
}

/** The region exists; its id is the result. */
export function newRegion(t: Turn, { request, table, size, block }: Step & { at: 'region' }): DeviceStep {
  const id = freeId(t.driver.state[table], IdRange.REGION);
  if (id === undefined) t.kernel.freePages(pa(block.pa), block.order);
  else t.driver.setRegion(table, { id, ...block, size, refs: 0, users: [], removed: false });
  return goOn(1, finish(request, id ?? EPERM));
}

function remove(t: Turn, table: Table, region: Region): number {
  if (region.refs > 0) return EPERM;
  t.driver.setRegion(table, { ...region, removed: true });
  t.driver.collect(t.kernel, table, region.id);
  return 0;
}

/** The pages an mmap of an open file shows, or a negative errno. */
export function mmapRegion(driver: Driver, data: unknown, length: number): readonly PhysicalAddress[] | number {
  const file = data as FileData | undefined;
  const region = file && live(driver, file.table, file.id);
  if (!file || !region || length > region.size) return EPERM;
  // The monitor would not let the kernel map them either; this way the caller learns at once.
  if (file.table === 'relay' && region.users.length > 0 && driver.options.mmapOwnership !== false) return EPERM;
  return Array.from({ length: Math.ceil(length / PAGE_SIZE) }, (_, i) => pa(region.pa + i * PAGE_SIZE));
}
