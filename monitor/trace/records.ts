/**
 * Records of the trace: what `penglai trace --json` writes, one per line. docs/tracing.md is the description for users; whoever changes a
 * field's meaning raises VERSION. Fields that have no value are left out.
 */
import type { TraceArguments } from './events';

export const VERSION = 1;

/** Where control is: an enclave by all its names, or the host. */
export interface Who {
  /** Its number in the session, never used again. */
  readonly instance: number;
  readonly name: string;
  /** The driver's number, hexadecimal, as the host program sees it. */
  readonly eid: string;
  /** The monitor's number: what get_enclave_id and a server's handle are. */
  readonly monitorEid: number;
}
export type Place = 'host' | Who;

interface Common {
  readonly version: typeof VERSION;
  /** When it began. */
  readonly tick: number;
  /** The same in virtual seconds. */
  readonly seconds: number;
  /** The host thread whose turn it is; 0: none. */
  readonly tid: number;
  /** Calls of this thread around it: 0 in the host program itself. */
  readonly depth: number;
}

/** An ioctl of the host program begins; or a command from outside the machine (tid 0). */
export interface IoctlRecord extends Common {
  readonly kind: 'ioctl';
  readonly op: string;
  readonly args: TraceArguments;
  readonly about?: Who;
}

export interface IoctlEndRecord extends Common {
  readonly kind: 'ioctl-end';
  readonly op: string;
  readonly result: number;
  readonly error?: string;
  readonly about?: Who;
  /** What the driver wrote into the argument. */
  readonly out: TraceArguments;
  /** Ticks since it began. */
  readonly total: number;
}

/** One visit to the monitor: a call of the host or an enclave, a timer interrupt, a fault. */
export interface MonitorRecord extends Common {
  readonly kind: 'monitor';
  readonly by: 'host' | 'enclave' | 'interrupt' | 'fault';
  readonly op: string;
  readonly args: TraceArguments;
  /** Control came from and went to. */
  readonly from: Place;
  readonly to: Place;
  /** How control passed, when it did. */
  readonly transition?: string;
  /** The enclave that the call names. */
  readonly about?: Who;
  /** What the caller got, when it is the caller that goes on. */
  readonly result?: number | string;
  /** The enclave that exists since then, and what it was forked from. */
  readonly created?: Who & { readonly type: string; readonly template?: number };
  readonly gone?: readonly (Who & { readonly why: string; readonly retval?: number | string })[];
  /** The monitor asks the host for this before the call can be done. */
  readonly ocall?: string;
  /** What went wrong inside an enclave. */
  readonly fault?: string;
  /** Ticks of the monitor for it. */
  readonly cost: number;
  /** Ticks the enclave in `from` has run since the monitor let it. */
  readonly ran?: number;
  /** Of `exit`, `SERVER_RETURN` and what ends an enclave: ticks since `run` or `call_enclave`. Of `resume`: since it left. */
  readonly total?: number;
}

/** What the program did that goes wrong on a device: docs/hazards.md. */
export interface HazardRecord extends Common {
  readonly kind: 'hazard';
  readonly code: string;
  readonly args: TraceArguments;
  readonly about?: Who;
  readonly text: string;
}

/** A system call that has ended. */
export interface SyscallRecord extends Common {
  readonly kind: 'syscall';
  readonly pid: number;
  readonly op: string;
  readonly args: Readonly<Record<string, string>>;
  readonly result?: number;
  readonly error?: string;
  readonly text: string;
  /** Ticks it took, waiting included. */
  readonly total: number;
}

/** The last one: where the time went. `host` + `monitor` + the enclaves' ticks = `tick`. */
export interface SummaryRecord extends Common {
  readonly kind: 'summary';
  readonly host: number;
  readonly monitor: number;
  /** By name, largest first. */
  readonly enclaves: readonly { readonly name: string; readonly instances: number; readonly ticks: number }[];
  /** By operation, largest first. */
  readonly calls: readonly { readonly op: string; readonly count: number; readonly cost: number }[];
}

export type TraceRecord = IoctlRecord | IoctlEndRecord | MonitorRecord | HazardRecord | SyscallRecord | SummaryRecord;
