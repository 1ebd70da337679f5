/** Plain data of the file system: inodes of the in-memory tree, open files, pipes. */
import type { List, Map } from 'immutable';
import type { Content } from './content';

interface InodeCommon {
  readonly mode: number;
  readonly links: number;
  /** Owner; 0 (root) when absent. */
  readonly uid?: number;
  readonly gid?: number;
  /** Tick of the last change of the inode. */
  readonly changed: number;
  /** File system it belongs to: the inode of that one's root directory; the root file system when absent. */
  readonly system?: number;
  /** Time of the last change of the content, and of the last access; as `changed` when absent. */
  readonly modified?: FileTime;
  readonly accessed?: FileTime;
}
/** A tick, or seconds and nanoseconds since 1970 that a program has set. */
export type FileTime = number | readonly [number, number];

export type Inode = InodeCommon &
  /** `object`: its pages in memory (State.objects), while something maps it. */
  (
    | { readonly type: 'file'; readonly content: Content; readonly object?: number }
    | Directory
    | { readonly type: 'link'; readonly target: string }
    /** What a Unix socket was bound to; sockets/names.ts knows which. */
    | { readonly type: 'socket' }
    /**
     * A device node. `device` is what answers: null, zero, full, random, urandom, tty, a block device's name, the path of a character
     * device, or nothing that exists. `number` is major * 256 + minor where it is not the device's own.
     */
    | { readonly type: 'device'; readonly device: string; readonly number?: number; readonly block?: boolean }
    /** A named pipe; `pipe` while somebody has it open. */
    | { readonly type: 'fifo'; readonly pipe?: number }
    /** Of /proc, made up when it is looked at (proc/): a directory, a text made when it is opened, a link. */
    | { readonly type: 'proc'; readonly what: 'directory' | 'text' | 'link' }
  );

export interface Directory extends InodeCommon {
  readonly type: 'directory';
  readonly entries: Map<string, Entry>;
  /** Names by cookie, which getdents64 gives out as positions: one stays what it is until its name goes. */
  readonly order: List<string | undefined>;
  readonly parent: number;
  /** Its name in the parent; empty for the root of a file system. */
  readonly name: string;
}
export interface Entry {
  readonly inode: number;
  readonly cookie: number;
}

/** A file system that is mounted. The later of two on one place hides the earlier. */
export interface Mount {
  /** Directory it is mounted on; 0 for the root. */
  readonly point: number;
  /** Its root directory. */
  readonly root: number;
  readonly source: string;
  readonly type: string;
  readonly readOnly: boolean;
}

export interface FileSystem {
  readonly inodes: Map<number, Inode>;
  readonly next: number;
  readonly root: number;
  readonly mounts: readonly Mount[];
  /** Root directories of block devices, by name. */
  readonly disks: Map<string, number>;
  /** Bytes that files take beyond those they had at the start. */
  readonly used: number;
}

interface OpenCommon {
  /** Descriptors (of all processes) that name it. */
  readonly references: number;
  /** O_ACCMODE, O_APPEND and O_NONBLOCK bits. */
  readonly flags: number;
  readonly path: string;
}
export type OpenFile = OpenCommon &
  (
    | { readonly kind: 'inode'; readonly inode: number; readonly offset: number }
    | { readonly kind: 'text'; readonly inode: number; readonly content: Content; readonly offset: number }
    | { readonly kind: 'stdin' }
    | { readonly kind: 'stdout' }
    | { readonly kind: 'stderr' }
    /** The terminal; output is told as that of a standard stream. */
    | { readonly kind: 'terminal'; readonly stream: 'stdout' | 'stderr' }
    | { readonly kind: 'pipe'; readonly pipe: number; readonly inode?: number }
    | { readonly kind: 'event'; readonly count: bigint; readonly semaphore: boolean }
    | { readonly kind: 'epoll'; readonly items: Map<string, EpollItem>; readonly ready: List<string> }
    | { readonly kind: 'timer'; readonly clock: number; readonly deadline: number; readonly interval: number }
    | { readonly kind: 'signal'; readonly mask: bigint }
    | { readonly kind: 'socket'; readonly socket: number }
    | { readonly kind: 'device'; readonly device: string; readonly inode: number; readonly data: unknown }
  );

/** An open file in an epoll instance, under the descriptor it was added with. */
export interface EpollItem {
  readonly file: number;
  /** Events it asks for, with EPOLLET, EPOLLONESHOT and EPOLLEXCLUSIVE. */
  readonly events: number;
  readonly data: bigint;
  /** Queues that tell it. */
  readonly queues: readonly string[];
  /** EPOLLONESHOT has reported. */
  readonly disarmed: boolean;
  /** It stands in the instance's list of what may be ready. */
  readonly listed: boolean;
}

export interface Pipe {
  readonly chunks: List<Uint8Array>;
  readonly length: number;
  readonly capacity: number;
  /** Open files of each end. */
  readonly readers: number;
  readonly writers: number;
}
