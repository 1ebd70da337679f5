/** System calls that read and change directories: entries, links, names, device nodes, the current and the root directory. */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  Errno,
  O,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
} from '../errno';
import type { Core } from '../core';
import { EMPTY } from '../files/content';
import { openFileOf } from '../files/descriptors';
import { setOpenFile } from '../files/open-files';
import { procNames } from '../files/proc/nodes';
import { builtInDevice, entryType, MISC } from '../files/stat';
import { create, createDirectory, dropIfUnused, exchange, link, rename, unlink } from '../files/tree';
import type { Inode } from '../files/types';
import { childOf, directoryPath, inodeIn, inodeOf, linkTarget, mounted, resolve, type Resolved } from '../files/walk';
import type { CallContext, Handler } from './call';
import { existing, isReadOnly, pathArgument, startOf, subject, walk } from './paths';

const AT_REMOVEDIR = 0x200;
const AT_SYMLINK_FOLLOW = 0x400;

interface Listed {
  readonly name: string;
  readonly inode: number;
  /** Where to go on behind it. */
  readonly next: number;
}

/** Bytes of a getdents64 result at most, and names looked at in one call. */
const DENTS_MAX = 32768;
const LOOKED_MAX = 4096;

/** The entries of a directory from a position on, in the order they were made; 0 and 1 are `.` and `..`. */
function* entriesFrom(core: Core, number: number, position: number): Generator<Listed> {
  const { state } = core;
  const up = resolve(state, '..', { from: number, followLast: true });
  if (position <= 0) yield { name: '.', inode: number, next: 1 };
  if (position <= 1) yield { name: '..', inode: typeof up === 'number' ? number : up.inode!, next: 2 };
  const directory = inodeOf(core, number);
  if (directory.type === 'proc') {
    const names = procNames(state, number);
    for (let at = Math.max(0, position - 2); at < names.length; at++) {
      const inode = childOf(state, number, names[at]!);
      if (inode !== undefined) yield { name: names[at]!, inode, next: at + 3 };
    }
  } else if (directory.type === 'directory')
    for (let at = Math.max(0, position - 2); at < directory.order.size; at++) {
      const name = directory.order.get(at);
      if (name !== undefined)
        yield { name, inode: mounted(state.fs, directory.entries.get(name)!.inode), next: at + 3 };
    }
}

/** struct linux_dirent64. */
function entryBytes(core: Core, { name, inode, next }: Listed): Uint8Array {
  const text = new TextEncoder().encode(name);
  const length = Math.ceil((19 + text.length + 1) / 8) * 8;
  const view = new DataView(new ArrayBuffer(length));
  view.setBigUint64(0, BigInt(inode), true);
  view.setBigInt64(8, BigInt(next), true);
  view.setUint16(16, length, true);
  const found = inodeIn(core.state, inode);
  view.setUint8(18, found ? entryType(found) : 0);
  const record = new Uint8Array(view.buffer);
  record.set(text, 19);
  return record;
}

const getdents64: Handler = ({ core, process }, fd, buffer, count) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  const { file } = open;
  if (file.flags & O.PATH) return -Errno.EBADF;
  const directory = file.kind === 'inode' ? inodeIn(core.state, file.inode) : undefined;
  if (file.kind !== 'inode' || !directory || (directory.type !== 'directory' && directory.type !== 'proc'))
    return -Errno.ENOTDIR;
  const room = Math.min(count! >>> 0, DENTS_MAX);
  const parts: number[] = [];
  let offset = file.offset;
  let looked = 0;
  for (const entry of entriesFrom(core, file.inode, file.offset)) {
    const record = entryBytes(core, entry);
    if (parts.length + record.length > room) {
      if (parts.length === 0) return -Errno.EINVAL;
      break;
    }
    parts.push(...record);
    offset = entry.next;
    if (++looked >= LOOKED_MAX) break;
  }
  core.charge(looked);
  core.user.write(buffer!, Uint8Array.from(parts));
  setOpenFile(core, open.id, { ...file, offset });
  return parts.length;
};

const getcwd: Handler = ({ core, process }, buffer, size) => {
  const path = directoryPath(core.state, process.cwd, process.root);
  if (path === undefined) return -Errno.ENOENT;
  const bytes = new TextEncoder().encode(`${path}\0`);
  if (size! < bytes.length) return -Errno.ERANGE;
  core.user.write(buffer!, bytes);
  return bytes.length;
};

/** The directory a path leads to, or a negative errno. */
function directoryAt(context: CallContext, path: number): number {
  const number = existing(context, AT_FDCWD, path, true);
  if (number < 0) return number;
  const inode = inodeOf(context.core, number);
  const isDirectory = inode.type === 'directory' || (inode.type === 'proc' && inode.what === 'directory');
  return isDirectory ? number : -Errno.ENOTDIR;
}
function enter({ core, process }: CallContext, what: 'cwd' | 'root', number: number): number {
  if (number < 0) return number;
  core.setProcess(process.pid, { [what]: number });
  dropIfUnused(core, process[what]);
  return 0;
}

/** A place for a new entry: the walk's result, or a negative errno. */
function freePlace(context: CallContext, dirfd: number, path: number): Resolved | number {
  const at = walk(context, dirfd, path, false);
  if (typeof at === 'number') return at;
  if (at.inode !== undefined) return -Errno.EEXIST;
  if (isReadOnly(context.core, at.parent))
    return inodeOf(context.core, at.parent).type === 'proc' ? -Errno.ENOENT : -Errno.EROFS;
  return inodeOf(context.core, at.parent).links === 0 ? -Errno.ENOENT : at;
}

const mkdirat: Handler = (context, dirfd, path, mode) => {
  const at = freePlace(context, dirfd!, path!);
  if (typeof at === 'number') return at;
  createDirectory(context.core, at.parent, at.name, mode! & 0o1777 & ~context.process.umask);
  return 0;
};

const symlinkat: Handler = (context, target, dirfd, path) => {
  const { core } = context;
  const text = pathArgument(core, target!);
  if (typeof text === 'number') return text;
  if (text === '') return -Errno.ENOENT;
  const at = freePlace(context, dirfd!, path!);
  if (typeof at === 'number') return at;
  if (at.slash) return -Errno.ENOENT;
  create(core, at.parent, at.name, { type: 'link', mode: 0o777, links: 1, changed: core.now, target: text });
  return 0;
};

/** What a device number names: a built-in device, a driver's, or nothing. */
function deviceOf(core: Core, number: number, block: boolean): string {
  const driver = core.options.devices.find(
    ({ minors }) => number === MISC || minors?.some((minor) => number === (MISC & ~0xff) + minor),
  );
  return (block ? undefined : driver?.path) ?? builtInDevice(number) ?? '';
}

function newNode(core: Core, mode: number, device: number): Inode | number {
  const common = { links: 1, changed: core.now, mode: mode & 0o7777 };
  switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
      return { ...common, type: 'file', content: EMPTY };
    case S_IFIFO:
      return { ...common, type: 'fifo' };
    case S_IFCHR:
    case S_IFBLK: {
      const block = (mode & S_IFMT) === S_IFBLK;
      const known = deviceOf(core, device, block);
      return { ...common, type: 'device', device: known, number: device, ...(block ? { block } : {}) };
    }
    default:
      return (mode & S_IFMT) === S_IFDIR ? -Errno.EPERM : -Errno.EINVAL;
  }
}

const mknodat: Handler = (context, dirfd, path, mode, device) => {
  const { core } = context;
  const at = freePlace(context, dirfd!, path!);
  if (typeof at === 'number') return at;
  if (at.slash) return -Errno.ENOENT;
  const node = newNode(core, mode! & ~context.process.umask, device!);
  if (typeof node === 'number') return node;
  create(core, at.parent, at.name, node);
  return 0;
};

const unlinkat: Handler = (context, dirfd, path, flags) => {
  const { core } = context;
  if (flags! & ~AT_REMOVEDIR) return -Errno.EINVAL;
  const at = walk(context, dirfd!, path!, false);
  if (typeof at === 'number') return at;
  if (at.inode === undefined) return -Errno.ENOENT;
  const inode = inodeOf(core, at.inode);
  if (flags! & AT_REMOVEDIR) {
    const text = pathArgument(core, path!);
    if (typeof text === 'string' && /(^|\/)\.\/*$/.test(text)) return -Errno.EINVAL;
    if (typeof text === 'string' && /(^|\/)\.\.\/*$/.test(text)) return -Errno.ENOTEMPTY;
    if (inode.type === 'proc') return inode.what === 'directory' ? -Errno.EPERM : -Errno.ENOTDIR;
    if (inode.type !== 'directory') return -Errno.ENOTDIR;
    if (at.name === '' || isMountPoint(core, at)) return -Errno.EBUSY;
    if (inode.entries.size > 0) return -Errno.ENOTEMPTY;
  } else if (inode.type === 'directory') return -Errno.EISDIR;
  if (inode.type === 'proc') return -Errno.EPERM;
  if (isReadOnly(core, at.parent)) return -Errno.EROFS;
  unlink(core, at.parent, at.name);
  return 0;
};

/** Is something mounted at the entry? Then the walk went on to its root. */
const isMountPoint = (core: Core, at: Resolved): boolean => childOf(core.state, at.parent, at.name) !== at.inode;

const systemOf = (core: Core, number: number): number => inodeOf(core, number).system ?? 0;

const linkat: Handler = (context, oldfd, oldPath, newfd, newPath, flags) => {
  const { core } = context;
  if (flags! & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -Errno.EINVAL;
  const follow = flags! & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
  const found = subject(context, oldfd!, oldPath!, (flags! & AT_EMPTY_PATH) | follow);
  if (typeof found === 'number') return found;
  if (!('inode' in found)) return -Errno.EXDEV;
  const inode = inodeOf(core, found.inode);
  const at = freePlace(context, newfd!, newPath!);
  if (typeof at === 'number') return at;
  if (inode.type === 'proc' || systemOf(core, found.inode) !== systemOf(core, at.parent)) return -Errno.EXDEV;
  if (inode.type === 'directory') return -Errno.EPERM;
  link(core, at.parent, at.name, found.inode);
  return 0;
};

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

/** Does a directory lie in (or is it) another? */
function liesIn(core: Core, directory: number, other: number): boolean {
  for (let at = directory; ;) {
    if (at === other) return true;
    const inode = core.state.fs.inodes.get(at);
    if (inode?.type !== 'directory' || inode.parent === at) return false;
    at = inode.parent;
  }
}

/** May `source` take the place of what is at the new name? 0 or a negative errno. */
function replaceable(source: Inode, old: Inode): number {
  if (old.type === 'directory' && source.type !== 'directory') return -Errno.EISDIR;
  if (old.type !== 'directory' && source.type === 'directory') return -Errno.ENOTDIR;
  return old.type === 'directory' && old.entries.size > 0 ? -Errno.ENOTEMPTY : 0;
}

const renameat2: Handler = (context, oldfd, oldPath, newfd, newPath, flags) => {
  const { core } = context;
  const swaps = flags === RENAME_EXCHANGE;
  if (flags! & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags === 3) return -Errno.EINVAL;
  const from = walk(context, oldfd!, oldPath!, false);
  if (typeof from === 'number') return from;
  const to = walk(context, newfd!, newPath!, false);
  if (typeof to === 'number') return to;
  if (from.name === '' || to.name === '') return -Errno.EBUSY;
  if (from.inode === undefined) return -Errno.ENOENT;
  const source = inodeOf(core, from.inode);
  if (systemOf(core, from.parent) !== systemOf(core, to.parent) || source.type === 'proc') return -Errno.EXDEV;
  if (isReadOnly(core, from.parent)) return -Errno.EROFS;
  if (isMountPoint(core, from) || (to.inode !== undefined && isMountPoint(core, to))) return -Errno.EBUSY;
  if (source.type !== 'directory' && (from.slash || to.slash)) return -Errno.ENOTDIR;
  if (flags! & RENAME_NOREPLACE && to.inode !== undefined) return -Errno.EEXIST;
  if (swaps && to.inode === undefined) return -Errno.ENOENT;
  if (from.inode === to.inode) return 0;
  if (source.type === 'directory' && liesIn(core, to.parent, from.inode)) return -Errno.EINVAL;
  if (inodeOf(core, to.parent).links === 0) return -Errno.ENOENT;
  if (swaps) {
    if (liesIn(core, from.parent, to.inode!)) return -Errno.EINVAL;
    exchange(core, from, to);
    return 0;
  }
  if (to.inode !== undefined) {
    if (liesIn(core, from.parent, to.inode)) return -Errno.ENOTEMPTY;
    const error = replaceable(source, inodeOf(core, to.inode));
    if (error < 0) return error;
  }
  rename(core, from, to);
  return 0;
};

const readlinkat: Handler = (context, dirfd, path, buffer, size) => {
  const { core, process, thread } = context;
  if ((size! | 0) <= 0) return -Errno.EINVAL;
  const found = subject(context, dirfd!, path!, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
  if (typeof found === 'number') return found;
  const target = 'inode' in found ? linkTarget(core.state, found.inode, process.pid, thread.tid) : undefined;
  if (target === undefined) return -Errno.EINVAL;
  const bytes = new TextEncoder().encode(target).subarray(0, size! | 0);
  core.user.write(buffer!, bytes);
  return bytes.length;
};

export const directoryCalls: Readonly<Record<string, Handler>> = {
  getdents64,
  getcwd,
  chdir: (context, path) => enter(context, 'cwd', directoryAt(context, path!)),
  fchdir: (context, fd) => enter(context, 'cwd', startOf(context.core, context.process, fd! | 0)),
  chroot: (context, path) => enter(context, 'root', directoryAt(context, path!)),
  mkdirat,
  mknodat,
  unlinkat,
  symlinkat,
  linkat,
  renameat: (context, ...args) => renameat2(context, args[0]!, args[1]!, args[2]!, args[3]!, 0),
  renameat2,
  readlinkat,
};
