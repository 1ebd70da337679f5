/** The driver's state: one immutable tree. Enclaves by the id the host sees, memory regions by theirs. */
import { Map as ImmutableMap } from 'immutable';
import {
  idsFrom,
  inOrder,
  insert,
  remove,
  withFree,
  withoutFree,
  type Ids,
  type Sorted,
} from '../../emulator/machine/sorted';
import { PAGE_SIZE, type Space } from '../../emulator/units';
import { IdRange } from '../abi';
import type { Image } from './image';

/** A block of the kernel's page allocator. */
export interface Block {
  readonly pa: number;
  readonly order: number;
}

export interface EnclaveRecord {
  readonly eid: number;
  /** Unique for the life of the driver: an eid is used again, this is not. */
  readonly serial: number;
  /** The monitor's number, of an enclave or (SHADOW) of a template; -1 until it exists there. */
  readonly monitorEid: number;
  readonly kind: 'NORMAL' | 'SERVER' | 'SHADOW' | 'INSTANCE';
  readonly name: string;
  readonly pid: number;
  readonly space: Space | undefined;
  /** Memory for its pages; an instance has none of its own, the monitor has been given memory for all of them. */
  readonly pool: Block | undefined;
  /** Two pages: what is passed to the monitor and comes from it; the kbuffer. */
  readonly shared: Block;
  readonly imageHash: string;
  /** Host thread inside RUN, 0 for none. */
  readonly runner: number;
  readonly stopped: boolean;
  /** Pages a device copies for each instance of a template, and their tables. */
  readonly forkPages: number;
  readonly shm: number;
  readonly relay: number;
  /** Relay memory handed back with RETURN_RELAY_PAGE, for the rerun. */
  readonly returned: { readonly pa: number; readonly size: number } | undefined;
}

/** shm or schrodinger memory. */
export interface Region {
  readonly id: number;
  readonly pa: number;
  readonly order: number;
  readonly size: number;
  /** Processes that attached it, once for each time; 0: one that is gone, but not its mapping. */
  readonly attached: readonly number[];
  /** Processes that made or attached it; without any the id is gone too. */
  readonly holders: readonly number[];
  /** Areas of address spaces that show it. */
  readonly maps: number;
  /** Enclaves (serials) that map it or own it. */
  readonly users: readonly number[];
  /** An enclave had it: pages of it may be somewhere else than where the driver gave them. */
  readonly given: boolean;
  /** The id is gone; the memory goes with the last user. */
  readonly removed: boolean;
}

export interface DriverState {
  readonly enclaves: ImmutableMap<number, EnclaveRecord>;
  /** Indexes: eids by the number of the first shared page (addresses hash badly), by the monitor's number, and by the host thread inside RUN. */
  readonly byShared: ImmutableMap<number, number>;
  readonly byMonitorEid: ImmutableMap<number, number>;
  readonly byRunner: ImmutableMap<number, number>;
  /** Free numbers. */
  readonly eids: Ids;
  /** Enclaves by the process that owns them. */
  readonly byOwner: ImmutableMap<number, Sorted>;
  readonly nextSerial: number;
  /** Enclaves that have been run, instances among them. */
  readonly runs: number;
  readonly shm: ImmutableMap<number, Region>;
  readonly relay: ImmutableMap<number, Region>;
  /** Regions that nothing holds, but whose pages an enclave still has. */
  readonly stranded: readonly { readonly table: Table; readonly id: number }[];
  /** Blocks given to enclaves by ocalls, by their first page's number: their orders. */
  readonly blocks: ImmutableMap<number, number>;
  /** Blocks of 2^EXTEND_ORDER pages that the monitor was given for its own use, by their first page's number. */
  readonly extended: ImmutableMap<number, true>;
  /** Images that were loaded, by the SHA-256 of their bytes. */
  readonly images: ImmutableMap<string, Image>;
  /** shm id that file-system sectors go through, 0 before PERSISTENCY_INIT. */
  readonly persistency: number;
}

export const initialDriverState: DriverState = {
  enclaves: ImmutableMap(),
  byShared: ImmutableMap(),
  byMonitorEid: ImmutableMap(),
  byRunner: ImmutableMap(),
  eids: idsFrom(IdRange.ENCLAVE[0]),
  byOwner: ImmutableMap(),
  nextSerial: 1,
  runs: 0,
  shm: ImmutableMap(),
  relay: ImmutableMap(),
  stranded: [],
  blocks: ImmutableMap(),
  extended: ImmutableMap(),
  images: ImmutableMap(),
  persistency: 0,
};

/** Smallest free id in [first, end); undefined when all are taken. */
export function smallestFree(
  table: ImmutableMap<number, unknown>,
  [first, end]: readonly [number, number],
): number | undefined {
  let id = first;
  while (table.has(id)) id++;
  return id < end ? id : undefined;
}

export type Table = 'shm' | 'relay';

/** All regions of a table, by id. */
export const regionsOf = (state: DriverState, table: Table): Region[] =>
  [...state[table].values()].sort((a, b) => a.id - b.id);

/** All records, by eid. */
export const recordsOf = (state: DriverState): EnclaveRecord[] =>
  [...state.enclaves.values()].sort((a, b) => a.eid - b.eid);

/** A process's enclaves are destroyed in this order: instances before the templates whose pages they share. */
const END_ORDER = ['INSTANCE', 'NORMAL', 'SERVER', 'SHADOW'] as const;

type Indexes = Pick<DriverState, 'byShared' | 'byMonitorEid' | 'byRunner' | 'byOwner'>;

function unindexed(indexes: Indexes, { shared, monitorEid, kind, runner, pid, eid }: EnclaveRecord): Indexes {
  const mine = remove(indexes.byOwner.get(pid) ?? null, END_ORDER.indexOf(kind), eid);
  return {
    byShared: indexes.byShared.remove(shared.pa / PAGE_SIZE),
    byMonitorEid: kind === 'SHADOW' ? indexes.byMonitorEid : indexes.byMonitorEid.remove(monitorEid),
    byRunner: runner === 0 ? indexes.byRunner : indexes.byRunner.remove(runner),
    byOwner: mine ? indexes.byOwner.set(pid, mine) : indexes.byOwner.remove(pid),
  };
}

function indexed(indexes: Indexes, { shared, monitorEid, kind, runner, pid, eid }: EnclaveRecord): Indexes {
  const known = kind !== 'SHADOW' && monitorEid >= 0;
  return {
    byShared: indexes.byShared.set(shared.pa / PAGE_SIZE, eid),
    byMonitorEid: known ? indexes.byMonitorEid.set(monitorEid, eid) : indexes.byMonitorEid,
    byRunner: runner === 0 ? indexes.byRunner : indexes.byRunner.set(runner, eid),
    byOwner: indexes.byOwner.set(pid, insert(indexes.byOwner.get(pid) ?? null, END_ORDER.indexOf(kind), eid)),
  };
}

/** The state with a new record, which has the smallest free eid, or a changed one. */
export function withRecord(state: DriverState, record: EnclaveRecord): Partial<DriverState> {
  const before = state.enclaves.get(record.eid);
  const enclaves = state.enclaves.set(record.eid, record);
  if (!before) return { enclaves, eids: withoutFree(state.eids), ...indexed(state, record) };
  const same = before.monitorEid === record.monitorEid && before.runner === record.runner && before.pid === record.pid;
  return same ? { enclaves } : { enclaves, ...indexed(unindexed(state, before), record) };
}

export const withoutRecord = (state: DriverState, record: EnclaveRecord): Partial<DriverState> => ({
  enclaves: state.enclaves.remove(record.eid),
  eids: withFree(state.eids, record.eid),
  ...unindexed(state, record),
});

/** The process's enclaves, in the order in which they are to end. */
export const ownedBy = (state: DriverState, pid: number): Generator<{ readonly tie: number }> =>
  inOrder(state.byOwner.get(pid) ?? null);
