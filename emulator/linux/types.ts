/** The untrusted host OS as its users see it. */
import type { SavedRegisters } from '../hart/types';
import type { Personality } from '../machine/personality';
import type { Space } from '../units';
import type { CharacterDevice, PageTableFirmware } from './device';

/** A regular file of the guest's root file system at the start. Directories on the way are made. */
export interface GuestFile {
  /** Absolute guest path. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits, 0o755 for what is to be executed. */
  readonly mode: number;
}

/** A folder or a symbolic link of the guest's root file system at the start. */
export type GuestNode =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface Trace {
  readonly systemCalls: boolean | readonly string[];
}

export interface LinuxOptions {
  /** Guest path of the first program; found in `files`. */
  readonly program: string;
  /** argv[1] and on; argv[0] is `program` unless `argv0` says otherwise. */
  readonly args: readonly string[];
  readonly argv0?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly files: readonly GuestFile[];
  /** Made before the files; folders that files lie in need not be listed. */
  readonly nodes?: readonly GuestNode[];
  readonly devices: readonly CharacterDevice[];
  readonly pageTables: PageTableFirmware;
  /** Ticks per virtual second. */
  readonly clockHz: number;
  /** Seconds since 1970 at tick 0. */
  readonly epoch: number;
  /** Seeds getrandom, AT_RANDOM and schedule variation. */
  readonly seed: number;
  /** Ticks a thread may run while others wait; with `vary` each slice is drawn from [quantum/2, quantum*3/2]. */
  readonly quantum: number;
  /** Standard output and error are a terminal, so that C libraries write line by line; else they look like pipes. */
  readonly terminal: boolean;
  /** Standard input is that terminal, too: what is typed is echoed and edited, ^C and ^Z are signals. Only with `terminal`. */
  readonly interactive: boolean;
  readonly vary: boolean;
  /** What is told beyond what is always told: every system call, or those of these names. */
  readonly trace?: Trace;
}

/** Something from outside, applied at a slice boundary and logged by the caller. */
export type LinuxInput =
  /** Bytes typed or piped to standard input; `end` closes it after them. */
  | { readonly kind: 'stdin'; readonly bytes: Uint8Array; readonly end: boolean }
  /** A command for a device; answered by a `device-answer` event with the same id. Runs before any user thread does. */
  | { readonly kind: 'device'; readonly id: number; readonly path: string; readonly command: unknown }
  /** Kills the first process as SIGTERM/SIGKILL would. */
  | { readonly kind: 'signal'; readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' };

export interface ProcessInfo {
  readonly pid: number;
  readonly name: string;
  readonly space: Space;
  readonly images: readonly { readonly path: string; readonly base: number; readonly hash: string }[];
}

export interface ThreadInfo {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  /** `stopped`: job control has stopped the process. `running` is the thread whose registers are (or, while firmware runs, were last) the hart's. */
  readonly state: 'running' | 'ready' | 'blocked' | 'stopped';
  /** Name of the system call a blocked thread is in. */
  readonly systemCall?: string;
  /** Plain data of the driver step the thread is in, when it is inside an ioctl. */
  readonly device?: { readonly path: string; readonly state: unknown };
  /** User registers; undefined when they are on the hart right now. */
  readonly registers: SavedRegisters | undefined;
}

export interface Linux extends Personality {
  post(input: LinuxInput): void;
  /** Deterministic order: by pid, by tid. */
  processes(): readonly ProcessInfo[];
  threads(): readonly ThreadInfo[];
  /**
   * What a page of a process holds that no table maps yet, because nobody has touched it: file bytes or zeros. For a debugger,
   * which may not page in. `page` is the address of a page; undefined where the process has no such page, or firmware took it.
   */
  untouched(space: Space, page: number): Uint8Array | undefined;
  /** What a regular file holds now; undefined when there is none at that path. */
  file(path: string): Uint8Array | undefined;
  /** tid of the thread the hart works for; undefined while idle or booting. */
  readonly currentThread: number | undefined;
  /** Wait status of the first process once it has exited: exit code, or 128 + signal number. */
  readonly exitStatus: number | undefined;
}
