/**
 * What a kind of open file can do. One module of this folder per kind, listed in table.ts: the calls that work on any descriptor (read, poll,
 * ioctl, close …) find their kind's part here and know nothing else about it. A member that is missing is not possible for the kind.
 */
import type { CallContext, Outcome } from '../../calls/call';
import type { Core } from '../../core';
import type { OpenFile } from '../types';

/** The queue to wait in, and ticks that may take (0 or none: for ever). */
export interface Standstill {
  readonly wait: string;
  readonly timeout?: number;
}
/** Bytes, a negative errno, or where to wait. */
export type ReadResult = Uint8Array | number | Standstill;
/** Bytes taken, a negative errno, or where to wait. */
export type WriteResult = number | Standstill;

/** Events of poll(2) and epoll(7); the two agree on the numbers. */
export const enum Poll {
  IN = 1,
  PRI = 2,
  OUT = 4,
  ERR = 8,
  HUP = 16,
  NVAL = 32,
  RDNORM = 0x40,
  RDBAND = 0x80,
  WRNORM = 0x100,
  WRBAND = 0x200,
  RDHUP = 0x2000,
}

/** What can be done with an open file now (Poll bits), and the queues that are woken when there is more to read or room to write. */
export interface Readiness {
  readonly events: number;
  readonly reading?: string;
  readonly writing?: string;
}

/** Methods get the open file as it is in the state under `id`; they replace it there, never change it. */
export interface Kind<F extends OpenFile = OpenFile> {
  /**
   * At most `length` bytes: from `position`, or when that is undefined from where the file stands (which moves). A kind that is not
   * `positioned` never gets one.
   */
  read?(core: Core, id: number, file: F, length: number, position: number | undefined): ReadResult;
  /** As `read`; `pid` is told with output. */
  write?(core: Core, id: number, file: F, bytes: Uint8Array, position: number | undefined, pid: number): WriteResult;
  /** Has positions: pread and pwrite work, and a long read goes on in pieces until the end of the file. */
  readonly positioned?: boolean;
  /** What is read and written must not be cut into pieces: it may be a packet. */
  readonly whole?: boolean;
  /** Bytes up to the end, for lseek; its members work on any position from 0 on. */
  size?(core: Core, file: F): number;
  ready(core: Core, id: number, file: F): Readiness;
  /** The answer to FIONREAD. */
  available?(core: Core, file: F): number;
  /** Requests of this kind; undefined for one it does not know. */
  ioctl?(context: CallContext, id: number, file: F): Outcome | undefined;
  /** A descriptor is gone, others are left. Returns as `closed`. */
  dropped?(core: Core, id: number, file: F): readonly number[];
  /** The last descriptor is gone, the record too. Returns open files that it held references to, which lose one each. */
  closed?(core: Core, id: number, file: F): readonly number[] | undefined;
  /** File type and permission bits for stat, when no inode has them; a plain anonymous file without. */
  mode?(core: Core, file: F): number;
}

export type FileOf<K extends OpenFile['kind']> = Extract<OpenFile, { readonly kind: K }>;

/** Ready for whatever its access mode allows, always. */
export const ALWAYS: Readiness = { events: Poll.IN | Poll.OUT | Poll.RDNORM | Poll.WRNORM };
