/** Opening files by path, in every way open(2) knows; memfd_create; descriptors that are duplicated and closed. */
import { Errno, O } from '../errno';
import { callerOf, deviceAt, driverKernel } from '../drivers';
import { contentFrom, EMPTY } from '../files/content';
import { attach, close, duplicate, freeDescriptor, openAs, openFileOf, release } from '../files/descriptors';
import { newPipe, openPipeEnd } from '../files/kinds/pipe';
import { mayRead, mayWrite, newOpenFile } from '../files/open-files';
import { procEntry, procPid } from '../files/proc/nodes';
import { procText } from '../files/proc/texts';
import { isWritable } from '../files/proc/writes';
import { create, createNameless, setInode } from '../files/tree';
import type { OpenFile } from '../files/types';
import { inodeOf, type Resolved } from '../files/walk';
import { wake } from '../scheduler';
import type { State } from '../state';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';
import { isReadOnly, pathArgument, walkPath } from './paths';
import { resize } from './sizes';

/** What open keeps of its flags; F_GETFL tells them. */
const KEPT = O.ACCMODE | O.APPEND | O.NONBLOCK | O.PATH | O.DIRECTORY | O.NOATIME | O.DSYNC | O.SYNC;
const cloexec = (flags: number): boolean => (flags & O.CLOEXEC) !== 0;

/** Opens a link of /proc/…/fd to what is no file of the tree: the same open file once more. */
function openAgain({ core, process }: CallContext, number: number, flags: number): Outcome {
  const entry = procEntry(number);
  const owner = core.state.processes.get(procPid(core.state, entry) ?? 0);
  const file = owner?.descriptors.get(entry.fd ?? -1)?.file;
  if (file === undefined) return -Errno.ELOOP;
  const fd = freeDescriptor(process);
  if (fd === undefined) return -Errno.EMFILE;
  attach(core, process.pid, fd, file, cloexec(flags));
  return fd;
}

/** Is some process running the file? Then nobody may write it. */
function isRunning(state: State, number: number): boolean {
  for (const { memory, executable } of state.processes.values())
    if (
      memory.areas.some(
        ({ backing, name }) => name === executable && backing.kind === 'file' && backing.inode === number,
      )
    )
      return true;
  return false;
}

/** A named pipe waits for its other end, as fifo(7) says. */
interface OpeningFifo {
  readonly file: number;
}
const fifoQueue = (pipe: number): string => `fifo:${pipe}`;

function openFifo(context: CallContext, number: number, path: string, flags: number): Outcome {
  const { core, process, call } = context;
  const fifo = inodeOf(core, number);
  if (fifo.type !== 'fifo') return -Errno.ENXIO;
  const begun = call.phase as OpeningFifo | undefined;
  let pipe = fifo.pipe;
  const access = { flags } as OpenFile;
  if (!begun) {
    const readers = pipe === undefined ? 0 : (core.state.pipes.get(pipe)?.readers ?? 0);
    if ((flags & O.ACCMODE) === O.WRONLY && flags & O.NONBLOCK && readers === 0) return -Errno.ENXIO;
    if (pipe === undefined || !core.state.pipes.has(pipe)) {
      pipe = newPipe(core);
      setInode(core, number, { ...fifo, pipe });
    }
    openPipeEnd(core, pipe, mayRead(access), mayWrite(access));
    wake(core, fifoQueue(pipe));
  }
  const id = begun?.file ?? newOpenFile(core, { kind: 'pipe', pipe: pipe!, inode: number, flags: flags & KEPT, path });
  const ends = core.state.pipes.get(pipe!)!;
  const alone = mayRead(access) && mayWrite(access) ? false : mayRead(access) ? ends.writers === 0 : ends.readers === 0;
  if (alone && !(flags & O.NONBLOCK) && call.woken !== 'wake') {
    if (call.woken !== 'signal')
      return { do: 'block', wait: waitFor([fifoQueue(pipe!)]), phase: { file: id } satisfies OpeningFifo };
    release(core, id);
    return -Errno.ERESTARTSYS;
  }
  const fd = freeDescriptor(core.process(process.pid));
  if (fd === undefined) {
    release(core, id);
    return -Errno.EMFILE;
  }
  attach(core, process.pid, fd, id, cloexec(flags));
  return fd;
}

function openDevice(context: CallContext, number: number, path: string, flags: number): Outcome {
  const { core, process, thread } = context;
  const inode = inodeOf(core, number);
  if (inode.type !== 'device') return -Errno.ENXIO;
  const kept = flags & KEPT;
  if (inode.block) return core.state.fs.disks.has(inode.device) ? -Errno.EACCES : -Errno.ENXIO;
  if (inode.device === 'tty' || inode.device === 'console') return openTerminal(context, inode.device, path, flags);
  const device = deviceAt(core, inode.device);
  if (device) {
    const data = device.open(driverKernel(core), callerOf(core, process.pid, thread.tid));
    if (typeof data === 'number' && data < 0) return data;
    const file = { kind: 'device', device: device.path, inode: number, data, flags: kept, path } as const;
    return openAs(core, process.pid, file, cloexec(flags));
  }
  if (!BUILT_IN.has(inode.device)) return -Errno.ENXIO;
  return openAs(core, process.pid, { kind: 'inode', inode: number, offset: 0, flags: kept, path }, cloexec(flags));
}
const BUILT_IN = new Set(['null', 'zero', 'full', 'random', 'urandom']);

function openInode(context: CallContext, number: number, path: string, flags: number): Outcome {
  const { core, process } = context;
  const inode = inodeOf(core, number);
  const writes = (flags & O.ACCMODE) !== 0;
  if (inode.type === 'socket' && !(flags & O.PATH)) return -Errno.ENXIO;
  const isDirectory = inode.type === 'directory' || (inode.type === 'proc' && inode.what === 'directory');
  const plain = { kind: 'inode', inode: number, offset: 0, flags: flags & KEPT, path } as const;
  if (flags & O.DIRECTORY && !isDirectory) return -Errno.ENOTDIR;
  if (flags & O.PATH) return openAs(core, process.pid, plain, cloexec(flags));
  if (isDirectory) {
    if (writes || flags & O.CREAT) return -Errno.EISDIR;
    return openAs(core, process.pid, plain, cloexec(flags));
  }
  if (writes && isReadOnly(core, number) && inode.type === 'file') return -Errno.EROFS;
  switch (inode.type) {
    case 'link':
      return -Errno.ELOOP;
    case 'proc': {
      if (inode.what === 'link') return openAgain(context, number, flags);
      if (writes && !isWritable(number)) return -Errno.EACCES;
      const text = procText(core, number);
      if (text === undefined) return -Errno.ESRCH;
      const content = contentFrom(new TextEncoder().encode(text));
      return openAs(core, process.pid, { ...plain, kind: 'text', content }, cloexec(flags));
    }
    case 'device':
      return openDevice(context, number, path, flags);
    case 'fifo':
      return openFifo(context, number, path, flags);
    case 'file': {
      if (writes && isRunning(core.state, number)) return -Errno.ETXTBSY;
      if (flags & O.TRUNC) {
        const outcome = resize(context, number, 0);
        if (outcome !== 0) return outcome;
      }
      return openAs(core, process.pid, plain, cloexec(flags));
    }
    default:
      return -Errno.ENXIO;
  }
}

const newFile = (context: CallContext, mode: number, links: number) => ({
  type: 'file' as const,
  mode: mode & 0o7777 & ~context.process.umask,
  links,
  changed: context.core.now,
  content: EMPTY,
});

/** O_TMPFILE: a file without a name in a directory. */
function openNameless(context: CallContext, at: Resolved, flags: number, mode: number): Outcome {
  const { core, process } = context;
  if (!(flags & O.ACCMODE)) return -Errno.EINVAL;
  if (at.inode === undefined) return -Errno.ENOENT;
  const directory = inodeOf(core, at.inode);
  if (directory.type !== 'directory') return directory.type === 'proc' ? -Errno.EOPNOTSUPP : -Errno.ENOTDIR;
  const system = directory.system === undefined ? {} : { system: directory.system };
  const inode = createNameless(core, { ...newFile(context, mode, 0), ...system });
  const file = {
    kind: 'inode',
    inode,
    offset: 0,
    flags: flags & KEPT & ~O.DIRECTORY,
    path: `${at.path}/#${inode}`,
  } as const;
  return openAs(core, process.pid, file, cloexec(flags));
}

function open(context: CallContext, dirfd: number, path: string, flags: number, mode: number): Outcome {
  const { core, process } = context;
  const exclusive = (flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL);
  const nameless = (flags & O.TMPFILE) === O.TMPFILE;
  const at = walkPath(context, dirfd, path, nameless || (!exclusive && !(flags & O.NOFOLLOW)));
  if (typeof at === 'number') return at;
  if (nameless) return openNameless(context, at, flags, mode);
  if (at.inode !== undefined) {
    if (exclusive) return -Errno.EEXIST;
    return openInode(context, at.inode, at.path, flags);
  }
  if (!(flags & O.CREAT)) return -Errno.ENOENT;
  if (at.slash) return -Errno.EISDIR;
  if (isReadOnly(core, at.parent)) return -Errno.EROFS;
  if (inodeOf(core, at.parent).links === 0) return -Errno.ENOENT;
  if (freeDescriptor(process) === undefined) return -Errno.EMFILE;
  const inode = create(core, at.parent, at.name, newFile(context, mode, 1));
  const file = { kind: 'inode', inode, offset: 0, flags: flags & KEPT, path: at.path } as const;
  return openAs(core, process.pid, file, cloexec(flags));
}

/** /dev/tty is the caller's controlling terminal; /dev/console the terminal, or what stands in for it. */
function openTerminal({ core, process }: CallContext, device: string, path: string, flags: number): number {
  const { session } = core.state.tty;
  if (device === 'tty' && (session === 0 || session !== process.session)) return -Errno.ENXIO;
  const common = { flags: flags & (O.ACCMODE | O.NONBLOCK), path };
  if (!core.options.terminal) return openAs(core, process.pid, { kind: 'stdout', ...common }, cloexec(flags));
  return openAs(core, process.pid, { kind: 'terminal', stream: 'stdout', ...common }, cloexec(flags));
}

const openat: Handler = (context, dirfd, address, flags, mode) => {
  const path = pathArgument(context.core, address!);
  return typeof path === 'number' ? path : open(context, dirfd!, path, flags!, mode!);
};

/** struct open_how; ways of resolving that keep a path inside a tree are not there. */
const HOW_SIZE = 24;
const RESOLVE_NO_SYMLINKS_ETC = 0x3f;
const openat2: Handler = (context, dirfd, address, how, size) => {
  const { core } = context;
  if (size! < HOW_SIZE) return -Errno.EINVAL;
  if (size! > 4096) return -Errno.E2BIG;
  if (core.user.read(how! + HOW_SIZE, size! - HOW_SIZE).some((byte) => byte !== 0)) return -Errno.E2BIG;
  const [flags, mode, ways] = [core.user.readI64(how!), core.user.readI64(how! + 8), core.user.readI64(how! + 16)];
  if (flags < 0 || flags > 0x7fff_ffff || mode & ~0o7777 || ways & ~RESOLVE_NO_SYMLINKS_ETC) return -Errno.EINVAL;
  if (mode && !(flags & O.CREAT) && (flags & O.TMPFILE) !== O.TMPFILE) return -Errno.EINVAL;
  if (ways) return -Errno.EOPNOTSUPP;
  const path = pathArgument(core, address!);
  return typeof path === 'number' ? path : open(context, dirfd!, path, flags, mode);
};

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NAME_MAX = 249;
const memfd_create: Handler = ({ core, process }, address, flags) => {
  if (flags! & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING)) return -Errno.EINVAL;
  const name = core.user.string(address!, MFD_NAME_MAX + 1);
  if (name === undefined) return -Errno.EINVAL;
  const inode = createNameless(core, { type: 'file', mode: 0o777, links: 0, changed: core.now, content: EMPTY });
  const file = { kind: 'inode', inode, offset: 0, flags: O.RDWR, path: `/memfd:${name}` } as const;
  return openAs(core, process.pid, file, (flags! & MFD_CLOEXEC) !== 0);
};

/** Descriptors from `first` to `last`, at most so many numbers per step. */
const CLOSE_PIECE = 256;
const CLOSE_RANGE_CLOEXEC = 4;
const CLOSE_RANGE_UNSHARE = 2;
interface Closing {
  readonly at: number;
}
const close_range: Handler = ({ core, process, call }, first, last, flags) => {
  const [from, to] = [first! >>> 0, last! >>> 0];
  if (from > to || flags! & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)) return -Errno.EINVAL;
  const highest = process.descriptors.reduce((most, _, fd) => Math.max(most, fd), -1);
  const end = Math.min(to, highest);
  const at = (call.phase as Closing | undefined)?.at ?? from;
  for (let fd = at; fd <= Math.min(end, at + CLOSE_PIECE - 1); fd++) {
    const descriptor = core.process(process.pid).descriptors.get(fd);
    if (!descriptor) continue;
    if (!(flags! & CLOSE_RANGE_CLOEXEC)) close(core, process.pid, fd);
    else {
      const { descriptors } = core.process(process.pid);
      core.setProcess(process.pid, { descriptors: descriptors.set(fd, { ...descriptor, closeOnExec: true }) });
    }
  }
  return at + CLOSE_PIECE > end ? 0 : { do: 'more', phase: { at: at + CLOSE_PIECE } satisfies Closing };
};

/** For calls whose effect nobody can see here: there is no disk. They check the descriptor. */
const accepted: Handler = ({ core, process }, fd) => (openFileOf(core, process, fd! | 0) ? 0 : -Errno.EBADF);
/** fsync and its like: pipes and sockets have nothing to be written. */
const synced: Handler = ({ core, process }, fd) => {
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  return open.file.kind === 'inode' || open.file.kind === 'text' ? 0 : -Errno.EINVAL;
};

export const fileCalls: Readonly<Record<string, Handler>> = {
  openat,
  openat2,
  memfd_create,
  close: ({ core, process }, fd) => close(core, process.pid, fd! | 0),
  close_range,
  fsync: synced,
  fdatasync: synced,
  sync_file_range: synced,
  syncfs: accepted,
  fadvise64: (context, fd, _offset, length, advice) => {
    const open = openFileOf(context.core, context.process, fd! | 0);
    if (!open) return -Errno.EBADF;
    if (open.file.kind === 'pipe') return -Errno.ESPIPE;
    return length! < 0 || advice! < 0 || advice! > 5 ? -Errno.EINVAL : 0;
  },
  readahead: accepted,
  sync: () => 0,
  dup: ({ core, process }, fd) => duplicate(core, process.pid, fd! | 0, { from: 0 }, false),
  dup3: ({ core, process }, from, to, flags) => {
    if (from === to || flags! & ~O.CLOEXEC) return -Errno.EINVAL;
    return duplicate(core, process.pid, from! | 0, { exact: to! | 0 }, flags !== 0);
  },
};
