/** What files are and whose: stat, statx, access, modes, owners, times, statfs; extended attributes, which this file system has none of. */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, Errno, O } from '../errno';
import type { Core } from '../core';
import { openFileOf } from '../files/descriptors';
import { statBytes, statfsBytes, statInode, statOpenFile, statxBytes, type Stat } from '../files/stat';
import { setInode } from '../files/tree';
import type { FileTime, Inode } from '../files/types';
import { inodeOf } from '../files/walk';
import type { CallContext, Handler } from './call';
import { existing, isReadOnly, subject } from './paths';

const AT_EACCESS = 0x200;
const AT_NO_AUTOMOUNT = 0x800;
const AT_STATX_SYNC = 0x6000;
const STAT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;

function statAt(context: CallContext, dirfd: number, address: number, flags: number): Stat | number {
  const { core } = context;
  const found = subject(context, dirfd, address, flags);
  if (typeof found === 'number') return found;
  if ('inode' in found) return statInode(core, found.inode);
  return statOpenFile(core, found.open, core.state.openFiles.get(found.open)!);
}

const newfstatat: Handler = (context, dirfd, path, buffer, flags) => {
  if (flags! & ~STAT_FLAGS) return -Errno.EINVAL;
  const stat = statAt(context, dirfd!, path!, flags!);
  if (typeof stat === 'number') return stat;
  context.core.user.write(buffer!, statBytes(context.core, stat));
  return 0;
};
const statx: Handler = (context, dirfd, path, flags, mask, buffer) => {
  const STATX_RESERVED = 0x8000_0000;
  if (flags! & ~(STAT_FLAGS | AT_STATX_SYNC) || (flags! & AT_STATX_SYNC) === AT_STATX_SYNC) return -Errno.EINVAL;
  if ((mask! & STATX_RESERVED) !== 0) return -Errno.EINVAL;
  const stat = statAt(context, dirfd!, path!, flags!);
  if (typeof stat === 'number') return stat;
  context.core.user.write(buffer!, statxBytes(context.core, stat));
  return 0;
};
const fstat: Handler = ({ core, process }, fd, buffer) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  core.user.write(buffer!, statBytes(core, statOpenFile(core, open.id, open.file)));
  return 0;
};

/** Everything runs as root; only a missing execute bit refuses, and what is read-only. */
const faccessat2: Handler = (context, dirfd, path, mode, flags) => {
  const { core } = context;
  if (mode! & ~7 || flags! & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -Errno.EINVAL;
  const found = subject(context, dirfd!, path!, flags!);
  if (typeof found === 'number') return found;
  if (!('inode' in found)) return 0;
  const inode = inodeOf(core, found.inode);
  const [EXECUTE, WRITE] = [1, 2];
  const isDirectory = inode.type === 'directory' || inode.type === 'proc';
  if (mode! & WRITE && inode.type !== 'device' && inode.type !== 'proc' && isReadOnly(core, found.inode))
    return -Errno.EROFS;
  return mode! & EXECUTE && !isDirectory && !(inode.mode & 0o111) ? -Errno.EACCES : 0;
};

/** Replaces attributes of an inode; of /proc they can't be changed. */
function change(core: Core, number: number, patch: (inode: Inode) => Partial<Inode>): number {
  const inode = inodeOf(core, number);
  if (inode.type === 'proc') return -Errno.EPERM;
  if (isReadOnly(core, number)) return -Errno.EROFS;
  setInode(core, number, { ...inode, ...patch(inode), changed: core.now } as Inode);
  return 0;
}
/** The same for an open file; one without an inode takes note of nothing. */
function changeOpen(context: CallContext, fd: number, patch: (inode: Inode) => Partial<Inode>): number {
  const open = openFileOf(context.core, context.process, fd | 0);
  if (!open || open.file.flags & O.PATH) return -Errno.EBADF;
  return 'inode' in open.file && open.file.inode !== undefined ? change(context.core, open.file.inode, patch) : 0;
}
/** The times stay what they were when `changed` moves on. */
const times = ({ modified, accessed, changed }: Inode) => ({
  modified: modified ?? changed,
  accessed: accessed ?? modified ?? changed,
});

const chmod = (mode: number) => (inode: Inode) => ({ ...times(inode), mode: mode & 0o7777 });
/** An owner that is -1 stays. A program loses its set-id bits. */
const chown = (uid: number, gid: number) => (inode: Inode) => ({
  ...times(inode),
  ...((uid | 0) === -1 ? {} : { uid: uid >>> 0 }),
  ...((gid | 0) === -1 ? {} : { gid: gid >>> 0 }),
  ...(inode.type === 'file' && inode.mode & 0o111 ? { mode: inode.mode & ~0o6000 } : {}),
});

const fchownat: Handler = (context, dirfd, path, uid, gid, flags) => {
  if (flags! & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -Errno.EINVAL;
  const found = subject(context, dirfd!, path!, flags!);
  if (typeof found === 'number') return found;
  return 'inode' in found ? change(context.core, found.inode, chown(uid!, gid!)) : 0;
};

const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;

/** One of the two timespecs: a time, undefined to leave it, or a negative errno in `error`. */
function timeArgument(core: Core, address: number): { time?: FileTime | undefined; error?: number } {
  const [seconds, nanoseconds] = [core.user.readI64(address), core.user.readI64(address + 8)];
  if (nanoseconds === UTIME_NOW) return { time: core.now };
  if (nanoseconds === UTIME_OMIT) return {};
  return nanoseconds < 0 || nanoseconds > 999_999_999 ? { error: -Errno.EINVAL } : { time: [seconds, nanoseconds] };
}

const utimensat: Handler = (context, dirfd, path, timesAt, flags) => {
  const { core } = context;
  if (flags! & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -Errno.EINVAL;
  const access = timesAt ? timeArgument(core, timesAt) : { time: core.now };
  const modification = timesAt ? timeArgument(core, timesAt + 16) : { time: core.now };
  const error = access.error ?? modification.error;
  if (error !== undefined) return error;
  if (access.time === undefined && modification.time === undefined) return 0;
  const patch = (inode: Inode) => {
    const old = times(inode);
    return { accessed: access.time ?? old.accessed, modified: modification.time ?? old.modified };
  };
  // Without a path it is about the descriptor itself.
  if (path === 0) return (dirfd! | 0) === AT_FDCWD ? -Errno.EFAULT : changeOpen(context, dirfd!, patch);
  const found = subject(context, dirfd!, path!, flags!);
  if (typeof found === 'number') return found;
  return 'inode' in found ? change(core, found.inode, patch) : 0;
};

const statfs: Handler = (context, path, buffer) => {
  const number = existing(context, AT_FDCWD, path!, true);
  if (number < 0) return number;
  context.core.user.write(buffer!, statfsBytes(context.core, number));
  return 0;
};
const fstatfs: Handler = ({ core, process }, fd, buffer) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  core.user.write(buffer!, statfsBytes(core, 'inode' in open.file ? open.file.inode : undefined));
  return 0;
};

const XATTR_NAME_MAX = 255;
/** An extended attribute of a file: there is none. `result` is what an attempt that is otherwise right comes to. */
function attribute(found: number, context: CallContext, nameAt: number | undefined, result: number): number {
  if (found < 0) return found;
  if (nameAt === undefined) return result;
  const name = context.core.user.string(nameAt, XATTR_NAME_MAX + 1);
  return name === undefined || name === '' ? -Errno.ERANGE : result;
}
const byPath =
  (follow: boolean, named: boolean, result: number): Handler =>
  (context, path, name) =>
    attribute(existing(context, AT_FDCWD, path!, follow), context, named ? name : undefined, result);
const byDescriptor =
  (named: boolean, result: number): Handler =>
  (context, fd, name) =>
    attribute(
      openFileOf(context.core, context.process, fd! | 0) ? 0 : -Errno.EBADF,
      context,
      named ? name : undefined,
      result,
    );
const NO_ATTRIBUTES = -Errno.EOPNOTSUPP;

export const attributeCalls: Readonly<Record<string, Handler>> = {
  newfstatat,
  fstat,
  statx,
  faccessat: (context, dirfd, path, mode) => faccessat2(context, dirfd!, path!, mode!, 0),
  faccessat2,
  fchmod: (context, fd, mode) => changeOpen(context, fd!, chmod(mode!)),
  fchmodat: (context, dirfd, path, mode) => {
    const number = existing(context, dirfd!, path!, true);
    return number < 0 ? number : change(context.core, number, chmod(mode!));
  },
  fchown: (context, fd, uid, gid) => changeOpen(context, fd!, chown(uid!, gid!)),
  fchownat,
  utimensat,
  statfs,
  fstatfs,
  umask: ({ core, process }, mask) => {
    core.setProcess(process.pid, { umask: mask! & 0o777 });
    return process.umask;
  },
  setxattr: byPath(true, true, NO_ATTRIBUTES),
  lsetxattr: byPath(false, true, NO_ATTRIBUTES),
  fsetxattr: byDescriptor(true, NO_ATTRIBUTES),
  getxattr: byPath(true, true, NO_ATTRIBUTES),
  lgetxattr: byPath(false, true, NO_ATTRIBUTES),
  fgetxattr: byDescriptor(true, NO_ATTRIBUTES),
  listxattr: byPath(true, false, 0),
  llistxattr: byPath(false, false, 0),
  flistxattr: byDescriptor(false, 0),
  removexattr: byPath(true, true, NO_ATTRIBUTES),
  lremovexattr: byPath(false, true, NO_ATTRIBUTES),
  fremovexattr: byDescriptor(true, NO_ATTRIBUTES),
};
