/** Paths as system calls give them: a user pointer, relative to a directory descriptor. */
import { AT_FDCWD, Errno } from '../errno';
import type { Core } from '../core';
import { openFileOf } from '../files/descriptors';
import { inodeOf, PATH_MAX, resolve, type Resolved } from '../files/tree';
import type { Process } from '../state';
import type { CallContext } from './call';

/** The string at a user address, or a negative errno. */
export function pathArgument(core: Core, address: number): string | number {
  return core.user.string(address, PATH_MAX) ?? -Errno.ENAMETOOLONG;
}

/** The absolute path relative paths of `dirfd` start at, or a negative errno. */
export function startOf(core: Core, process: Process, dirfd: number): string | number {
  if (dirfd === AT_FDCWD) return process.cwd;
  const open = openFileOf(core, process, dirfd);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'inode' || inodeOf(core, open.file.inode).type !== 'directory') return -Errno.ENOTDIR;
  return open.file.path;
}

/** Walks the path at a user address; a negative errno when that fails before its last part. */
export function walk(context: CallContext, dirfd: number, address: number, followLast: boolean): Resolved | number {
  const { core, process } = context;
  const path = pathArgument(core, address);
  if (typeof path === 'number') return path;
  const from = path.startsWith('/') ? '/' : startOf(core, process, dirfd | 0);
  if (typeof from === 'number') return from;
  return resolve(core.state.fs, path, { from, followLast, executable: process.executable });
}

/** The inode number of an existing path, or a negative errno. */
export function existing(context: CallContext, dirfd: number, address: number, follow: boolean): number {
  const at = walk(context, dirfd, address, follow);
  if (typeof at === 'number') return at;
  return at.inode ?? -Errno.ENOENT;
}
