/**
 * The full check of the monitor: every page of RAM against whom the monitor's records say it belongs to, every mapping of every enclave
 * against ownership, share counts against the enclaves that map a page, and the records against each other.
 */
import type { Machine } from '../../../emulator/machine/types';
import { first as smallest, freeId, inOrder, type Ids } from '../../../emulator/machine/sorted';
import { buddyFreePages } from '../../../emulator/linux/memory/buddy';
import { PAGE_SIZE } from '../../../emulator/units';
import { Pte } from '../../../monitor/abi';
import { PageKind } from '../../../monitor/pages';
import {
  byInstance,
  enclavesOf,
  shadowsOf,
  type Enclave,
  type MonitorState,
  type Shadow,
} from '../../../monitor/state';
import { entriesOf } from './guard';
import {
  COPY_ON_WRITE,
  RAM,
  bytesAt,
  entryOf,
  frameOf,
  hex,
  isPrivate,
  kindOf,
  must,
  ownerOf,
  pageOf,
  sharersOf,
  walk,
  LEAF,
} from './memory';

interface Claim {
  readonly owner: number;
  readonly kinds: readonly PageKind[];
}

const POOL = [PageKind.Free, PageKind.Metadata, PageKind.Table, PageKind.Data];
const isEnclave = (made: Enclave | Shadow): made is Enclave => 'eid' in made;

export function checkOwnership(machine: Machine, state: MonitorState): void {
  const owners = entriesOf(machine, state);
  const all = [...enclavesOf(state), ...shadowsOf(state)];
  checkPages(owners, state, all);
  checkMappings(machine, owners, state, all);
  checkShares(owners, all);
  checkRecords(state);
  checkHidden(machine, owners, state);
}

/** Each private page is exactly one record's, and each record's pages are private to it. */
function checkPages(owners: Int32Array, state: MonitorState, all: readonly (Enclave | Shadow)[]): void {
  const claims = new Map<number, Claim>();
  const claim = (base: number, size: number, owner: number, kinds: readonly PageKind[]): void => {
    for (let at = base; at < base + size; at += PAGE_SIZE) {
      must(!claims.has(pageOf(at)), () => `${hex(at)} belongs to ${claims.get(pageOf(at))!.owner} and ${owner}`);
      claims.set(pageOf(at), { owner, kinds });
    }
  };
  for (const made of all) {
    claim(made.pool.base, made.pool.size, made.instance, POOL);
    for (const page of state.owned.get(made.instance) ?? []) claim(page, PAGE_SIZE, made.instance, POOL);
    if (!isEnclave(made)) continue;
    for (const area of [...made.areas, ...made.heap]) claim(area.block, area.blockSize, made.instance, [PageKind.Data]);
    for (const relay of made.relays) claim(relay.pa, relay.size, made.instance, [PageKind.Relay]);
  }
  for (const piece of state.sharedMemory.values())
    claim(piece.block, piece.blockSize, piece.creator, [PageKind.Shared]);
  for (const { pa, size } of state.transferred)
    for (let at = pa; at < pa + size; at += PAGE_SIZE)
      claim(at, PAGE_SIZE, ownerOf(owners[pageOf(at)]!), [PageKind.Relay]);
  let ofMonitor = 0;
  owners.forEach((entry, page) => {
    const wanted = claims.get(page);
    const at = RAM + page * PAGE_SIZE;
    if (!isPrivate(entry)) return must(wanted === undefined, () => `${hex(at)} is public and ${wanted?.owner}'s`);
    if (kindOf(entry) === PageKind.Monitor && !wanted) return void ofMonitor++;
    must(
      wanted !== undefined && wanted.owner === ownerOf(entry) && wanted.kinds.includes(kindOf(entry)),
      () => `${hex(at)} is private to ${ownerOf(entry)}, kind ${kindOf(entry)}; records say ${JSON.stringify(wanted)}`,
    );
  });
  const { memory } = state;
  const order = Math.ceil(Math.log2(owners.length));
  const taken = [...state.owned.values()].reduce((sum, pages) => sum + pages.size, 0);
  must(memory.free === ofMonitor, () => `${ofMonitor} pages are the monitor's, ${memory.free} are free`);
  must(memory.free === buddyFreePages(memory.tree, order), () => 'the monitor miscounts its free pages');
  must(
    memory.total === memory.free + taken,
    () => `${memory.total} pages were given, ${memory.free} + ${taken} are there`,
  );
}

/** Each enclave maps what it owns, once; what others have only where it is meant to be shared. */
function checkMappings(
  machine: Machine,
  owners: Int32Array,
  state: MonitorState,
  all: readonly (Enclave | Shadow)[],
): void {
  for (const made of all) {
    const { tables, leaves } = walk(machine, made.root * PAGE_SIZE);
    const template = isEnclave(made) ? made.template : undefined;
    const mine = (entry: number) => ownerOf(entry) === made.instance;
    const templates = (entry: number) => template !== undefined && ownerOf(entry) === template;
    for (const table of tables) {
      const entry = owners[pageOf(table)] ?? 0;
      must(
        isPrivate(entry) && kindOf(entry) === PageKind.Table && (mine(entry) || templates(entry)),
        () => `the table ${hex(table)} of ${made.instance} belongs to ${ownerOf(entry)}, kind ${kindOf(entry)}`,
      );
    }
    const seen = new Set<number>();
    for (const { va, entry, frame } of leaves) {
      const owner = owners[pageOf(frame)];
      const flags = entry % 1024;
      const where = () => `${hex(va)} of ${made.instance} shows ${hex(frame)}, entry ${hex(entry)}`;
      must(owner !== undefined && (flags & Pte.U) !== 0, where);
      must(!(flags & Pte.W && flags & COPY_ON_WRITE), where);
      // The host may give one page of its own for two purposes.
      if (flags & Pte.W && isPrivate(owner)) {
        must(!seen.has(frame), () => `${where()}, which it maps twice`);
        seen.add(frame);
      }
      if (!isPrivate(owner)) must(sharersOf(owner) > 0, () => `${where()}, public and not counted`);
      else if (kindOf(owner) === PageKind.Shared) sharedFits(state, made, frame, where);
      else if (templates(owner)) must(kindOf(owner) === PageKind.Data && !(flags & Pte.W), where);
      else must(mine(owner) && [PageKind.Data, PageKind.Relay].includes(kindOf(owner)), () => `${where()}, another's`);
    }
  }
}

function sharedFits(state: MonitorState, made: Enclave | Shadow, frame: number, where: () => string): void {
  const piece = [...state.sharedMemory.values()].find(
    ({ block, blockSize }) => block <= frame && frame < block + blockSize,
  );
  must(
    piece !== undefined && piece.users.includes(made.instance),
    () => `${where()}, shared memory it has not attached`,
  );
}

/** A public page counts exactly the enclaves that map it or have results written to it. */
function checkShares(owners: Int32Array, all: readonly (Enclave | Shadow)[]): void {
  const counts = new Map<number, number>();
  const add = (base: number, size: number): void => {
    for (let at = base; at < base + size; at += PAGE_SIZE) counts.set(pageOf(at), (counts.get(pageOf(at)) ?? 0) + 1);
  };
  for (const made of all) {
    if (!isEnclave(made)) continue;
    if (made.kbuffer !== 0) add(made.kbuffer, PAGE_SIZE);
    add(made.shm, made.shmSize);
    add(made.out.ocall - (made.out.ocall % PAGE_SIZE), PAGE_SIZE);
  }
  owners.forEach((entry, page) => {
    const wanted = counts.get(page) ?? 0;
    const is = isPrivate(entry) ? 0 : sharersOf(entry);
    must(is === wanted, () => `${hex(RAM + page * PAGE_SIZE)} counts ${is} sharers, ${wanted} have it`);
  });
}

function checkIds(what: string, { next, freed }: Ids, used: readonly number[]): void {
  const free = new Set([...inOrder(freed)].map(({ key }) => key));
  must(new Set(used).size === used.length, () => `${what} are not unique`);
  for (const id of used) must(id < next && !free.has(id), () => `${what}: ${id} is free and in use`);
  must(free.size + used.length === next, () => `${what}: ${free.size} free + ${used.length} used are not ${next}`);
  must(freeId({ next, freed }) === (smallest(freed)?.key ?? next), () => `${what}: the smallest free one`);
}

/** Indexes, links of call chains and counts of the records. */
function checkRecords(state: MonitorState): void {
  const enclaves = enclavesOf(state);
  const shadows = shadowsOf(state);
  checkIds(
    'eids',
    state.eids,
    enclaves.map(({ eid }) => eid),
  );
  checkIds(
    'numbers of templates',
    state.shadowIds,
    shadows.map(({ id }) => id),
  );
  must(state.byInstance.size === enclaves.length + shadows.length, () => 'instances are indexed that are not there');
  must(state.names.reduce((a, b) => a + b, 0) + state.servers.size === enclaves.length, () => 'names are miscounted');
  must(state.tasks.length === 0 && state.undo.length === 0, () => 'the monitor has left work');
  for (const enclave of enclaves) {
    must(byInstance(state, enclave.instance) === enclave, () => `instance ${enclave.instance} is not found`);
    if (enclave.type === 'SERVER') must(state.servers.get(enclave.name) === enclave.eid, () => 'a server is not found');
    const { caller, callee, eid } = enclave;
    if (callee >= 0)
      must(state.enclaves.get(callee)?.caller === eid, () => `${eid} calls ${callee}, which does not know`);
    if (caller >= 0)
      must(state.enclaves.get(caller)?.callee === eid, () => `${eid} works for ${caller}, which does not know`);
    const areas = [...enclave.heap, ...enclave.areas];
    for (let i = 1; i < areas.length; i++)
      must(areas[i - 1]!.start + areas[i - 1]!.size <= areas[i]!.start, () => `areas of ${eid} overlap`);
    for (const { key } of enclave.shared)
      must(state.sharedMemory.get(key)?.users.includes(enclave.instance) ?? false, () => `${eid} has ${key}, unknown`);
  }
  for (const { key, users } of state.sharedMemory.values()) {
    must(new Set(users).size === users.length, () => `users of ${key} are not unique`);
    for (const user of users) {
      const enclave = byInstance(state, user);
      const has = enclave && isEnclave(enclave) && enclave.shared.some((mine) => mine.key === key);
      must(has === true, () => `${user} is a user of ${key} and does not map it`);
    }
  }
  for (const { id, instances } of shadows)
    must(instances === enclaves.filter(({ shadow }) => shadow === id).length, () => `instances of template ${id}`);
}

/** Entries that are remembered as hidden show private pages and are not valid. */
function checkHidden(machine: Machine, owners: Int32Array, state: MonitorState): void {
  for (const key of state.hidden.keys()) {
    const words = new Int32Array(bytesAt(machine, key * 8, 8).buffer);
    const entry = entryOf(words, 0);
    const large = key * 8 - state.area!.base < state.area!.rootBytes + state.area!.middleBytes;
    const first = pageOf(frameOf(entry));
    const pages = owners.subarray(first, first + (large ? 512 : 1));
    must(
      !(entry & Pte.V) && ((entry % 1024) & LEAF) !== 0 && pages.some(isPrivate),
      () => `the hidden entry at ${hex(key * 8)} is ${hex(entry)}`,
    );
  }
}
