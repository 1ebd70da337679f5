/** One composed system: machine + host OS + monitor + driver, from one launch description. */
import type { GuestFile, GuestNode, Trace } from '../../emulator/linux/types';
import type { LinuxEvent } from '../../emulator/linux/events';
import type { SavedRegisters } from '../../emulator/hart/types';
import type { Machine, MachineExit } from '../../emulator/machine/types';
import type { Stamped } from '../../emulator/machine/outbox';
import type { Space, Tick, VirtualAddress } from '../../emulator/units';
import type { AttestationSettings } from '../attestation/machine';
import type { EnclaveEvent } from '../events';
import type { HazardCode } from '../hazards';
import type { LimitsName } from '../limits';
import type { EnclaveState, EnclaveType, Instance } from '../types';

export interface LaunchDescription {
  /** Guest path of the host program. */
  readonly program: string;
  readonly args: readonly string[];
  readonly argv0?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly files: readonly GuestFile[];
  /** Folders and links of the guest's file system. */
  readonly nodes?: readonly GuestNode[];
  /** The program's output goes to a person: its C library is to write line by line. Default false. */
  readonly terminal?: boolean;
  /** Standard input is that terminal, too: it is echoed, edited, and ^C and ^Z are signals. Default false. */
  readonly interactive?: boolean;
  /** RAM in MiB, default 1024. */
  readonly memoryMiB?: number;
  /** Default 100 000 000. */
  readonly clockHz?: number;
  readonly epoch?: number;
  readonly seed?: number;
  /** What is told beyond what is always told. */
  readonly trace?: SystemTrace;
  /** Default `explain`. */
  readonly hazards?: HazardPolicy;
  readonly schedule?: { readonly quantum?: number; readonly vary?: boolean };
  /** `device`: the published stack's limits hold, and getrandom gives its sequence. Default `memory`: RAM is the limit. */
  readonly limits?: LimitsName;
  /** How enclaves are measured and reports signed; by default as the published firmware on a machine without keys. */
  readonly attestation?: AttestationSettings;
}

/** `explain`: a hazard is an event, and the program goes on. `end`: the first one that a device would not survive ends the program. */
export type HazardPolicy = 'explain' | 'end';

/** Beside system calls: `transitions`, every call that reaches the monitor or its driver. */
export interface SystemTrace extends Partial<Trace> {
  readonly transitions?: boolean;
}

export type SystemEvent = LinuxEvent | EnclaveEvent;

export interface EnclaveInfo {
  readonly instance: Instance;
  readonly eid: number;
  readonly name: string;
  readonly type: EnclaveType;
  /** A template shows FRESH. */
  readonly state: EnclaveState;
  readonly template?: Instance;
  readonly pid: number;
  /** Host thread that is inside RUN for it (or for the head of the chain it works in). */
  readonly tid?: number;
  readonly caller?: Instance;
  readonly callee?: Instance;
  readonly space: Space | undefined;
  readonly imageHash: string;
  /** Why an operation cannot be done now, in a sentence for the user; absent when it can. */
  readonly refused: { readonly stop?: string; readonly resume?: string; readonly destroy?: string };
}

/** One world's part of a host thread's stitched stack. */
export interface Context {
  readonly world:
    { readonly kind: 'host'; readonly pid: number } | { readonly kind: 'enclave'; readonly instance: Instance };
  readonly space: Space;
  /** The registers at this level: of a copy, wherever the live ones are. */
  readonly registers: SavedRegisters;
  /** How control came into this context from the next one out; undefined in the outermost (the host). */
  readonly enteredBy?: 'run' | 'call_enclave';
  /** The enclave is STOPPED: it does not run until it is resumed. */
  readonly stopped?: boolean;
}

/** Something from outside; logged with its tick, and applied again at that tick in a replay. */
export type ExternalInput =
  | { readonly kind: 'stdin'; readonly bytes: Uint8Array; readonly end: boolean }
  | { readonly kind: 'signal'; readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' }
  /** As the owning process would; answered by a `device-answer` event with this id. */
  | {
      readonly kind: 'enclave';
      readonly id: number;
      readonly operation: EnclaveOperation;
      readonly instance: Instance;
    };

export type EnclaveOperation = 'stop' | 'resume' | 'destroy';

export interface LogEntry {
  readonly tick: Tick;
  readonly input: ExternalInput;
}

export interface SystemSnapshot {
  readonly tick: Tick;
}

export interface System {
  readonly machine: Machine;
  readonly tick: Tick;
  readonly clockHz: number;
  /** Runs until a tick at the latest; logged inputs are applied at their ticks. */
  run(until: Tick): MachineExit;
  /** Applies an input now and logs it. */
  post(input: ExternalInput): void;
  readonly log: readonly LogEntry[];
  /** Events since the last call, oldest first, each once. */
  drain(): readonly Stamped<SystemEvent>[];
  /** Called for every event as it happens; true makes `run` return after the step that emitted it. */
  onEvent: ((event: Stamped<SystemEvent>) => boolean) | undefined;

  processes(): ReturnType<import('../../emulator/linux/types').Linux['processes']>;
  threads(): ReturnType<import('../../emulator/linux/types').Linux['threads']>;
  /** Thread whose code the hart is in (also through RUN), if any. */
  readonly currentThread: number | undefined;
  enclaves(): readonly EnclaveInfo[];
  /** The worlds a host thread is in, innermost first; the last one is the host. Empty for an unknown thread. */
  contexts(tid: number): readonly Context[];
  /**
   * Memory as the owner of a space would find it, read without touching anything: of a host also pages that nobody has touched yet.
   * Fewer bytes than asked for where it ends.
   */
  read(space: Space, address: VirtualAddress, length: number): Uint8Array;
  /** Bytes of an enclave image the driver read, or of a program that was executed, by hash. */
  image(hash: string): Uint8Array | undefined;
  /** The host program's; when a hazard ended it, what a shell would be told: see `fatalStatus`. */
  readonly exitStatus: number | undefined;
  /** What a regular file of the guest holds now; undefined when there is none at that path. */
  file(path: string): Uint8Array | undefined;
  /** The hazard that ended the program. */
  readonly endedBy: HazardCode | undefined;

  snapshot(): SystemSnapshot;
  restore(snapshot: SystemSnapshot): void;
  /** The snapshot won't be restored: what it holds alone can be used again. */
  giveUp(snapshot: SystemSnapshot): void;
  hash(): string;
  /** Plain data for another process: state and input log. */
  save(): unknown;
}

/** Throws an Error whose message names cause and remedy when the description cannot be run. */
export type CreateSystem = (launch: LaunchDescription) => System;
/** Puts saved state back; continues with the inputs of the saved log that lie in its future. */
export type LoadSystem = (launch: LaunchDescription, saved: unknown) => System;
