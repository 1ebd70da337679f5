/** What the host OS tells the outside, through the machine's outbox. */
import type { Space } from '../units';

/** A system call that has ended, when the launch asks for the log of them. */
export interface SystemCallEvent {
  readonly kind: 'system-call';
  readonly pid: number;
  readonly tid: number;
  readonly number: number;
  readonly name: string;
  readonly arguments: readonly { readonly name: string; readonly text: string }[];
  /** As strace prints it. */
  readonly text: string;
  /** Tick at which it began, and how many it took, waiting included. */
  readonly started: number;
  readonly ticks: number;
  /** Absent for a call that does not return. */
  readonly result?: number;
  /** Name of the errno. */
  readonly error?: string;
}

export type LinuxEvent =
  /** Bytes a process wrote to a standard stream, exactly as written. */
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly pid: number; readonly bytes: Uint8Array }
  /** A line of the kernel's log, or text a driver prints on behalf of something (`source` is the driver's, plain data). */
  | { readonly kind: 'console'; readonly text: string; readonly source?: unknown }
  /** `parent` is 0 for the first. Images and threads follow. */
  | { readonly kind: 'process-started'; readonly pid: number; readonly name: string; readonly parent: number }
  /** A process executes another program: its address space is a new one, its images follow. */
  | { readonly kind: 'process-executed'; readonly pid: number; readonly name: string }
  /** An ELF image was mapped into a process. `base` is added to the file's addresses; 0 for ET_EXEC. */
  | {
      readonly kind: 'image';
      readonly pid: number;
      readonly space: Space;
      readonly path: string;
      readonly base: number;
      readonly hash: string;
    }
  | { readonly kind: 'thread-started'; readonly pid: number; readonly tid: number }
  | { readonly kind: 'thread-exited'; readonly pid: number; readonly tid: number }
  /** A fault no handler takes, before the process dies of it: the thread's pc still is at the instruction. */
  | {
      readonly kind: 'process-fault';
      readonly pid: number;
      readonly tid: number;
      readonly signal: string;
      readonly cause: number;
      readonly address: number;
    }
  | { readonly kind: 'process-exited'; readonly pid: number; readonly status: number; readonly signal?: string }
  | SystemCallEvent
  /** A system call that is not implemented; told once per name. */
  | { readonly kind: 'missing-system-call'; readonly pid: number; readonly name: string; readonly number: number }
  /** The answer to `Linux.post({ kind: 'device', id, … })`. */
  | { readonly kind: 'device-answer'; readonly id: number; readonly result: number; readonly detail?: unknown };
