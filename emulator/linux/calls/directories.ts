/** System calls that read and change directories: entries, links, names, the current directory. */
import { AT_FDCWD, Errno } from '../errno';
import { openFileOf } from '../files/descriptors';
import { setOpenFile } from '../files/open-files';
import { create, createDirectory, inodeOf, link, linkTarget, rename, unlink, type Resolved } from '../files/tree';
import type { CallContext, Handler } from './call';
import { existing, pathArgument, startOf, walk } from './paths';

const AT_REMOVEDIR = 0x200;
const AT_SYMLINK_FOLLOW = 0x400;

const DT: Readonly<Record<string, number>> = { file: 8, directory: 4, link: 10, device: 2, proc: 8 };

/** Entries in name order; the offset is the number of entries told so far. */
const getdents64: Handler = ({ core, process }, fd, buffer, count) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  const { file } = open;
  const directory = file.kind === 'inode' ? inodeOf(core, file.inode) : undefined;
  if (file.kind !== 'inode' || directory?.type !== 'directory') return -Errno.ENOTDIR;
  const names = [...directory.entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const all: (readonly [string, number])[] = [
    ['.', file.inode],
    ['..', directory.parent],
    ...names.map((name) => [name, directory.entries.get(name)!] as const),
  ];
  const parts: Uint8Array[] = [];
  let used = 0;
  let index = file.offset;
  for (; index < all.length; index++) {
    const [name, inode] = all[index]!;
    const text = new TextEncoder().encode(name);
    const length = Math.ceil((19 + text.length + 1) / 8) * 8;
    if (used + length > Math.min(count! >>> 0, 32768)) break;
    const view = new DataView(new ArrayBuffer(length));
    view.setBigUint64(0, BigInt(inode), true);
    view.setBigInt64(8, BigInt(index + 1), true);
    view.setUint16(16, length, true);
    view.setUint8(18, DT[inodeOf(core, inode).type] ?? 0);
    const record = new Uint8Array(view.buffer);
    record.set(text, 19);
    parts.push(record);
    used += length;
  }
  if (used === 0 && index < all.length) return -Errno.EINVAL;
  const bytes = new Uint8Array(used);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  core.user.write(buffer!, bytes);
  setOpenFile(core, open.id, { ...file, offset: index });
  return used;
};

const getcwd: Handler = ({ core, process }, buffer, size) => {
  const bytes = new TextEncoder().encode(`${process.cwd}\0`);
  if (size! < bytes.length) return -Errno.ERANGE;
  core.user.write(buffer!, bytes);
  return bytes.length;
};

function enter(context: CallContext, at: Resolved | number): number {
  if (typeof at === 'number') return at;
  if (at.inode === undefined) return -Errno.ENOENT;
  if (inodeOf(context.core, at.inode).type !== 'directory') return -Errno.ENOTDIR;
  context.core.setProcess(context.process.pid, { cwd: at.path });
  return 0;
}
const chdir: Handler = (context, path) => enter(context, walk(context, AT_FDCWD, path!, true));
const fchdir: Handler = ({ core, process }, fd) => {
  const start = startOf(core, process, fd! | 0);
  if (typeof start === 'number') return start;
  core.setProcess(process.pid, { cwd: start });
  return 0;
};

const mkdirat: Handler = (context, dirfd, path, mode) => {
  const at = walk(context, dirfd!, path!, false);
  if (typeof at === 'number') return at;
  if (at.inode !== undefined) return -Errno.EEXIST;
  createDirectory(context.core, at.parent, at.name, mode! & 0o7777 & ~context.process.umask);
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
    if (inode.type !== 'directory') return -Errno.ENOTDIR;
    if (at.name === '') return -Errno.EBUSY;
    if (inode.entries.size > 0) return -Errno.ENOTEMPTY;
  } else if (inode.type === 'directory') return -Errno.EISDIR;
  unlink(core, at.parent, at.name);
  return 0;
};

const symlinkat: Handler = (context, target, dirfd, path) => {
  const { core } = context;
  const text = pathArgument(core, target!);
  if (typeof text === 'number') return text;
  if (text === '') return -Errno.ENOENT;
  const at = walk(context, dirfd!, path!, false);
  if (typeof at === 'number') return at;
  if (at.inode !== undefined) return -Errno.EEXIST;
  create(core, at.parent, at.name, { type: 'link', mode: 0o777, links: 1, changed: core.now, target: text });
  return 0;
};

const linkat: Handler = (context, oldfd, oldPath, newfd, newPath, flags) => {
  const number = existing(context, oldfd!, oldPath!, (flags! & AT_SYMLINK_FOLLOW) !== 0);
  if (number < 0) return number;
  if (inodeOf(context.core, number).type === 'directory') return -Errno.EPERM;
  const at = walk(context, newfd!, newPath!, false);
  if (typeof at === 'number') return at;
  if (at.inode !== undefined) return -Errno.EEXIST;
  link(context.core, at.parent, at.name, number);
  return 0;
};

const renameat2: Handler = (context, oldfd, oldPath, newfd, newPath, flags) => {
  const { core } = context;
  const RENAME_NOREPLACE = 1;
  if ((flags ?? 0) & ~RENAME_NOREPLACE) return -Errno.EINVAL;
  const from = walk(context, oldfd!, oldPath!, false);
  if (typeof from === 'number') return from;
  const to = walk(context, newfd!, newPath!, false);
  if (typeof to === 'number') return to;
  if (from.inode === undefined) return -Errno.ENOENT;
  if (from.name === '' || to.name === '') return -Errno.EBUSY;
  if (from.inode === to.inode) return 0;
  if (`${to.path}/`.startsWith(`${from.path}/`)) return -Errno.EINVAL;
  const source = inodeOf(core, from.inode);
  if (to.inode !== undefined) {
    if (flags! & RENAME_NOREPLACE) return -Errno.EEXIST;
    const old = inodeOf(core, to.inode);
    if (old.type === 'directory' && source.type !== 'directory') return -Errno.EISDIR;
    if (old.type !== 'directory' && source.type === 'directory') return -Errno.ENOTDIR;
    if (old.type === 'directory' && old.entries.size > 0) return -Errno.ENOTEMPTY;
  }
  rename(core, from, to);
  return 0;
};

const readlinkat: Handler = (context, dirfd, path, buffer, size) => {
  const { core, process } = context;
  if ((size! | 0) <= 0) return -Errno.EINVAL;
  const number = existing(context, dirfd!, path!, false);
  if (number < 0) return number;
  const target = linkTarget(inodeOf(core, number), process.executable);
  if (target === undefined) return -Errno.EINVAL;
  const bytes = new TextEncoder().encode(target).subarray(0, size! | 0);
  core.user.write(buffer!, bytes);
  return bytes.length;
};

export const directoryCalls: Readonly<Record<string, Handler>> = {
  getdents64,
  getcwd,
  chdir,
  fchdir,
  mkdirat,
  unlinkat,
  symlinkat,
  linkat,
  renameat: (context, ...args) => renameat2(context, args[0]!, args[1]!, args[2]!, args[3]!, 0),
  renameat2,
  readlinkat,
};
