/**
 * What monitor and driver tell about every call that reaches them, when the launch asks for it (`trace.transitions`). Pairs: whoever reads
 * them joins a beginning and an end (tracer.ts); nothing is kept in the machine between the two, so that tracing changes no state.
 */
import type { Instance } from '../types';

/** Addresses and keys are text (`0x…`), everything else is a number where a number can hold it. */
export type TraceValue = string | number;
export type TraceArguments = Readonly<Record<string, TraceValue>>;

/** An enclave by its number in the session and the monitor's number of it. */
export interface TracedEnclave {
  readonly instance: Instance;
  readonly monitorEid: number;
}

/** M-mode was entered by the host's SBI call, an enclave's ecall, an interrupt under an enclave, or its fault. */
export interface TrapEntered {
  readonly kind: 'trap-entered';
  readonly by: 'host' | 'enclave' | 'interrupt' | 'fault';
  readonly name: string;
  readonly args: TraceArguments;
  readonly tid: number;
  /** The enclave that was on the hart. */
  readonly from?: TracedEnclave;
  /** The enclave that the call names, where one exists. */
  readonly about?: TracedEnclave;
}

/** M-mode was left: the end of the trap that was entered last, in the step that begins at the event's tick. */
export interface TrapLeft {
  readonly kind: 'trap-left';
  /** What this last step costs. */
  readonly ticks: number;
  /** a0 and a1 of whoever is on the hart now. */
  readonly a0: bigint;
  readonly a1: bigint;
  /** The enclave that is on the hart now. */
  readonly to?: TracedEnclave;
  /** The ocall that an enclave left for. */
  readonly ocall?: string;
}

/** An ioctl of a host thread begins; or, without a thread, a command from outside the machine. */
export interface IoctlEntered {
  readonly kind: 'ioctl-entered';
  readonly name: string;
  readonly args: TraceArguments;
  readonly pid: number;
  readonly tid: number;
  readonly about?: Instance;
  /** Ticks from the event's tick to the beginning. */
  readonly after: number;
}

export interface IoctlLeft {
  readonly kind: 'ioctl-left';
  readonly pid: number;
  readonly tid: number;
  readonly result: number;
  /** Name of the errno. */
  readonly error?: string;
  /** What the driver wrote into the argument. */
  readonly out: TraceArguments;
  readonly after: number;
}

export type TraceEvent = TrapEntered | TrapLeft | IoctlEntered | IoctlLeft;
