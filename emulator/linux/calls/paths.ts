/** Paths as system calls give them: a user pointer, relative to a directory descriptor. */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, Errno } from '../errno';
import type { Core } from '../core';
import { openFileOf } from '../files/descriptors';
import { inodeOf, PATH_MAX, resolve, type Resolved } from '../files/walk';
import type { Process } from '../state';
import type { CallContext } from './call';

/** The string at a user address, or a negative errno. */
export function pathArgument(core: Core, address: number): string | number {
  return core.user.string(address, PATH_MAX) ?? -Errno.ENAMETOOLONG;
}

/** The directory (its inode) that relative paths of `dirfd` start at, or a negative errno. */
export function startOf(core: Core, process: Process, dirfd: number): number {
  if (dirfd === AT_FDCWD) return process.cwd;
  const open = openFileOf(core, process, dirfd);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'inode') return -Errno.ENOTDIR;
  const inode = inodeOf(core, open.file.inode);
  return inode.type === 'directory' || inode.type === 'proc' ? open.file.inode : -Errno.ENOTDIR;
}

/** Walks a path for a thread; a negative errno when that fails before its last part. */
export function walkPath(
  { core, process, thread }: Pick<CallContext, 'core' | 'process' | 'thread'>,
  dirfd: number,
  path: string,
  followLast: boolean,
): Resolved | number {
  if (path === '') return -Errno.ENOENT;
  const from = path.startsWith('/') ? process.root : startOf(core, process, dirfd | 0);
  if (from < 0) return from;
  const { root, pid } = process;
  return resolve(core.state, path, { from, followLast, root, pid, tid: thread.tid });
}

/** Walks the path at a user address. */
export function walk(context: CallContext, dirfd: number, address: number, followLast: boolean): Resolved | number {
  const path = pathArgument(context.core, address);
  return typeof path === 'number' ? path : walkPath(context, dirfd, path, followLast);
}

/** The inode number of an existing path, or a negative errno. */
export function existing(context: CallContext, dirfd: number, address: number, follow: boolean): number {
  const at = walk(context, dirfd, address, follow);
  if (typeof at === 'number') return at;
  return at.inode ?? -Errno.ENOENT;
}

/** What an *at call with flags is about: an inode, or with AT_EMPTY_PATH an open file; or a negative errno. */
export function subject(
  context: CallContext,
  dirfd: number,
  address: number,
  flags: number,
): { readonly inode: number } | { readonly open: number } | number {
  const { core, process } = context;
  if (flags & AT_EMPTY_PATH && (address === 0 || core.user.readU8(address) === 0)) {
    if ((dirfd | 0) === AT_FDCWD) return { inode: process.cwd };
    const open = openFileOf(core, process, dirfd | 0);
    if (!open) return -Errno.EBADF;
    return 'inode' in open.file && open.file.inode !== undefined ? { inode: open.file.inode } : { open: open.id };
  }
  const number = existing(context, dirfd, address, !(flags & AT_SYMLINK_NOFOLLOW));
  return number < 0 ? number : { inode: number };
}

/** True when the entry may not be changed: it lies in /proc or on what is mounted read-only. */
export function isReadOnly(core: Core, directory: number): boolean {
  const inode = inodeOf(core, directory);
  if (inode.type === 'proc') return true;
  const { fs } = core.state;
  return fs.mounts.some(({ root, readOnly }) => readOnly && root === (inode.system ?? fs.root));
}
