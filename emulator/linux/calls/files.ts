/** System calls about files by path and descriptor: open, close, seek, stat, size, permissions. */
import { AT_FDCWD, Errno, O } from '../errno';
import type { Core } from '../core';
import { callerOf, deviceAt, driverKernel } from '../drivers';
import { contentFrom, EMPTY, MAX_FILE } from '../files/content';
import { punchData, resizeData } from '../files/data';
import { close, duplicate, openAs, openFileOf } from '../files/descriptors';
import { kindOf } from '../files/kinds/table';
import { mayWrite, setOpenFile } from '../files/open-files';
import { freePages, procText } from '../files/proc';
import { statBytes, statfsBytes, statInode, statOpenFile, statxBytes, type Stat } from '../files/stat';
import { create, inodeOf, resolve, setInode } from '../files/tree';
import { PAGE_SIZE } from '../../units';
import { RAM_BASE } from '../memory/layout';
import { CUT_FROM_START, cutMappings, type Cutting } from '../memory/truncate';
import type { CallContext, Handler, Outcome } from './call';
import { existing, walk } from './paths';

const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;

function openInode(context: CallContext, number: number, path: string, flags: number): Outcome {
  const { core, process } = context;
  const inode = inodeOf(core, number);
  const kept = flags & (O.ACCMODE | O.APPEND | O.NONBLOCK);
  const cloexec = (flags & O.CLOEXEC) !== 0;
  const writes = (flags & O.ACCMODE) !== 0;
  if (inode.type === 'link' || (inode.type === 'proc' && inode.what === 'exe')) return -Errno.ELOOP;
  if (flags & O.DIRECTORY && inode.type !== 'directory') return -Errno.ENOTDIR;
  if (inode.type === 'directory' && (writes || flags & O.CREAT)) return -Errno.EISDIR;
  if (inode.type === 'proc') {
    if (writes) return -Errno.EACCES;
    const content = contentFrom(new TextEncoder().encode(procText(core, process, inode.what)));
    return openAs(core, process.pid, { kind: 'text', inode: number, content, offset: 0, flags: kept, path }, cloexec);
  }
  if (inode.type === 'device') {
    if (inode.device === 'tty') return -Errno.ENXIO;
    const device = deviceAt(core, inode.device);
    if (device) {
      const data = device.open(driverKernel(core), callerOf(core, process.pid, context.thread.tid));
      if (typeof data === 'number' && data < 0) return data;
      return openAs(
        core,
        process.pid,
        { kind: 'device', device: device.path, inode: number, data, flags: kept, path },
        cloexec,
      );
    }
  }
  if (inode.type === 'file' && flags & O.TRUNC && writes) {
    const outcome = resize(context, number, 0);
    if (outcome !== 0) return outcome;
  }
  return openAs(core, process.pid, { kind: 'inode', inode: number, offset: 0, flags: kept, path }, cloexec);
}

const openat: Handler = (context, dirfd, address, flags, mode) => {
  const { core, process } = context;
  const exclusive = (flags! & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL);
  const at = walk(context, dirfd!, address!, !exclusive && !(flags! & O.NOFOLLOW));
  if (typeof at === 'number') return at;
  if (at.inode !== undefined) return exclusive ? -Errno.EEXIST : openInode(context, at.inode, at.path, flags!);
  if (!(flags! & O.CREAT)) return -Errno.ENOENT;
  if (at.slash) return -Errno.EISDIR;
  const number = create(core, at.parent, at.name, {
    type: 'file',
    mode: mode! & 0o7777 & ~process.umask,
    links: 1,
    changed: core.now,
    content: EMPTY,
  });
  return openInode(context, number, at.path, flags! & ~(O.CREAT | O.TRUNC));
};

const lseek: Handler = ({ core, process }, fd, offset, whence) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  const { file, id } = open;
  const size = kindOf(file).size?.(core, file);
  if (size === undefined) return -Errno.ESPIPE;
  if (!('offset' in file)) return 0;
  let target: number;
  if (whence === 0) target = offset!;
  else if (whence === 1) target = file.offset + offset!;
  else if (whence === 2) target = size + offset!;
  else if (whence === 3 || whence === 4) {
    // SEEK_DATA and SEEK_HOLE: a file without holes.
    if (offset! < 0 || offset! >= size) return -Errno.ENXIO;
    target = whence === 3 ? offset! : size;
  } else return -Errno.EINVAL;
  if (target < 0 || target > Number.MAX_SAFE_INTEGER) return -Errno.EINVAL;
  setOpenFile(core, id, { ...file, offset: target });
  return target;
};

function statAt(context: CallContext, dirfd: number, address: number, flags: number): Stat | number {
  const { core, process } = context;
  if (flags & AT_EMPTY_PATH && core.user.readU8(address) === 0) {
    if ((dirfd | 0) === AT_FDCWD) {
      const at = resolve(core.state.fs, process.cwd, { from: '/', followLast: true, executable: '' });
      return typeof at === 'number' ? at : statInode(core, at.inode!);
    }
    const open = openFileOf(core, process, dirfd | 0);
    return open ? statOpenFile(core, open.id, open.file) : -Errno.EBADF;
  }
  const number = existing(context, dirfd, address, !(flags & AT_SYMLINK_NOFOLLOW));
  return number < 0 ? number : statInode(core, number);
}

const newfstatat: Handler = (context, dirfd, path, buffer, flags) => {
  const stat = statAt(context, dirfd!, path!, flags!);
  if (typeof stat === 'number') return stat;
  context.core.user.write(buffer!, statBytes(context.core, stat));
  return 0;
};
const statx: Handler = (context, dirfd, path, flags, _mask, buffer) => {
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

/** Everything runs as root; only a missing execute bit refuses. */
const faccessat: Handler = (context, dirfd, path, mode, flags) => {
  const number = existing(context, dirfd!, path!, !((flags ?? 0) & AT_SYMLINK_NOFOLLOW));
  if (number < 0) return number;
  const inode = inodeOf(context.core, number);
  const EXECUTE = 1;
  return mode! & EXECUTE && inode.type !== 'directory' && !(inode.mode & 0o111) ? -Errno.EACCES : 0;
};

/** A change of size in progress: pages of mappings behind the new end are being taken away. */
interface Resizing {
  readonly cut: Cutting;
}

/** Changes a file's size, a piece per step when mappings lose pages. */
function resize(context: CallContext, number: number, size: number): Outcome {
  const { core, call } = context;
  const inode = inodeOf(core, number);
  if (inode.type === 'directory') return -Errno.EISDIR;
  if (inode.type !== 'file' || size < 0) return -Errno.EINVAL;
  if (size > MAX_FILE) return -Errno.EFBIG;
  const begun = call.phase as Resizing | undefined;
  const shrinks = begun !== undefined || size < inode.content.size;
  if (!begun) resizeData(core, number, size);
  if (!shrinks || inode.object === undefined) return 0;
  const cut = cutMappings(core, inode.object, Math.ceil(size / PAGE_SIZE), begun?.cut ?? CUT_FROM_START);
  return cut ? { do: 'more', phase: { cut } satisfies Resizing } : 0;
}
const ftruncate: Handler = (context, fd, size) => {
  const open = openFileOf(context.core, context.process, fd! | 0);
  if (!open) return -Errno.EBADF;
  return open.file.kind === 'inode' && mayWrite(open.file) ? resize(context, open.file.inode, size!) : -Errno.EINVAL;
};
const truncate: Handler = (context, path, size) => {
  const number = existing(context, AT_FDCWD, path!, true);
  return number < 0 ? number : resize(context, number, size!);
};

const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;
const FALLOC_ZERO_RANGE = 16;
/** Bytes punched per step. */
const PUNCH = 1024 * 1024;
interface Punching {
  readonly at: number;
}
/** Room is there or not when it is written: allocating only grows the file. */
const fallocate: Handler = (context, fd, mode, offset, length) => {
  const { core } = context;
  const open = openFileOf(core, context.process, fd! | 0);
  if (!open) return -Errno.EBADF;
  if (offset! < 0 || length! <= 0) return -Errno.EINVAL;
  if (mode! & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) return -Errno.EOPNOTSUPP;
  const punches = mode! & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE);
  if (mode! & FALLOC_PUNCH_HOLE && mode !== (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)) return -Errno.EOPNOTSUPP;
  if (!mayWrite(open.file)) return -Errno.EBADF;
  if (open.file.kind === 'pipe') return -Errno.ESPIPE;
  const inode = open.file.kind === 'inode' ? inodeOf(core, open.file.inode) : undefined;
  if (open.file.kind !== 'inode' || inode?.type !== 'file') return -Errno.ENODEV;
  const end = offset! + length!;
  if (end > MAX_FILE) return -Errno.EFBIG;
  const stop = Math.min(end, inode.content.size);
  const at = (context.call.phase as Punching | undefined)?.at ?? offset!;
  if (punches && at < stop) {
    const next = Math.min(stop, at + PUNCH);
    punchData(core, open.file.inode, at, next);
    core.charge(1 + ((next - at) >> 12));
    return { do: 'more', phase: { at: next } satisfies Punching };
  }
  if (!(mode! & FALLOC_KEEP_SIZE) && end > inode.content.size) resizeData(core, open.file.inode, end);
  return 0;
};

function changeMode(core: Core, number: number, mode: number): number {
  setInode(core, number, { ...inodeOf(core, number), mode: mode & 0o7777 });
  return 0;
}
const fchmod: Handler = ({ core, process }, fd, mode) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  return 'inode' in open.file ? changeMode(core, open.file.inode, mode!) : 0;
};
const fchmodat: Handler = (context, dirfd, path, mode) => {
  const number = existing(context, dirfd!, path!, true);
  return number < 0 ? number : changeMode(context.core, number, mode!);
};

/** For calls whose effect nobody can see here: one user, no disk. They check the descriptor. */
const accepted: Handler = ({ core, process }, fd) => (openFileOf(core, process, fd! | 0) ? 0 : -Errno.EBADF);
const acceptedAt: Handler = (context, dirfd, path) =>
  path === 0 ? 0 : Math.min(0, existing(context, dirfd!, path!, true));

function statfs(core: Core, buffer: number): number {
  core.user.write(buffer, statfsBytes(freePages(core), (core.layout.ramEnd - RAM_BASE) / PAGE_SIZE));
  return 0;
}

export const fileCalls: Readonly<Record<string, Handler>> = {
  openat,
  close: ({ core, process }, fd) => close(core, process.pid, fd! | 0),
  lseek,
  newfstatat,
  fstat,
  statx,
  faccessat: (context, dirfd, path, mode) => faccessat(context, dirfd!, path!, mode!, 0),
  faccessat2: faccessat,
  ftruncate,
  truncate,
  fallocate,
  fchmod,
  fchmodat,
  fchown: accepted,
  fchownat: acceptedAt,
  utimensat: acceptedAt,
  fsync: accepted,
  fdatasync: accepted,
  sync_file_range: accepted,
  syncfs: accepted,
  flock: accepted,
  fadvise64: accepted,
  readahead: accepted,
  sync: () => 0,
  statfs: (context, path, buffer) =>
    Math.min(0, existing(context, AT_FDCWD, path!, true)) || statfs(context.core, buffer!),
  fstatfs: (context, fd, buffer) => accepted(context, fd!) || statfs(context.core, buffer!),
  umask: ({ core, process }, mask) => {
    core.setProcess(process.pid, { umask: mask! & 0o777 });
    return process.umask;
  },
  dup: ({ core, process }, fd) => duplicate(core, process.pid, fd! | 0, { from: 0 }, false),
  dup3: ({ core, process }, from, to, flags) => {
    if (from === to || flags! & ~O.CLOEXEC) return -Errno.EINVAL;
    return duplicate(core, process.pid, from! | 0, { exact: to! | 0 }, flags !== 0);
  },
};
