/** struct stat, statx and statfs of riscv64 Linux (asm-generic layouts). */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../errno';
import { PAGE_SIZE } from '../../units';
import type { Core } from '../core';
import { allocatedBytes } from './content';
import { readData, roomForFiles } from './data';
import { kindOf } from './kinds/table';
import { inodeOf } from './walk';
import type { FileTime, Inode, OpenFile } from './types';

export interface Stat {
  readonly inode: number;
  /** Number of the file system it belongs to. */
  readonly system: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Units of 512 bytes it takes. */
  readonly blocks: number;
  /** Device number of a device node: major * 256 + minor. */
  readonly device: number;
  readonly accessed: FileTime;
  readonly modified: FileTime;
  readonly changed: FileTime;
}

/** st_dev of the root file system, of /proc, and of what has no inode; of other file systems it is the number of their root. */
const ROOT_SYSTEM = 1;
const PROC_SYSTEM = 4;
const NO_SYSTEM = 5;

const PROC_TYPES = { directory: S_IFDIR, text: S_IFREG, link: S_IFLNK } as const;

function typeBits(inode: Inode): number {
  switch (inode.type) {
    case 'file':
      return S_IFREG;
    case 'directory':
      return S_IFDIR;
    case 'link':
      return S_IFLNK;
    case 'device':
      return inode.block ? S_IFBLK : S_IFCHR;
    case 'fifo':
      return S_IFIFO;
    case 'socket':
      return S_IFSOCK;
    case 'proc':
      return PROC_TYPES[inode.what];
  }
}
/** d_type of a directory entry. */
export const entryType = (inode: Inode): number => typeBits(inode) >> 12;

const DEVICE_NUMBERS: Readonly<Record<string, number>> = {
  null: 0x103,
  zero: 0x105,
  full: 0x107,
  random: 0x108,
  urandom: 0x109,
  tty: 0x500,
  vda: 0xfe00,
  console: 0x501,
};
/** Devices of drivers are misc devices: major 10, and the minor the reference driver gets. */
export const MISC = 0xa3f;
/** The built-in device that has a number; undefined for none. */
export const builtInDevice = (number: number): string | undefined =>
  Object.keys(DEVICE_NUMBERS).find((name) => DEVICE_NUMBERS[name] === number);

function sizeOf(inode: Inode): number {
  if (inode.type === 'file') return inode.content.size;
  if (inode.type === 'link') return new TextEncoder().encode(inode.target).length;
  return inode.type === 'directory' ? PAGE_SIZE : 0;
}

export function statInode(core: Core, number: number): Stat {
  const inode = inodeOf(core, number);
  const content = inode.type === 'file' ? inode.content : undefined;
  const links = inode.type === 'proc' && inode.what === 'directory' ? 2 : inode.links;
  return {
    inode: number,
    system: inode.type === 'proc' ? PROC_SYSTEM : (inode.system ?? ROOT_SYSTEM),
    mode: typeBits(inode) | inode.mode,
    links,
    uid: inode.uid ?? 0,
    gid: inode.gid ?? 0,
    size: sizeOf(inode),
    blocks: content ? allocatedBytes(content) / 512 : inode.type === 'directory' ? PAGE_SIZE / 512 : 0,
    device: inode.type === 'device' ? (inode.number ?? DEVICE_NUMBERS[inode.device] ?? MISC) : 0,
    accessed: inode.accessed ?? inode.modified ?? inode.changed,
    modified: inode.modified ?? inode.changed,
    changed: inode.changed,
  };
}

/** Device number of /dev/pts/0. */
const PTS_0 = 0x8800;

export function statOpenFile(core: Core, id: number, file: OpenFile): Stat {
  if ('inode' in file && file.inode !== undefined) return statInode(core, file.inode);
  const device = file.kind === 'terminal' ? PTS_0 : 0;
  const mode = kindOf(file).mode?.(core, file) ?? 0o600;
  const none = { uid: 0, gid: 0, size: 0, blocks: 0, accessed: 0, modified: 0, changed: 0 };
  return { ...none, inode: 0x10000 + id, system: NO_SYSTEM, mode, links: 1, device };
}

/** Seconds and nanoseconds since 1970 of a tick. */
export function wallClock(core: Core, tick: number): { seconds: number; nanoseconds: number } {
  const { clockHz, epoch } = core.options;
  const seconds = Math.floor(tick / clockHz);
  return { seconds: epoch + seconds, nanoseconds: Math.floor(((tick - seconds * clockHz) * 1e9) / clockHz) };
}

function timeOf(core: Core, time: FileTime): readonly [number, number] {
  if (typeof time !== 'number') return time;
  const { seconds, nanoseconds } = wallClock(core, time);
  return [seconds, nanoseconds];
}

export function statBytes(core: Core, stat: Stat): Uint8Array {
  const view = new DataView(new ArrayBuffer(128));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  put(0, stat.system);
  put(8, stat.inode);
  view.setUint32(16, stat.mode, true);
  view.setUint32(20, stat.links, true);
  view.setUint32(24, stat.uid, true);
  view.setUint32(28, stat.gid, true);
  put(32, stat.device);
  put(48, stat.size);
  view.setInt32(56, PAGE_SIZE, true);
  put(64, stat.blocks);
  [stat.accessed, stat.modified, stat.changed].forEach((time, i) => {
    const [seconds, nanoseconds] = timeOf(core, time);
    put(72 + i * 16, seconds);
    put(80 + i * 16, nanoseconds);
  });
  return new Uint8Array(view.buffer);
}

/** STATX_BASIC_STATS. */
const STATX_MASK = 0x7ff;

export function statxBytes(core: Core, stat: Stat): Uint8Array {
  const view = new DataView(new ArrayBuffer(256));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  view.setUint32(0, STATX_MASK, true);
  view.setUint32(4, PAGE_SIZE, true);
  view.setUint32(16, stat.links, true);
  view.setUint32(20, stat.uid, true);
  view.setUint32(24, stat.gid, true);
  view.setUint16(28, stat.mode, true);
  put(32, stat.inode);
  put(40, stat.size);
  put(48, stat.blocks);
  const times = [
    [64, stat.accessed],
    [96, stat.changed],
    [112, stat.modified],
  ] as const;
  for (const [at, time] of times) {
    const [seconds, nanoseconds] = timeOf(core, time);
    put(at, seconds);
    view.setUint32(at + 8, nanoseconds, true);
  }
  view.setUint32(128, stat.device >>> 8, true);
  view.setUint32(132, stat.device & 0xff, true);
  view.setUint32(140, stat.system & 0xff, true);
  view.setUint32(136, stat.system >>> 8, true);
  return new Uint8Array(view.buffer);
}

const TMPFS_MAGIC = 0x01021994;
const PROC_MAGIC = 0x9fa0;
const PIPEFS_MAGIC = 0x50495045;
const EXT4_MAGIC = 0xef53;
const ST_RDONLY = 1;

/** struct statfs of the file system an inode belongs to; of none: of what has no inode. */
export function statfsBytes(core: Core, number: number | undefined): Uint8Array {
  const view = new DataView(new ArrayBuffer(120));
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  const { fs } = core.state;
  const inode = number === undefined ? undefined : inodeOf(core, number);
  const mount = fs.mounts.findLast(({ root }) => root === (inode?.system ?? fs.root));
  const isProc = inode?.type === 'proc';
  put(0, !inode ? PIPEFS_MAGIC : isProc ? PROC_MAGIC : mount?.type.startsWith('ext') ? EXT4_MAGIC : TMPFS_MAGIC);
  put(8, PAGE_SIZE);
  if (inode && !isProc) {
    const all = roomForFiles(core);
    const free = Math.max(0, Math.min(all, all - fs.used));
    put(16, Math.floor(all / PAGE_SIZE));
    put(24, Math.floor(free / PAGE_SIZE));
    put(32, Math.floor(free / PAGE_SIZE));
    put(40, 1 << 20);
    put(48, (1 << 20) - fs.inodes.size);
  }
  view.setInt32(56, inode?.system ?? 1, true);
  put(64, 255);
  put(72, PAGE_SIZE);
  put(80, 0x20 | (isProc || mount?.readOnly ? ST_RDONLY : 0));
  return new Uint8Array(view.buffer);
}

/** All bytes of a regular file; undefined for anything else. */
export function wholeFile(core: Core, number: number): Uint8Array | undefined {
  const inode = inodeOf(core, number);
  return inode.type === 'file' ? readData(core, number, 0, inode.content.size) : undefined;
}
