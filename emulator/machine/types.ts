/** The machine as its users see it: composition (monitor/system), run control (debug-adapter/target), tests. */
import type { Hart, Privilege } from '../hart/types';
import type { Translated } from '../engine/types';
import type { Space, Tick, VirtualAddress } from '../units';
import type { Ending } from './finisher';
import type { Outbox } from './outbox';
import type { Personality } from './personality';
import type { DebugPort, MachinePort, SupervisorPort } from './ports';

/**
 * `translator`: WebAssembly, an interpreter and translations of what is executed often; `wasm`: that interpreter alone; `source`: the
 * interpreter that is TypeScript. They do the same to the tick and to the bit.
 */
export type EngineName = 'translator' | 'wasm' | 'source';

/** Why `Machine.run` came back. */
export type MachineExit =
  /** The tick asked for is reached. */
  | { readonly reason: 'until' }
  /** A stop armed for the hart's space; the instruction at `pc` has not been executed. */
  | { readonly reason: 'stop'; readonly pc: VirtualAddress; readonly space: Space }
  /** A watched range was accessed; the access has been made. */
  | {
      readonly reason: 'watch';
      readonly address: VirtualAddress;
      readonly size: number;
      readonly kind: 'read' | 'write';
    }
  /** `onContextChange` asked to stop; the instruction that made the change has been executed. */
  | { readonly reason: 'context'; readonly change: ContextChange }
  /** The outbox's listener asked to stop. */
  | { readonly reason: 'event' }
  /** Every hart sleeps and no timer is set: only something from outside can go on. */
  | { readonly reason: 'idle' }
  /** A personality called `halt`, or guest code wrote to the test finisher: see `Machine.ending`. */
  | { readonly reason: 'halted' };

/** What decides how a hart's addresses are translated, as far as a debugger follows it. */
export interface Context {
  readonly privilege: Privilege;
  /** The raw register. */
  readonly satp: bigint;
}

/** A hart's privilege level or satp became another. */
export interface ContextChange {
  readonly hart: number;
  /** The tick after the instruction or step that did it; of an interrupt the tick at which it was taken (which costs none). */
  readonly tick: Tick;
  readonly from: Context;
  readonly to: Context;
}

export interface StopSet {
  /**
   * Arms a stop; arming one twice is counted. `address` is where an instruction starts. NO_SPACE: a physical address, for
   * M-mode and where satp says Bare.
   */
  arm(space: Space, address: VirtualAddress): void;
  disarm(space: Space, address: VirtualAddress): void;
  clear(): void;
}

/** `access` is either of the first two; `change` a write that leaves another value in a byte of the range. */
export type WatchKind = 'read' | 'write' | 'access' | 'change';

export interface Watch {
  readonly space: Space;
  readonly address: VirtualAddress;
  readonly length: number;
  readonly kind: WatchKind;
}

/**
 * Ranges whose accesses by instructions end a run, after the instruction that made them. Only accesses to watched pages pay.
 * NO_SPACE: physical addresses, for M-mode and where satp says Bare.
 */
export interface WatchSet {
  add(space: Space, address: VirtualAddress, length: number, kind: WatchKind): Watch;
  remove(watch: Watch): void;
  clear(): void;
}

/** A copy of the whole machine's state, cheap to take: pages written later are saved on their first store. */
export interface MachineSnapshot {
  readonly tick: Tick;
}

/** Pages copied for the sake of snapshots. */
export interface Copies {
  /** So far. */
  readonly made: number;
  /** Pages of the host's memory that were touched for them, which is most of what a copy costs; those given back are used again. */
  readonly touched: number;
  /** Kept now. */
  readonly held: number;
}

export interface Machine {
  readonly harts: readonly Hart[];
  readonly tick: Tick;
  readonly outbox: Outbox<object>;
  /** Size of RAM in bytes; RAM starts at physical 0x80000000. */
  readonly ramSize: number;
  /** Pages of RAM that were written since power-on. */
  readonly dirtyPages: number;
  /** What having snapshots has cost, in pages. */
  readonly copies: Copies;
  personalities: { machine?: Personality; supervisor?: Personality };
  /** The hart whose turn it is: after a stop, a watch or a change of context the one it is about. */
  readonly current: Hart;
  /** How the machine ended; undefined while it runs. State. */
  readonly ending: Ending | undefined;
  /**
   * A debugger's hook, not state: called for each change of a hart's privilege level or satp, also in a replay; returning true
   * makes `run` return right there.
   */
  onContextChange: ((change: ContextChange) => boolean) | undefined;
  supervisorPort(hart: Hart): SupervisorPort;
  readonly machinePort: MachinePort;
  readonly debugPort: DebugPort;
  readonly stops: StopSet;
  readonly watches: WatchSet;

  /**
   * Runs until tick `until` at the latest, synchronously; takes at least one tick if `until` allows it. Throws
   * nothing but MachineError `no-host-memory`, after which the machine is good for nothing.
   */
  run(until: Tick): MachineExit;
  /** The next `run` executes the instruction at the current pc even if a stop is armed there. */
  stepOverStop(): void;
  /** Ends the machine: `run` returns `halted` from now on. Part of the state. */
  halt(): void;
  /** Asks the running software for attention, as a device would: raises the machine software interrupt of hart 0. */
  interrupt(): void;

  /** Bytes arrive at the UART from outside: an event that whoever calls this logs with its tick. */
  type(bytes: Uint8Array): void;

  /** `mtimecmp` of a hart in ticks; Infinity when not set. */
  timer(hart: Hart): Tick;
  setTimer(hart: Hart, at: Tick): void;

  /** From the next run on, guest code is executed by this engine. No state depends on it. */
  useEngine(name: EngineName): void;
  /** The engine in use. */
  readonly engineName: EngineName;
  /** What the translator has done, if it is the engine in use. */
  readonly translated: Translated | undefined;

  snapshot(): MachineSnapshot;
  restore(snapshot: MachineSnapshot): void;
  /** The snapshot won't be restored: what nothing else needs of it can be used again. One that is only dropped is left to the collection of garbage. */
  giveUp(snapshot: MachineSnapshot): void;
  /** Hash of everything that is state (RAM, harts, personalities, clock, sequence), lower-case hex. */
  hash(): string;
  /** The state as structured-cloneable plain data with a format version, to be put back in another process. */
  save(): unknown;
  /** Puts saved state back; throws an Error that names both versions when the format is another one. */
  load(saved: unknown): void;
}
