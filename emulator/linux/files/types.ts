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
    | { readonly type: 'directory'; readonly entries: Map<string, number>; readonly parent: number }
    | { readonly type: 'link'; readonly target: string }
    /** Built-in: null, zero, full, urandom, tty; or the path of a character device. */
    | { readonly type: 'device'; readonly device: string }
    /** A file of /proc whose content is made when it is opened; `exe` is a link. */
    | { readonly type: 'proc'; readonly what: 'exe' | 'maps' | 'status' | 'cmdline' | 'meminfo' }
  );

export interface FileSystem {
  readonly inodes: Map<number, Inode>;
  readonly next: number;
  readonly root: number;
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
    | { readonly kind: 'pipe'; readonly pipe: number }
    | { readonly kind: 'event'; readonly count: bigint; readonly semaphore: boolean }
    | { readonly kind: 'epoll'; readonly items: Map<string, EpollItem>; readonly ready: List<string> }
    | { readonly kind: 'timer'; readonly clock: number; readonly deadline: number; readonly interval: number }
    | { readonly kind: 'signal'; readonly mask: bigint }
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
