/** copy_file_range(2): bytes from file to file without passing through the program, a piece per step. */
import { Errno, O } from '../errno';
import { readData, writeData } from '../files/data';
import { openFileOf } from '../files/descriptors';
import { mayRead, mayWrite, setOpenFile } from '../files/open-files';
import type { OpenFile } from '../files/types';
import { inodeOf } from '../files/walk';
import { PIECE } from '../files/transfer';
import type { CallContext, Handler } from './call';

interface Copied {
  readonly done: number;
}
type Positioned = Extract<OpenFile, { kind: 'inode' }>;

/** A regular file behind a descriptor, or a negative errno. */
function regular({ core, process }: CallContext, fd: number): { id: number; file: Positioned } | number {
  const open = openFileOf(core, process, fd | 0);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'inode') return -Errno.EINVAL;
  const { type } = inodeOf(core, open.file.inode);
  if (type === 'directory') return -Errno.EISDIR;
  return type === 'file' ? { id: open.id, file: open.file } : -Errno.EINVAL;
}

const copy_file_range: Handler = (context, fdIn, offsetIn, fdOut, offsetOut, length, flags) => {
  const { core, call } = context;
  const from = regular(context, fdIn!);
  if (typeof from === 'number') return from;
  const to = regular(context, fdOut!);
  if (typeof to === 'number') return to;
  if (!mayRead(from.file) || !mayWrite(to.file) || to.file.flags & O.APPEND) return -Errno.EBADF;
  if (flags !== 0) return -Errno.EINVAL;
  const done = (call.phase as Copied | undefined)?.done ?? 0;
  const start = offsetIn ? core.user.readI64(offsetIn) : from.file.offset;
  const target = offsetOut ? core.user.readI64(offsetOut) : to.file.offset;
  if (start < 0 || target < 0) return -Errno.EINVAL;
  const wanted = length! < 0 ? Number.MAX_SAFE_INTEGER : length!;
  const whole = Math.min(wanted - done, Number.MAX_SAFE_INTEGER);
  if (from.file.inode === to.file.inode && start < target + whole && target < start + whole) return -Errno.EINVAL;
  for (const address of [offsetIn, offsetOut]) if (address) core.user.probe(address, 8, 'write');
  const bytes = readData(core, from.file.inode, start, Math.min(PIECE, whole));
  core.chargeBytes(2 * bytes.length);
  const count = writeData(core, to.file.inode, target, bytes);
  if (count < 0) return done > 0 ? done : count;
  if (offsetIn) core.user.writeI64(offsetIn, start + count);
  else setOpenFile(core, from.id, { ...from.file, offset: start + count });
  if (offsetOut) core.user.writeI64(offsetOut, target + count);
  else {
    const now = core.state.openFiles.get(to.id);
    if (now?.kind === 'inode') setOpenFile(core, to.id, { ...now, offset: target + count });
  }
  const sum = done + count;
  return count > 0 && sum < wanted ? { do: 'more', phase: { done: sum } satisfies Copied } : sum;
};

export const copyingCalls: Readonly<Record<string, Handler>> = { copy_file_range };
