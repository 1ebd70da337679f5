/**
 * Memory the host shares with enclaves (shm) or hands over to them (schrodinger, relay): ids, attachments, and the device's mmap. Owns
 * when a region is freed: an id outlives the open file, and the process that made it as long as another one has attached it; the memory
 * stays while an address space or an enclave has it. Deviates from the published driver where that one corrupts memory or loses it: new
 * regions are zeroed, and an id that is removed while somebody uses its memory takes the memory with it only with the last user.
 */
import type { DeviceStep, Kernel } from '../../emulator/linux/device';
import { MemoryFault } from '../../emulator/machine/ports';
import { PAGE_SIZE, pa, type PhysicalAddress } from '../../emulator/units';
import { AtParam, GetParam, IdRange, Sbi } from '../abi';
import { LIMIT_REMEDY } from '../limits';
import { orderOf, sbi, type Driver } from './core';
import { EPERM } from './errno';
import { raise } from './permission';
import { smallestFree, regionsOf, type Region, type Table } from './state';
import { ask, finish, goOn, zero, type Request, type Step, type Turn } from './step';

/** An open file's data: what its mmap shows. */
export interface FileData {
  readonly table: Table;
  readonly id: number;
}

/** An attachment whose process is gone, but not its mapping: a child that was forked has it. */
const NOBODY = 0;

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
  driver.setRegion(table, { ...region, users: [...region.users, serial], given: true });
}

const callName = (table: Table, what: string): string =>
  `${table === 'shm' ? 'SHM' : 'SCHRODINGER_'}${what.toUpperCase()}`;

export function regionCall(
  t: Turn,
  table: Table,
  what: 'get' | 'at' | 'dt' | 'ctl',
  request: Request,
  file: { readonly data: unknown; set(data: unknown): void },
): DeviceStep {
  const { driver, caller } = t;
  const view = new DataView(request.bytes.buffer, request.bytes.byteOffset, request.bytes.byteLength);
  const done = (value: number, bytes = request.bytes) => goOn(200, finish({ ...request, bytes }, value));
  if (what === 'get') return get(t, table, request, Number(view.getBigUint64(GetParam.size, true)));
  const id = view.getInt32(0, true);
  const region = live(driver, table, id);
  const call = callName(table, what);
  const unknown = (problem: string): DeviceStep => {
    raise(t, 'region-unknown', { call, id, problem });
    return done(EPERM);
  };
  if (!region) return unknown('there is none');
  if (what === 'ctl') {
    if (region.attached.length > 0) {
      raise(t, 'region-removed-in-use', { call, id });
      return done(EPERM);
    }
    driver.setRegion(table, { ...region, removed: true });
    return freeRegions(t, { at: 'freed', regions: [{ table, id: region.id }], then: finish(request, 0) });
  }
  if (what === 'at' ? table === 'relay' && region.attached.length > 0 : region.attached.length === 0)
    return unknown(what === 'at' ? 'it is attached already' : 'it is not attached');
  driver.setRegion(table, what === 'at' ? attach(region, caller.pid) : detach(region, caller.pid));
  file.set(what === 'at' ? ({ table, id: region.id } satisfies FileData) : undefined);
  const bytes = request.bytes.slice();
  new DataView(bytes.buffer).setBigUint64(AtParam.size, BigInt(region.size), true);
  return done(0, bytes);
}

const attach = (region: Region, pid: number): Region => ({
  ...region,
  attached: [...region.attached, pid],
  holders: region.holders.includes(pid) ? region.holders : [...region.holders, pid],
});

/** One attachment less: the process's own, or one that it has from its parent. */
function detach(region: Region, pid: number): Region {
  const own = region.attached.lastIndexOf(pid);
  const at = own >= 0 ? own : region.attached.length - 1;
  return { ...region, attached: region.attached.filter((_, i) => i !== at) };
}

/** A block for a new region, which gets its id when all of it is zero: before that nobody can map it. */
function get(t: Turn, table: Table, request: Request, size: number): DeviceStep {
  const order = orderOf(size / PAGE_SIZE);
  const whole = size >= PAGE_SIZE && size % PAGE_SIZE === 0;
  if (!whole) raise(t, 'region-size', { call: callName(table, 'get'), size });
  const fits = whole && withinLimits(t, table, 2 ** order);
  const block = fits ? t.kernel.allocateBlock(order) : undefined;
  if (!block) return goOn(200, finish(request, EPERM));
  const then: Step = { at: 'region', request, table, size, block: { pa: block.address, order } };
  return goOn(200, zero(block.stale, then));
}

function withinLimits({ driver, kernel }: Turn, table: Table, pages: number): boolean {
  const { limits } = driver;
  const most = table === 'relay' ? Math.min(limits.blockPages, limits.relayBlockPages) : limits.blockPages;
  const taken =
    limits.relayPages < Infinity && table === 'relay'
      ? regionsOf(driver.state, 'relay').reduce((sum, { order }) => sum + 2 ** order, 0)
      : 0;
  if (pages <= most && taken + pages <= limits.relayPages) return true;
  const what = pages > most ? `${pages} pages in one piece; a device gives ${most}` : `${pages} pages`;
  const pool = table === 'relay' ? ` (its pool has ${limits.relayPages}, of which ${taken} are taken)` : '';
  driver.log(kernel, `[ERROR] ${table === 'relay' ? 'schrodinger_get' : 'shmget'}: ${what}${pool}: ${LIMIT_REMEDY}`);
  return false;
}

/** The region exists; its id is the result. */
export function newRegion(t: Turn, { request, table, size, block }: Step & { at: 'region' }): DeviceStep {
  const { driver, kernel, caller } = t;
  const id = smallestFree(driver.state[table], [IdRange.REGION[0], driver.limits.regionIds]);
  const none = { attached: [], holders: [caller.pid], maps: 0, users: [], given: false, removed: false };
  if (id === undefined) kernel.freePages(pa(block.pa), block.order);
  else driver.setRegion(table, { id, ...block, size, ...none });
  return goOn(1, finish(request, id ?? EPERM));
}

// ---- the end of a region ----------------------------------------------------------------------------------------------------

/**
 * Frees regions that nothing holds any more. Pages that an enclave transferred to a name and that nobody has taken are still the
 * monitor's: it is asked to zero them and give them back first.
 */
export function freeRegions(t: Turn, step: Step & { at: 'freed' }): DeviceStep {
  const { driver, kernel } = t;
  const [first, ...rest] = step.regions;
  if (!first) return goOn(100, step.then);
  const region = driver.state[first.table].get(first.id);
  const next: Step = { ...step, regions: rest, asked: false };
  if (!region || !unused(region)) return goOn(1, next);
  if (!step.asked && region.given && !readable(kernel, region))
    return ask(sbi(Sbi.RELAY_RELEASE, region.pa, region.size), { ...step, asked: true });
  collect(driver, kernel, first.table, first.id);
  return goOn(1, next);
}

/** No enclave has it, and none will be able to name it. */
const unused = (region: Region): boolean =>
  region.users.length === 0 &&
  (region.removed || (region.holders.length === 0 && region.attached.every((pid) => pid === NOBODY)));

const unheld = (region: Region): boolean => unused(region) && region.maps === 0;

/** Frees a region when nothing holds it and the kernel can reach all of it again; else it is looked at later. */
export function collect(driver: Driver, kernel: Kernel, table: Table, id: number): void {
  const region = driver.state[table].get(id);
  if (!region || !unheld(region)) return;
  if (region.given && !readable(kernel, region)) {
    const known = driver.state.stranded.some((other) => other.table === table && other.id === id);
    if (!known) driver.update({ stranded: [...driver.state.stranded, { table, id }] });
    return;
  }
  driver.update({
    [table]: driver.state[table].remove(id),
    stranded: driver.state.stranded.filter((other) => other.table !== table || other.id !== id),
    ...(table === 'shm' && driver.state.persistency === id ? { persistency: 0 } : {}),
  });
  kernel.freePages(pa(region.pa), region.order);
}

/** False while pages of it are the monitor's or an enclave's. */
function readable({ port, linear }: Kernel, region: Region): boolean {
  try {
    for (let at = 0; at < region.size; at += PAGE_SIZE) port.readU8(linear(pa(region.pa + at)));
    return true;
  } catch (error) {
    if (error instanceof MemoryFault) return false;
    throw error;
  }
}

/** An enclave is gone or has given pages back: what it used may be free now, and regions that waited for pages it had taken. */
export function collectAll(driver: Driver, kernel: Kernel, { shm, relay }: { shm: number; relay: number }): void {
  collect(driver, kernel, 'shm', shm);
  collect(driver, kernel, 'relay', relay);
  for (const { table, id } of driver.state.stranded) collect(driver, kernel, table, id);
}

/** A process is gone: it holds no ids, and what it attached is attached as long as somebody maps it. What is left to free. */
export function leaveRegions(driver: Driver, pid: number): { table: Table; id: number }[] {
  return (['shm', 'relay'] as const).flatMap((table) =>
    regionsOf(driver.state, table).flatMap((region) => {
      const holders = region.holders.filter((holder) => holder !== pid);
      const attached = region.attached.map((holder) => (holder === pid ? NOBODY : holder));
      driver.setRegion(table, settled({ ...region, holders, attached }));
      return [{ table, id: region.id }];
    }),
  );
}

const settled = (region: Region): Region =>
  region.maps > 0 || !region.attached.includes(NOBODY)
    ? region
    : { ...region, attached: region.attached.filter((pid) => pid !== NOBODY) };

/** More or fewer areas of address spaces show a region. */
export function regionMapped(driver: Driver, kernel: Kernel, data: unknown, by: number): void {
  const { table, id } = data as FileData;
  const region = driver.state[table].get(id);
  if (!region) return;
  driver.setRegion(table, settled({ ...region, maps: region.maps + by }));
  if (by < 0) collect(driver, kernel, table, id);
}

/** The pages an mmap of an open file shows, or a negative errno. */
export function mmapRegion(
  driver: Driver,
  kernel: Kernel,
  data: unknown,
  length: number,
): readonly PhysicalAddress[] | number {
  const file = data as FileData | undefined;
  const region = file && live(driver, file.table, file.id);
  if (!file || !region || length > region.size) return EPERM;
  // The monitor would not let the kernel map them either; this way the caller learns at once.
  const owned = file.table === 'relay' && (region.users.length > 0 || (region.given && !readable(kernel, region)));
  if (owned && driver.options.mmapOwnership !== false) return EPERM;
  return Array.from({ length: Math.ceil(length / PAGE_SIZE) }, (_, i) => pa(region.pa + i * PAGE_SIZE));
}
