/** The driver's state: one immutable tree. Enclaves by the id the host sees, memory regions by theirs. */
import { Map as ImmutableMap } from 'immutable';
import type { Space } from '../../emulator/units';
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
  readonly pool: Block;
  /** Two pages: what is passed to the monitor and comes from it; the kbuffer. */
  readonly shared: Block;
  readonly imageHash: string;
  /** Host thread inside RUN, 0 for none. */
  readonly runner: number;
  readonly stopped: boolean;
  /** Pages an instance forked from this template needs for copies and tables. */
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
  readonly nextSerial: number;
  readonly shm: ImmutableMap<number, Region>;
  readonly relay: ImmutableMap<number, Region>;
  /** Blocks given to enclaves by ocalls, by address: their orders. */
  readonly blocks: ImmutableMap<number, number>;
  /** Images that were loaded, by the SHA-256 of their bytes. */
  readonly images: ImmutableMap<string, Image>;
  /** shm id that file-system sectors go through, 0 before PERSISTENCY_INIT. */
  readonly persistency: number;
}

export const initialDriverState: DriverState = {
  enclaves: ImmutableMap(),
  nextSerial: 1,
  shm: ImmutableMap(),
  relay: ImmutableMap(),
  blocks: ImmutableMap(),
  images: ImmutableMap(),
  persistency: 0,
};

/** Smallest free id in [first, end); undefined when all are taken. */
export function freeId(
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
