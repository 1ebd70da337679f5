/** struct stat, statx and statfs of riscv64 Linux (asm-generic layouts). */
import type { Core } from '../core';
import { readData } from './data';
import { kindOf } from './kinds/table';
import { inodeOf } from './tree';
import type { Inode, OpenFile } from './types';

const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

export interface Stat {
  readonly inode: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  /** Device number of a device node. */
  readonly device: number;
  /** Tick of the last change. */
  readonly changed: number;
}

const TYPE_BITS: Readonly<Record<Inode['type'], number>> = {
  file: S_IFREG,
  directory: S_IFDIR,
  link: S_IFLNK,
  device: S_IFCHR,
  proc: S_IFREG,
};
const DEVICE_NUMBERS: Readonly<Record<string, number>> = {
  null: 0x103,
  zero: 0x105,
  full: 0x107,
  random: 0x108,
  urandom: 0x109,
  tty: 0x500,
};
/** Devices of drivers are misc devices: major 10. */
const MISC = 0xa3f;

export function statInode(core: Core, number: number): Stat {
  const inode = inodeOf(core, number);
  const isExe = inode.type === 'proc' && inode.what === 'exe';
  const size =
    inode.type === 'file'
      ? inode.content.size
      : inode.type === 'link'
        ? inode.target.length
        : inode.type === 'directory'
          ? 4096
          : 0;
  return {
    inode: number,
    mode: (isExe ? S_IFLNK : TYPE_BITS[inode.type]) | inode.mode,
    links: inode.links,
    size,
    device: inode.type === 'device' ? (DEVICE_NUMBERS[inode.device] ?? MISC) : 0,
    changed: inode.changed,
  };
}

/** Device number of /dev/pts/0. */
const PTS_0 = 0x8800;

/** Whether output goes to a terminal. Standard input never does: it has no line editing and no echo. */
export function isTerminal(core: Core, file: OpenFile): boolean {
  return core.options.terminal && (file.kind === 'stdout' || file.kind === 'stderr');
}

export function statOpenFile(core: Core, id: number, file: OpenFile): Stat {
  if ('inode' in file) return statInode(core, file.inode);
  const device = isTerminal(core, file) ? PTS_0 : 0;
  const mode = kindOf(file).mode?.(core, file) ?? 0o600;
  return { inode: 0x10000 + id, mode, links: 1, size: 0, device, changed: 0 };
}

/** Seconds and nanoseconds since 1970 of a tick. */
export function wallClock(core: Core, tick: number): { seconds: number; nanoseconds: number } {
  const { clockHz, epoch } = core.options;
  const seconds = Math.floor(tick / clockHz);
  return { seconds: epoch + seconds, nanoseconds: Math.floor(((tick - seconds * clockHz) * 1e9) / clockHz) };
}

const FILE_SYSTEM = 1;
const BLOCK = 4096;

export function statBytes(core: Core, stat: Stat): Uint8Array {
  const view = new DataView(new ArrayBuffer(128));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  put(0, FILE_SYSTEM);
  put(8, stat.inode);
  view.setUint32(16, stat.mode, true);
  view.setUint32(20, stat.links, true);
  put(32, stat.device);
  put(48, stat.size);
  view.setInt32(56, BLOCK, true);
  put(64, Math.ceil(stat.size / 512));
  const { seconds, nanoseconds } = wallClock(core, stat.changed);
  for (const at of [72, 88, 104]) {
    put(at, seconds);
    put(at + 8, nanoseconds);
  }
  return new Uint8Array(view.buffer);
}

/** STATX_BASIC_STATS. */
const STATX_MASK = 0x7ff;

export function statxBytes(core: Core, stat: Stat): Uint8Array {
  const view = new DataView(new ArrayBuffer(256));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  view.setUint32(0, STATX_MASK, true);
  view.setUint32(4, BLOCK, true);
  view.setUint32(16, stat.links, true);
  view.setUint16(28, stat.mode, true);
  put(32, stat.inode);
  put(40, stat.size);
  put(48, Math.ceil(stat.size / 512));
  const { seconds, nanoseconds } = wallClock(core, stat.changed);
  for (const at of [64, 96, 112]) {
    put(at, seconds);
    view.setUint32(at + 8, nanoseconds, true);
  }
  view.setUint32(128, stat.device >>> 8, true);
  view.setUint32(132, stat.device & 0xff, true);
  view.setUint32(140, FILE_SYSTEM, true);
  return new Uint8Array(view.buffer);
}

const TMPFS_MAGIC = 0x01021994;

export function statfsBytes(freePages: number, pages: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(120));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  put(0, TMPFS_MAGIC);
  put(8, BLOCK);
  put(16, pages);
  put(24, freePages);
  put(32, freePages);
  put(64, 255);
  put(72, BLOCK);
  return new Uint8Array(view.buffer);
}

/** All bytes of a regular file; undefined for anything else. */
export function wholeFile(core: Core, number: number): Uint8Array | undefined {
  const inode = inodeOf(core, number);
  return inode.type === 'file' ? readData(core, number, 0, inode.content.size) : undefined;
}
