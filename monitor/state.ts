/**
 * The monitor's state: one immutable tree of plain data. Owns the shapes and the trivial questions about them. What the real
 * monitor keeps in tables in its extend pool lies here; page ownership and page tables lie in guest memory, where PMP guards them.
 */
import { Map as ImmutableMap, type List } from 'immutable';
import type { SavedRegisters } from '../emulator/hart/types';
import { idsFrom, withFree, withoutFree, type Ids } from '../emulator/machine/sorted';
import { NO_MEMORY, type OwnMemory } from './own-memory';
import type { Task } from './task';
import type { EnclaveState, Instance } from './types';

/** A block of physical memory the driver gave for an mmap or heap area; its first page keeps the list it is freed by. */
export interface Area {
  /** First virtual address and bytes mapped: the block without its first page. */
  readonly start: number;
  readonly size: number;
  readonly block: number;
  readonly blockSize: number;
}

/** A piece of relay memory (mm_arg) the enclave owns. */
export interface RelayRegion {
  readonly pa: number;
  readonly va: number;
  readonly size: number;
}

/** Physical addresses in host memory that results are written to: ocall id, two arguments, speaker, return value. */
export interface OutPointers {
  readonly ocall: number;
  readonly arg0: number;
  readonly arg1: number;
  readonly speaker: number;
  readonly retval: number;
}

/** Memory the driver gave an enclave when it made it. An instance may have none: all of its pages are the monitor's then. */
export interface Pool {
  readonly base: number;
  readonly size: number;
  /** Next page of the pool that is in no use; page tables come from here. */
  readonly free: number;
}

/** What call_enclave_arg_t says. */
export interface CallArgument {
  readonly req_arg: bigint;
  readonly resp_val: bigint;
  readonly req_vaddr: number;
  /** Exact: without an area they are numbers of the program's own. */
  readonly req_size: bigint;
  readonly resp_vaddr: number;
  readonly resp_size: bigint;
}

/** What a callee remembers of the call it works for. */
export interface PendingCall {
  /** Address of call_enclave_arg_t in the caller, and what it said at the call: its memory may be shared with the host. */
  readonly argument: number;
  readonly asked: CallArgument;
  /** Where the request area was in the caller. */
  readonly areaStart: number;
}

export interface Enclave {
  readonly eid: number;
  readonly instance: Instance;
  readonly name: string;
  readonly type: 'NORMAL' | 'SERVER';
  readonly state: EnclaveState;
  /** Template it was forked from: its number among the shadows, and its instance number. */
  readonly shadow?: number;
  readonly template?: Instance;
  /** Root page table, as satp.PPN names it. */
  readonly root: number;
  /** satp.PPN of the host process it belongs to. */
  readonly host: number;
  readonly entry: number;
  readonly pool: Pool;
  /** Where the driver wanted its number told: what monitor and driver both know an enclave by. */
  readonly eidPointer: number;
  /** mmap areas, by address, lowest first. */
  readonly areas: readonly Area[];
  /** Heap areas, oldest first. */
  readonly heap: readonly Area[];
  readonly kbuffer: number;
  readonly shm: number;
  readonly shmSize: number;
  readonly relays: readonly RelayRegion[];
  /** Secure shared memory it has attached. */
  readonly shared: readonly { readonly key: string; readonly start: number; readonly size: number }[];
  readonly out: OutPointers;
  /** Registers while it is not on the hart; undefined before the first run and for an idle server. */
  readonly registers?: SavedRegisters;
  /** Links of a call chain: eids, -1 for none. `top` is the enclave the host ran. */
  readonly caller: number;
  readonly top: number;
  readonly callee: number;
  readonly pendingCall?: PendingCall;
  /** Handles it got from acquire_enclave, and of whom: the host may put another server in the place of one that is gone. */
  readonly acquired: readonly { readonly eid: number; readonly instance: Instance }[];
  /** The ocall it waits in, 0 for none, and what is needed when it is answered: see areas.ts. */
  readonly ocall: number;
  readonly ocallArgs: readonly [number, number];
  /** create_hash, 32 bytes. */
  readonly hash: Uint8Array;
}

export interface Shadow {
  readonly id: number;
  readonly instance: Instance;
  readonly name: string;
  readonly root: number;
  readonly host: number;
  readonly entry: number;
  readonly pool: Pool;
  readonly eidPointer: number;
  readonly hash: Uint8Array;
  readonly state: 'FRESH' | 'ATTESTING';
  /** Living instances, which map its pages. */
  readonly instances: number;
}

/** What the host was when it called into an enclave; restored when the hart leaves enclaves. */
export interface HostContext {
  readonly registers: SavedRegisters;
  readonly satp: bigint;
  readonly mstatus: bigint;
  readonly mie: bigint;
  readonly medeleg: bigint;
  readonly mideleg: bigint;
}

export interface PageTables {
  readonly base: number;
  readonly size: number;
  /** Bytes of the root and middle parts; 0 before PT_AREA_SEPARATION. */
  readonly rootBytes: number;
  readonly middleBytes: number;
}

/** Memory that enclaves share (secure-shm.ts). */
export interface SharedMemory {
  /** The 64-bit key in hexadecimal. */
  readonly key: string;
  readonly block: number;
  readonly blockSize: number;
  /** What is mapped: the block without its first page. */
  readonly size: number;
  readonly creator: Instance;
  /** Enclaves that have it attached, in that order. */
  readonly users: readonly Instance[];
  /** Its destruction was asked for. */
  readonly removed: boolean;
}

export interface MonitorState {
  readonly phase: 'reset' | 'running';
  readonly area: PageTables | undefined;
  readonly bitmap: { readonly base: number; readonly size: number } | undefined;
  readonly separated: boolean;
  /** No page has ever been private: the ownership bitmap need not be read. */
  readonly unclaimed: boolean;
  /** One bit per page of the page-table area that has ever held an entry. */
  readonly tables: Uint8Array;
  /** Host entries that lost their V bit because their page became private: their addresses / 8, which hash well. */
  readonly hidden: ImmutableMap<number, true>;
  /** Memory the host gave for the monitor's own use, and whose its pages are, by instance number. */
  readonly memory: OwnMemory;
  readonly owned: ImmutableMap<number, List<number>>;
  readonly enclaves: ImmutableMap<number, Enclave>;
  readonly shadows: ImmutableMap<number, Shadow>;
  /** Indexes: free numbers; the eid of an instance, or −1 − the number of a template; servers by name, normal enclaves counted by name. */
  readonly eids: Ids;
  readonly shadowIds: Ids;
  readonly byInstance: ImmutableMap<number, number>;
  readonly servers: ImmutableMap<string, number>;
  readonly names: ImmutableMap<string, number>;
  /** Relay memory that was transferred to a name and waits for its run. */
  readonly transferred: readonly { readonly name: string; readonly pa: number; readonly size: number }[];
  /** By key. */
  readonly sharedMemory: ImmutableMap<string, SharedMemory>;
  readonly nextInstance: number;
  readonly runCounter: number;
  readonly random: number;
  /** The enclave on the hart, -1 when the host is. */
  readonly running: number;
  readonly hostContext: HostContext | undefined;
  /** What is done instead of `tasks` when one of them fails; empty: the answer ERROR. */
  readonly undo: readonly Task[];
  /** What is left to do in this trap, first first. */
  readonly tasks: readonly Task[];
}

export const initialState = (seed: number): MonitorState => ({
  phase: 'reset',
  area: undefined,
  bitmap: undefined,
  separated: false,
  unclaimed: true,
  tables: new Uint8Array(0),
  hidden: ImmutableMap(),
  memory: NO_MEMORY,
  owned: ImmutableMap(),
  enclaves: ImmutableMap(),
  shadows: ImmutableMap(),
  eids: idsFrom(0),
  shadowIds: idsFrom(0),
  byInstance: ImmutableMap(),
  servers: ImmutableMap(),
  names: ImmutableMap(),
  transferred: [],
  sharedMemory: ImmutableMap(),
  nextInstance: 1,
  runCounter: 0,
  random: seed >>> 0,
  running: -1,
  hostContext: undefined,
  tasks: [],
  undo: [],
});

/** All enclaves, by eid. */
export function enclavesOf(state: MonitorState): Enclave[] {
  return [...state.enclaves.values()].sort((a, b) => a.eid - b.eid);
}

export function shadowsOf(state: MonitorState): Shadow[] {
  return [...state.shadows.values()].sort((a, b) => a.id - b.id);
}

/** The live server of a name. */
export function serverNamed(state: MonitorState, name: string): Enclave | undefined {
  const eid = state.servers.get(name);
  return eid === undefined ? undefined : state.enclaves.get(eid);
}

/** The enclave or template of an instance number. */
export function byInstance(state: MonitorState, instance: number): Enclave | Shadow | undefined {
  const known = state.byInstance.get(instance);
  if (known === undefined) return undefined;
  return known >= 0 ? state.enclaves.get(known) : state.shadows.get(-1 - known);
}

/** The indexes with a new enclave, which has the smallest free eid. */
export function withEnclave(state: MonitorState, enclave: Enclave): Partial<MonitorState> {
  const { eid, name, type } = enclave;
  const names = (count: number | undefined) => (count ?? 0) + 1;
  return {
    enclaves: state.enclaves.set(eid, enclave),
    eids: withoutFree(state.eids),
    byInstance: state.byInstance.set(enclave.instance, eid),
    ...(type === 'SERVER' ? { servers: state.servers.set(name, eid) } : { names: state.names.update(name, names) }),
    ...instances(state, enclave, 1),
  };
}

/** The indexes without an enclave. */
export function withoutEnclave(state: MonitorState, enclave: Enclave): Partial<MonitorState> {
  const { eid, name, type } = enclave;
  const left = (state.names.get(name) ?? 1) - 1;
  return {
    enclaves: state.enclaves.remove(eid),
    eids: withFree(state.eids, eid),
    byInstance: state.byInstance.remove(enclave.instance),
    ...(type === 'SERVER'
      ? { servers: state.servers.remove(name) }
      : { names: left > 0 ? state.names.set(name, left) : state.names.remove(name) }),
    ...instances(state, enclave, -1),
  };
}

/** One instance of its template more or less. */
function instances(state: MonitorState, { shadow: id }: Enclave, by: number): Partial<MonitorState> {
  const shadow = id === undefined ? undefined : state.shadows.get(id);
  if (!shadow) return {};
  return { shadows: state.shadows.set(shadow.id, { ...shadow, instances: shadow.instances + by }) };
}

export const withShadow = (state: MonitorState, shadow: Shadow): Partial<MonitorState> => ({
  shadows: state.shadows.set(shadow.id, shadow),
  shadowIds: withoutFree(state.shadowIds),
  byInstance: state.byInstance.set(shadow.instance, -1 - shadow.id),
});

export const withoutShadow = (state: MonitorState, shadow: Shadow): Partial<MonitorState> => ({
  shadows: state.shadows.remove(shadow.id),
  shadowIds: withFree(state.shadowIds, shadow.id),
  byInstance: state.byInstance.remove(shadow.instance),
});

/** The enclave that works for `head` right now: the end of its call chain, or itself. */
export function innermost(state: MonitorState, head: Enclave): Enclave {
  let at = head;
  for (let depth = 0; at.callee >= 0 && depth <= state.enclaves.size; depth++) {
    const next = state.enclaves.get(at.callee);
    if (!next) break;
    at = next;
  }
  return at;
}

/** `head` and everything that works for it, outermost first. */
export function chainOf(state: MonitorState, head: Enclave): Enclave[] {
  const chain = [head];
  for (let at = head; at.callee >= 0 && chain.length <= state.enclaves.size;) {
    const next = state.enclaves.get(at.callee);
    if (!next) break;
    chain.push(next);
    at = next;
  }
  return chain;
}
