/** Sizes of files: truncate, ftruncate, fallocate; and the seeking of lseek, which knows data from holes. */
import { PAGE_SIZE } from '../../units';
import { AT_FDCWD, Errno, O, Signal } from '../errno';
import { MAX_FILE, seekContent } from '../files/content';
import { punchData, resizeData } from '../files/data';
import { openFileOf } from '../files/descriptors';
import { kindOf } from '../files/kinds/table';
import { mayWrite, setOpenFile } from '../files/open-files';
import type { OpenFile } from '../files/types';
import { inodeOf } from '../files/walk';
import { maxFileSize } from '../limits';
import { CUT_FROM_START, cutMappings, type Cutting } from '../memory/truncate';
import type { CallContext, Handler, Outcome } from './call';
import { sendSignal } from '../signals';
import { existing, isReadOnly } from './paths';

const enum Seek {
  SET = 0,
  CUR = 1,
  END = 2,
  DATA = 3,
  HOLE = 4,
}

/** Where SEEK_DATA or SEEK_HOLE leads; what is no file has no holes. */
function seekInside(context: CallContext, file: OpenFile, size: number, offset: number, data: boolean): number {
  if (offset < 0 || offset >= size) return -Errno.ENXIO;
  const inode = file.kind === 'inode' ? inodeOf(context.core, file.inode) : undefined;
  // Pages that mappings have stored to may be holes of the content: such a file is told as one piece of data.
  if (inode?.type !== 'file' || inode.object !== undefined) return data ? offset : size;
  return seekContent(inode.content, offset, data) ?? -Errno.ENXIO;
}

const lseek: Handler = (context, fd, offset, whence) => {
  const { core, process } = context;
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  const { file, id } = open;
  const kind = kindOf(file);
  if (!kind.size) return -Errno.ESPIPE;
  if (!('offset' in file)) return 0;
  const size = kind.size(core, file);
  let target: number;
  switch (whence! as Seek) {
    case Seek.SET:
      target = offset!;
      break;
    case Seek.CUR:
      target = file.offset + offset!;
      break;
    case Seek.END:
      target = size + offset!;
      break;
    case Seek.DATA:
    case Seek.HOLE:
      target = seekInside(context, file, size, offset!, whence === Seek.DATA);
      if (target < 0) return target;
      break;
    default:
      return -Errno.EINVAL;
  }
  if (target < 0 || target > Number.MAX_SAFE_INTEGER) return -Errno.EINVAL;
  setOpenFile(core, id, { ...file, offset: target });
  return target;
};

/** A change of size in progress: pages of mappings behind the new end are being taken away. */
interface Resizing {
  readonly cut: Cutting;
}

/** Changes a file's size, a piece per step when mappings lose pages. */
export function resize(context: CallContext, number: number, size: number): Outcome {
  const { core, call, process, thread } = context;
  const inode = inodeOf(core, number);
  if (inode.type === 'directory') return -Errno.EISDIR;
  if (inode.type !== 'file' || size < 0) return -Errno.EINVAL;
  if (size > MAX_FILE) return -Errno.EFBIG;
  if (size > Math.max(maxFileSize(process), inode.content.size)) {
    const { pid } = process;
    sendSignal(core, pid, thread.tid, { signal: Signal.XFSZ, code: 0, pid, address: 0, value: 0 });
    return -Errno.EFBIG;
  }
  const begun = call.phase as Resizing | undefined;
  const shrinks = begun !== undefined || size < inode.content.size;
  if (!begun) resizeData(core, number, size);
  if (!shrinks || inode.object === undefined) return 0;
  const cut = cutMappings(core, inode.object, Math.ceil(size / PAGE_SIZE), begun?.cut ?? CUT_FROM_START);
  return cut ? { do: 'more', phase: { cut } satisfies Resizing } : 0;
}

const ftruncate: Handler = (context, fd, size) => {
  const open = openFileOf(context.core, context.process, fd! | 0);
  if (!open || open.file.flags & O.PATH) return -Errno.EBADF;
  return open.file.kind === 'inode' && mayWrite(open.file) ? resize(context, open.file.inode, size!) : -Errno.EINVAL;
};
const truncate: Handler = (context, path, size) => {
  if (size! < 0) return -Errno.EINVAL;
  const number = existing(context, AT_FDCWD, path!, true);
  if (number < 0) return number;
  return isReadOnly(context.core, number) ? -Errno.EROFS : resize(context, number, size!);
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
  const { file } = open;
  if (offset! < 0 || length! <= 0) return -Errno.EINVAL;
  if (mode! & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) return -Errno.EOPNOTSUPP;
  if (mode! & FALLOC_PUNCH_HOLE && mode !== (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)) return -Errno.EOPNOTSUPP;
  if (!mayWrite(file)) return -Errno.EBADF;
  if (file.kind === 'pipe') return -Errno.ESPIPE;
  const inode = file.kind === 'inode' ? inodeOf(core, file.inode) : undefined;
  if (file.kind !== 'inode' || inode?.type !== 'file') return -Errno.ENODEV;
  const end = offset! + length!;
  if (end > MAX_FILE) return -Errno.EFBIG;
  const stop = Math.min(end, inode.content.size);
  const at = (context.call.phase as Punching | undefined)?.at ?? offset!;
  if (mode! & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) && at < stop) {
    const next = Math.min(stop, at + PUNCH);
    punchData(core, file.inode, at, next);
    core.charge(1 + (next - at) / PAGE_SIZE);
    return { do: 'more', phase: { at: next } satisfies Punching };
  }
  if (!(mode! & FALLOC_KEEP_SIZE) && end > inode.content.size) resizeData(core, file.inode, end);
  return 0;
};

export const sizeCalls: Readonly<Record<string, Handler>> = { lseek, ftruncate, truncate, fallocate };
