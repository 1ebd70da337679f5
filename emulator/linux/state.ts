/**
 * The kernel's whole state: one immutable tree of plain data. Its parts are replaced, never changed in place, so a snapshot is a
 * copy of the root record and a failed step is undone by putting the old root back. Contents of page frames and page tables lie in guest RAM.
 * Nothing may depend on the iteration order of a Map.
 */
import { List, Map } from 'immutable';
import type { SavedRegisters } from '../hart/types';
import type { Fifo } from '../machine/fifo';
import type { Sorted } from '../machine/sorted';
import type { References } from '../machine/references';
import type { Alarm } from './alarms';
import type { SbiResult } from './device';
import type { Watches } from './files/watches';
import type { FileLock } from './files/locks';
import type { FileSystem, OpenFile, Pipe } from './files/types';
import type { Buddy } from './memory/buddy';
import type { Sockets } from './sockets/types';
import type { ProcessTimers } from './timers';
import type { Tty } from './tty';
import type { Traced } from './strace/strace';
import type { LinuxInput } from './types';

/** Why a blocked thread goes on. */
export type Woken = 'wake' | 'timeout' | 'signal';

/** What a thread or a job is blocked on. */
export interface Wait {
  /** Names of the wait queues it stands in, FIFO each. */
  readonly queues: readonly string[];
  /** Tick at which it gives up waiting; Infinity for never. */
  readonly deadline: number;
  /** FUTEX_WAIT_BITSET's mask. */
  readonly bitset: number;
  /** Only a signal that ends the process ends the wait. */
  readonly killable?: boolean;
}

/** A system call in progress. */
export interface Call {
  readonly number: number;
  /** a0 … a5, signed; rounded beyond 2^53, where no valid argument lies. */
  readonly args: readonly number[];
  /** Plain data its handler left for the next step; undefined in the first. */
  readonly phase: unknown;
  readonly woken: Woken | undefined;
  /** Result of the SBI call the handler asked for, until the next step has used it. */
  readonly sbi: SbiResult | undefined;
  /** What the log of system calls knows of its beginning. */
  readonly traced?: Traced;
}

export interface SignalInfo {
  readonly signal: number;
  /** si_code: SI_USER 0, SI_TKILL -6, SEGV_MAPERR 1 … */
  readonly code: number;
  readonly pid: number;
  readonly address: number;
  readonly value: number;
  /** SI_TIMER: the timer, and expiries the signal stands for besides its own. */
  readonly timer?: { readonly id: number; readonly overrun: number };
  /** SIGCHLD: the child's exit status or signal, and the time it ran in units of 1/USER_HZ. */
  readonly child?: { readonly status: number; readonly time: number };
}

export interface SignalAction {
  /** 0 default, 1 ignore, else the handler's address. */
  readonly handler: number;
  readonly flags: number;
  readonly mask: bigint;
}

export interface AlternateStack {
  readonly sp: number;
  readonly size: number;
  readonly flags: number;
}

export interface Thread {
  readonly tid: number;
  readonly pid: number;
  readonly name: string;
  /** User registers; stale while the thread is current and `State.live`. */
  readonly registers: SavedRegisters;
  readonly call: Call | undefined;
  /** Defined exactly while the thread is blocked. */
  readonly wait: Wait | undefined;
  readonly mask: bigint;
  /** Mask to put back after the handler that ends sigsuspend, ppoll or pselect. */
  readonly savedMask: bigint | undefined;
  readonly pending: readonly SignalInfo[];
  readonly altStack: AlternateStack;
  readonly clearChildTid: number;
  readonly robustList: number;
  /** The process is going down: no more user code. */
  readonly dying: boolean;
  /** Ticks spent in user mode (and in enclaves on its behalf). */
  readonly cpu: number;
}

/** Permission bits of an area, as PROT_*. */
export const enum Prot {
  READ = 1,
  WRITE = 2,
  EXEC = 4,
}

export type Backing =
  | { readonly kind: 'anonymous' }
  /** A file from `offset` on, which is also where its object starts. With `length`, of a program's segment: zero behind so many bytes. */
  | { readonly kind: 'file'; readonly inode: number; readonly offset: number; readonly length?: number }
  /** Frames of a device (or the trampoline), which the area does not own; one per page. The device is told of every area that shows them. */
  | {
      readonly kind: 'frames';
      readonly frames: readonly number[];
      readonly device?: { readonly path: string; readonly data: unknown };
    };

/** A range of an address space that is mapped in one way. */
export interface Area {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly shared: boolean;
  readonly name: string;
  readonly backing: Backing;
  /** Inode that a shared mapping may write to; 0 for none. */
  readonly writeBack: number;
  /** Of a shared area or one of a file: where its pages are found, and the object's byte that lies at `start`. */
  readonly object?: { readonly id: number; readonly start: number };
}

/** The pages of shared memory, or those of a file that are in memory: every area that shows it, in whichever process, has the same ones. */
export interface SharedObject {
  /** Inode of the file whose pages these are; 0 for none. */
  readonly inode: number;
  /** Programs may store to the pages without the kernel: they, not the inode's content, are what the file holds. */
  readonly written: boolean;
  /** Frames by page of the object; it holds a reference to each. */
  readonly pages: Map<number, number>;
  /** Pages that are there, by (page >> 9); no entry for none. */
  readonly regions: Map<number, number>;
  /** All of them lie below this page. */
  readonly end: number;
  /** Areas that show it, and whoever else needs it (a segment of System V shared memory); without any, a job frees it. */
  readonly areas: number;
}

/** A segment of System V shared memory. Times are ticks, 0 for never. */
export interface SharedSegment {
  /** 0 when it is private, or removed. */
  readonly key: number;
  readonly size: number;
  readonly object: number;
  readonly mode: number;
  /** It goes with the last area that shows it. */
  readonly removed: boolean;
  /** Processes that made it and that attached or detached it last. */
  readonly creator: number;
  readonly last: number;
  readonly changed: number;
  readonly attached: number;
  readonly detached: number;
}

/** A leaf table and how many of its entries are in use. */
export interface LeafTable {
  readonly table: number;
  readonly used: number;
}

export interface Memory {
  /** Physical address of the root page table. */
  readonly root: number;
  /** Second-level tables by (address >> 30), leaf tables by (address >> 21). */
  readonly middles: Map<number, number>;
  readonly leaves: Map<number, LeafTable>;
  /** Present pages by (address >> 12): the entry as this kernel wrote it (firmware may have revoked it since). */
  readonly pages: Map<number, number>;
  /** Sorted by address, disjoint. */
  readonly areas: readonly Area[];
  readonly brkStart: number;
  readonly brk: number;
}

export interface Descriptor {
  readonly file: number;
  readonly closeOnExec: boolean;
}

export interface Image {
  readonly path: string;
  readonly base: number;
  readonly hash: string;
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface Ending {
  readonly status: number;
  readonly signal: number;
}

/** What stays of a process when its program has ended, until its parent has asked. */
export interface Kin {
  readonly pid: number;
  /** Who waits for it; 0: nobody, it is forgotten when it ends. */
  readonly parent: number;
  /** Process group and session, named after the processes that made them. */
  readonly group: number;
  readonly session: number;
  /** Signal the parent gets when it ends; 0 for none. */
  readonly exitSignal: number;
  /** Ticks of threads that are gone, and of children that have been waited for. */
  readonly cpu: number;
  readonly childCpu: number;
}

export interface Zombie extends Kin {
  readonly name: string;
  readonly ending: Ending;
}

/** Job control has stopped the process. */
export interface Stopped {
  readonly signal: number;
  /** The parent has been told by wait. */
  readonly told: boolean;
  /** Threads that would go on, in the order they came to. */
  readonly parked: List<number>;
}

/** Soft and hard limit. */
export type Limit = readonly [bigint, bigint];

/** Bit n is capability n (capabilities(7)). */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

export interface Process extends Kin {
  readonly name: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly memory: Memory;
  readonly descriptors: Map<number, Descriptor>;
  /** Inodes of the current directory and of what `/` is. */
  readonly cwd: number;
  readonly root: number;
  readonly umask: number;
  readonly actions: Map<number, SignalAction>;
  readonly pending: readonly SignalInfo[];
  /** Living threads, by tid, ascending. */
  readonly threads: readonly number[];
  readonly images: readonly Image[];
  /** Set when the process is going down. */
  readonly ending: Ending | undefined;
  /** Processes and zombies whose parent it is, by pid, ascending. */
  readonly children: readonly number[];
  /** The process in whose address space it runs until it execs or exits (CLONE_VM); 0: in `memory`, its own. */
  readonly borrows: number;
  /** Has executed a program since it was forked. */
  readonly executed: boolean;
  readonly stopped: Stopped | undefined;
  /** Has been continued, and wait has not told the parent yet. */
  readonly continued: boolean;
  /** Descendants whose parents end become its children (PR_SET_CHILD_SUBREAPER). */
  readonly subreaper: boolean;
  /** Nice value, -20 to 19; 0 when absent. Told only: threads take turns whatever it is. */
  readonly nice?: number;
  /** Resource limits that were set, by resource (limits.ts). */
  readonly limits?: Readonly<Record<number, Limit>>;
  /** /proc/<pid>/oom_score_adj; 0 when absent. */
  readonly oomScore?: number;
  /** Absent: all that root has. */
  readonly capabilities?: CapabilitySets | undefined;
}

/** Each of these threads ends, is made ready, or is interrupted if there is a signal for it. */
export interface Pass {
  readonly what: 'end' | 'ready' | 'interrupt';
  readonly tids: readonly number[];
}

/** Kernel work that belongs to no thread, in steps. Ids are negative so that they share queues with tids. */
export interface Job {
  readonly id: number;
  readonly work:
    | { readonly kind: 'boot-device'; readonly device: number }
    | { readonly kind: 'command'; readonly answer: number; readonly path: string; readonly command: unknown }
    /** Devices free what a process has of them: it ends, or (`exec`) its program does. */
    | { readonly kind: 'exit-device'; readonly pid: number; readonly device: number; readonly exec: boolean }
    /** An address space is freed; then the process (0 for none) is gone. */
    | { readonly kind: 'free-memory'; readonly memory: Memory; readonly position: number; readonly pid: number }
    /** A process that has nothing left goes out of the tables. */
    | { readonly kind: 'exit'; readonly pid: number }
    | { readonly kind: 'free-object'; readonly object: number; readonly position: number }
    /** Who stands in a queue at [from, before) is woken. */
    | { readonly kind: 'wake'; readonly queue: string; readonly from: number; readonly before: number }
    /** What happens to many threads: one pass after the other, of the first from number `at` on. */
    | { readonly kind: 'crowd'; readonly passes: readonly Pass[]; readonly at: number };
  readonly phase: unknown;
  readonly sbi: SbiResult | undefined;
  readonly wait: Wait | undefined;
}

/** What the hart was last made to do, which says what the next step at S means. */
export type Doing =
  /** In the kernel, between steps. */
  | { readonly at: 'kernel' }
  /** User code of the current thread: the next step is a trap. */
  | { readonly at: 'user' }
  /** WFI. */
  | { readonly at: 'idle' }
  /** An SBI call: the next step finds its result, for … */
  | { readonly at: 'sbi'; readonly owner: 'boot' | 'tables' | 'timer' | 'thread' | 'job'; readonly count: number };

export type BootPhase = 'tables' | 'firmware' | 'paging' | 'devices' | 'done';

export interface TablePool {
  readonly next: number;
  readonly freed: List<number>;
}

export interface PendingEntry {
  readonly entry: number;
  readonly value: number;
}

export interface State {
  readonly doing: Doing;
  readonly boot: { readonly phase: BootPhase; readonly index: number };
  /** Root table in satp; 0 in Bare mode. */
  readonly root: number;
  /** Root table of the kernel alone. */
  readonly kernelRoot: number;
  /** The user registers of the current thread are on the hart. */
  readonly live: boolean;
  readonly current: number | undefined;
  /** Tick at which the hart went to user code. */
  readonly userSince: number;
  readonly threads: Map<number, Thread>;
  readonly processes: Map<number, Process>;
  readonly zombies: Map<number, Zombie>;
  /** Of a process that others borrow the address space of: these, by pid. */
  readonly borrowers: Map<number, readonly number[]>;
  readonly nextPid: number;
  readonly jobs: Map<number, Job>;
  readonly nextJob: number;
  readonly readyJobs: List<number>;
  /** Jobs that wait for a thread to have its turn first. */
  readonly yielded: readonly number[];
  readonly ready: List<number>;
  /** Who waits, by queue, first come first; those nobody stands in are not there. */
  readonly queues: Map<string, Fifo>;
  readonly watches: Watches;
  /** Deadlines (`key`) of who waits (`tie`). */
  readonly timers: Sorted;
  /** Of locks that threads wait for in the kernel, by futex: who holds them. */
  readonly lockHolders: Map<string, number>;
  /** Timers of no thread, by deadline; those of one tick as they were set. */
  readonly alarms: readonly Alarm[];
  /** By process. */
  readonly timersOf: Map<number, ProcessTimers>;
  /** What the firmware's timer was last set to; undefined when it fired since. */
  readonly timerSet: number | undefined;
  readonly sliceEnd: number;

  readonly buddy: Buddy;
  /** Of frames with several holders: mappings in processes, and shared objects. */
  readonly references: References;
  readonly objects: Map<number, SharedObject>;
  readonly segments: Map<number, SharedSegment>;
  readonly nextSegment: number;
  readonly nextObject: number;
  readonly pools: { readonly root: TablePool; readonly middle: TablePool; readonly leaf: TablePool };
  /** Page-table entries to be written before user code or a driver goes on. */
  readonly entries: List<PendingEntry>;
  readonly fence: boolean;
  /** Leaf tables of linear-map regions that have been split, by 2 MiB region number from RAM_BASE. */
  readonly splits: Map<number, number>;
  /** A page the kernel hands lists of entries to the firmware in; 0 before boot. */
  readonly listPage: number;
  readonly trampoline: number;
  /** The last fault whose page turned out to be present, to tell a stale TLB from a page that will never work. */
  readonly spurious: { readonly id: number; readonly address: number } | undefined;

  readonly fs: FileSystem;
  /** A program has loaded the module of the built-in driver. */
  readonly moduleLoaded: boolean;
  /** Locks on files, by inode. */
  readonly locks: Map<number, readonly FileLock[]>;
  readonly openFiles: Map<number, OpenFile>;
  readonly nextFile: number;
  readonly pipes: Map<number, Pipe>;
  readonly nextPipe: number;
  readonly tty: Tty;
  readonly sockets: Sockets;
  readonly stdin: { readonly chunks: List<Uint8Array>; readonly end: boolean };
  readonly inputs: List<LinuxInput>;

  readonly random: readonly [number, number, number, number];
  /** Numbers of system calls that were reported as missing. */
  readonly missing: Map<number, boolean>;
  readonly exitStatus: number | undefined;
}
