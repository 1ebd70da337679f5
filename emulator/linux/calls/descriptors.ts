/** pipe2, eventfd2, fcntl and ioctl. */
import { Errno, O } from '../errno';
import { attach, duplicate, freeDescriptor, openAs, openFileOf } from '../files/descriptors';
import { ioctlInProgress, isDevicePhase } from '../files/kinds/device';
import { newPipe, openPipeEnd, resizePipe } from '../files/kinds/pipe';
import { kindOf } from '../files/kinds/table';
import { newOpenFile, setOpenFile } from '../files/open-files';
import { isLockCommand, lockRecord } from './locks';
import type { Handler } from './call';

const pipe2: Handler = ({ core, process }, address, flags) => {
  if (flags! & ~(O.CLOEXEC | O.NONBLOCK)) return -Errno.EINVAL;
  core.user.probe(address!, 8, 'write');
  const kept = flags! & O.NONBLOCK;
  const first = freeDescriptor(process);
  const second = first === undefined ? undefined : freeDescriptor(process, first + 1);
  if (first === undefined || second === undefined) return -Errno.EMFILE;
  const pipe = newPipe(core);
  openPipeEnd(core, pipe, true, true);
  const path = `pipe:[${pipe}]`;
  const cloexec = (flags! & O.CLOEXEC) !== 0;
  const reader = newOpenFile(core, { kind: 'pipe', pipe, flags: kept, path });
  attach(core, process.pid, first, reader, cloexec);
  const writer = newOpenFile(core, { kind: 'pipe', pipe, flags: kept | O.WRONLY, path });
  attach(core, process.pid, second, writer, cloexec);
  core.user.writeU32(address!, first);
  core.user.writeU32(address! + 4, second);
  return 0;
};

const EFD_SEMAPHORE = 1;
const eventfd2: Handler = ({ core, process }, count, flags) => {
  if (flags! & ~(O.CLOEXEC | O.NONBLOCK | EFD_SEMAPHORE)) return -Errno.EINVAL;
  return openAs(
    core,
    process.pid,
    {
      kind: 'event',
      count: BigInt(count! >>> 0),
      semaphore: (flags! & EFD_SEMAPHORE) !== 0,
      flags: O.RDWR | (flags! & O.NONBLOCK),
      path: 'anon_inode:[eventfd]',
    },
    (flags! & O.CLOEXEC) !== 0,
  );
};

const enum F {
  DUPFD = 0,
  GETFD = 1,
  SETFD = 2,
  GETFL = 3,
  SETFL = 4,
  DUPFD_CLOEXEC = 1030,
  SETPIPE_SZ = 1031,
  GETPIPE_SZ = 1032,
}

const fcntl: Handler = (context, number, command, argument) => {
  const { core, process } = context;
  const fd = number! | 0;
  if (isLockCommand(command! | 0)) return lockRecord(context, fd, command! | 0, argument!);
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const descriptor = process.descriptors.get(fd)!;
  switch (command! as F) {
    case F.DUPFD:
    case F.DUPFD_CLOEXEC:
      if (argument! < 0) return -Errno.EINVAL;
      return duplicate(core, process.pid, fd, { from: argument! }, command === F.DUPFD_CLOEXEC);
    case F.GETFD:
      return descriptor.closeOnExec ? 1 : 0;
    case F.SETFD: {
      const changed = { ...descriptor, closeOnExec: (argument! & 1) !== 0 };
      core.setProcess(process.pid, { descriptors: process.descriptors.set(fd, changed) });
      return 0;
    }
    case F.GETFL:
      return open.file.flags;
    case F.SETFL: {
      const changeable = O.APPEND | O.NONBLOCK;
      setOpenFile(core, open.id, { ...open.file, flags: (open.file.flags & ~changeable) | (argument! & changeable) });
      return 0;
    }
    case F.GETPIPE_SZ:
      return open.file.kind === 'pipe' ? core.state.pipes.get(open.file.pipe)!.capacity : -Errno.EBADF;
    case F.SETPIPE_SZ:
      return open.file.kind === 'pipe' ? resizePipe(core, open.file.pipe, argument! | 0) : -Errno.EBADF;
    default:
      return -Errno.EINVAL;
  }
};

const FIONREAD = 0x541b;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIONBIO = 0x5421;

/** Requests of the file's kind go before those that any file knows: a device's driver sees all of them. */
const ioctl: Handler = (context, number, command, argument) => {
  const { core, process, call } = context;
  if (isDevicePhase(call.phase)) return ioctlInProgress(context, call.phase);
  const fd = number! | 0;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const { file, id } = open;
  const kind = kindOf(file);
  const outcome = kind.ioctl?.(context, id, file);
  if (outcome !== undefined) return outcome;
  switch (command! >>> 0) {
    case FIONREAD: {
      const available = kind.available?.(core, file);
      if (available === undefined) return -Errno.ENOTTY;
      core.user.writeU32(argument!, Math.min(available, 0x7fff_ffff));
      return 0;
    }
    case FIONBIO: {
      const on = core.user.readI32(argument!) !== 0;
      setOpenFile(core, id, { ...file, flags: on ? file.flags | O.NONBLOCK : file.flags & ~O.NONBLOCK });
      return 0;
    }
    case FIOCLEX:
    case FIONCLEX: {
      const changed = { ...process.descriptors.get(fd)!, closeOnExec: command! >>> 0 === FIOCLEX };
      core.setProcess(process.pid, { descriptors: process.descriptors.set(fd, changed) });
      return 0;
    }
    default:
      return -Errno.ENOTTY;
  }
};

export const descriptorCalls: Readonly<Record<string, Handler>> = { pipe2, eventfd2, fcntl, ioctl };
