/**
 * mount and umount2. What can be mounted: memory (tmpfs and its like), /proc, the machine's disk `/dev/vda` under any file system's name,
 * and a directory in another place.
 */
import { AT_FDCWD, Errno } from '../errno';
import type { Core } from '../core';
import { PROC_ROOT } from '../files/proc/nodes';
import { createNameless, dropIfUnused, newDirectory, setInode } from '../files/tree';
import type { Mount } from '../files/types';
import { inodeOf, mountOf } from '../files/walk';
import type { CallContext, Handler } from './call';
import { existing, walk } from './paths';

const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_MOVE = 8192;
const MS_PROPAGATION = 0x1e_0000;
const IN_MEMORY = new Set(['tmpfs', 'ramfs', 'devtmpfs', 'sysfs', 'devpts', 'mqueue']);
const ON_DISK = new Set(['ext2', 'ext3', 'ext4', 'vfat', 'auto', '']);
const NAME_MAX = 4096;

const setMounts = (core: Core, mounts: readonly Mount[]): void => core.set({ fs: { ...core.state.fs, mounts } });

/** The root of a new file system in memory. */
function newSystem(core: Core, point: number): number {
  const root = createNameless(core, { ...newDirectory(point, ''), changed: core.now });
  const inode = inodeOf(core, root);
  if (inode.type === 'directory') setInode(core, root, { ...inode, parent: root, system: root });
  return root;
}

/** The root directory of the disk a device node names; or a negative errno. */
function diskRoot(context: CallContext, source: string, sourceAt: number): number {
  const at = source.includes('/') ? walk(context, AT_FDCWD, sourceAt, true) : -Errno.ENOENT;
  if (typeof at === 'number') return at;
  const inode = at.inode === undefined ? undefined : inodeOf(context.core, at.inode);
  if (!inode) return -Errno.ENOENT;
  if (inode.type !== 'device' || !inode.block) return -Errno.ENOTBLK;
  return context.core.state.fs.disks.get(inode.device) ?? -Errno.ENXIO;
}

/** The root of what is to be mounted, or a negative errno. */
function rootOf(
  context: CallContext,
  source: string,
  sourceAt: number,
  type: string,
  flags: number,
  point: number,
): number {
  const { core } = context;
  if (flags & MS_BIND) {
    const number = existing(context, AT_FDCWD, sourceAt, true);
    return number < 0 ? number : inodeOf(core, number).type === 'directory' ? number : -Errno.ENOTDIR;
  }
  if (type === 'proc') return PROC_ROOT;
  if (IN_MEMORY.has(type)) return newSystem(core, point);
  return ON_DISK.has(type) ? diskRoot(context, source, sourceAt) : -Errno.ENODEV;
}

const mount: Handler = (context, sourceAt, targetAt, typeAt, flags) => {
  const { core } = context;
  const text = (address: number): string | undefined => (address === 0 ? '' : core.user.string(address, NAME_MAX));
  const [source, type] = [text(sourceAt!), text(typeAt!)];
  if (source === undefined || type === undefined) return -Errno.EINVAL;
  const point = existing(context, AT_FDCWD, targetAt!, true);
  if (point < 0) return point;
  const inode = inodeOf(core, point);
  if (inode.type !== 'directory') return inode.type === 'proc' ? -Errno.EINVAL : -Errno.ENOTDIR;
  const { mounts } = core.state.fs;
  const readOnly = (flags! & MS_RDONLY) !== 0;
  if (flags! & MS_PROPAGATION) return 0;
  if (flags! & MS_REMOUNT) {
    const known = mountOf(core.state.fs, point);
    if (!known) return -Errno.EINVAL;
    setMounts(
      core,
      mounts.map((other) => (other === known ? { ...other, readOnly } : other)),
    );
    return 0;
  }
  if (flags! & MS_MOVE) return -Errno.EINVAL;
  const root = rootOf(context, source, sourceAt!, type, flags!, point);
  if (root < 0) return root;
  if (root === point || mounts.some((other) => other.point === point && other.root === root)) return -Errno.EBUSY;
  const shown = ON_DISK.has(type) ? 'ext4' : type;
  setMounts(core, [...core.state.fs.mounts, { point, root, source: source || 'none', type: shown, readOnly }]);
  return 0;
};

const UMOUNT_FLAGS = 15;
/** MNT_DETACH: also while it is in use. */
const MNT_DETACH = 2;
const umount2: Handler = (context, targetAt, flags) => {
  const { core } = context;
  if (flags! & ~UMOUNT_FLAGS) return -Errno.EINVAL;
  const root = existing(context, AT_FDCWD, targetAt!, true);
  if (root < 0) return root;
  const known = mountOf(core.state.fs, root);
  if (!known) return -Errno.EINVAL;
  const { state } = core;
  const system = known.root;
  const inside = (number: number): boolean => number === system || state.fs.inodes.get(number)?.system === system;
  const busy =
    known.point === 0 ||
    state.fs.mounts.some((other) => other !== known && inside(other.point)) ||
    state.processes.some(({ cwd, root: top }) => inside(cwd) || inside(top)) ||
    state.openFiles.some((file) => 'inode' in file && file.inode !== undefined && inside(file.inode));
  if (busy && (!(flags! & MNT_DETACH) || known.point === 0)) return -Errno.EBUSY;
  setMounts(
    core,
    state.fs.mounts.filter((other) => other !== known),
  );
  dropIfUnused(core, system);
  return 0;
};

export const mountCalls: Readonly<Record<string, Handler>> = { mount, umount2 };
