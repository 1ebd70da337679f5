/** read, write and their relatives, for any open file; the user's buffers are copied a piece per step. */
import type { Core } from '../core';
import { Errno, O, Signal } from '../errno';
import { openFileOf } from '../files/descriptors';
import type { Standstill } from '../files/kinds/kind';
import { kindOf } from '../files/kinds/table';
import type { OpenFile } from '../files/types';
import { setOpenFile } from '../files/open-files';
import { PIECE, readFile, writeFile } from '../files/transfer';
import { maxFileSize } from '../limits';
import { sendSignal } from '../signals';
import type { Process } from '../state';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

const IOV_MAX = 1024;
/** Largest count of one call, as in Linux. */
const COUNT_MAX = 0x7fff_f000;

/** Largest packet, for kinds whose reads and writes are whole. */
export const PACKET_MAX = 262_144;

/** Ticks for one buffer of many. */
const SEGMENT = 16;

export interface Segment {
  readonly base: number;
  readonly length: number;
}
/** What a transfer has done so far, and until when it may wait. */
interface Progress {
  readonly done: number;
  readonly deadline?: number;
}

export const progress = (context: CallContext): number => (context.call.phase as Progress | undefined)?.done ?? 0;

/** The part of the buffers behind the first `skip` bytes, at most `limit` bytes of it. */
export function window(segments: readonly Segment[], skip: number, limit: number): Segment[] {
  const result: Segment[] = [];
  let left = limit;
  for (const { base, length } of segments) {
    if (skip >= length) {
      skip -= length;
      continue;
    }
    const count = Math.min(length - skip, left);
    if (count > 0) result.push({ base: base + skip, length: count });
    left -= count;
    skip = 0;
    if (left === 0) break;
  }
  return result;
}

export const total = (segments: readonly Segment[]): number => segments.reduce((sum, { length }) => sum + length, 0);

/** The bytes of the user's buffers in one piece. */
export function gather(core: Core, segments: readonly Segment[]): Uint8Array {
  const bytes = new Uint8Array(total(segments));
  let at = 0;
  for (const { base, length } of segments) {
    bytes.set(core.user.read(base, length), at);
    at += length;
  }
  core.chargeBytes(bytes.length);
  return bytes;
}

/** A transfer that stands still: the result so far, an error, or wait. */
export function stalled(
  context: CallContext,
  done: number,
  { wait, timeout = 0 }: Standstill,
  nonblocking: boolean,
): Outcome {
  const { core, call } = context;
  if (done > 0 && (nonblocking || call.woken === 'signal' || call.woken === 'timeout')) return done;
  if (nonblocking || call.woken === 'timeout') return -Errno.EAGAIN;
  if (call.woken === 'signal') return timeout > 0 ? -Errno.EINTR : -Errno.ERESTARTSYS;
  const begun = (call.phase as Progress | undefined)?.deadline;
  const deadline = begun ?? (timeout > 0 ? core.now + timeout : Infinity);
  return { do: 'block', wait: waitFor([wait], deadline), phase: { done, deadline } satisfies Progress };
}

/** Bytes of one step: a packet is not cut. */
const pieceOf = (file: OpenFile): number => (kindOf(file).whole ? PACKET_MAX : PIECE);

function read(context: CallContext, fd: number, segments: readonly Segment[], position?: number): Outcome {
  const { core, process } = context;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const done = progress(context);
  const wanted = window(segments, done, pieceOf(open.file));
  const length = total(wanted);
  for (const { base, length: count } of wanted) core.user.probe(base, count, 'write');
  const got = readFile(core, open.id, position === undefined ? undefined : position + done, length);
  if (typeof got === 'number') return done > 0 ? done : got;
  if (!(got instanceof Uint8Array)) return stalled(context, done, got, (open.file.flags & O.NONBLOCK) !== 0);
  let at = 0;
  for (const { base, length: count } of wanted) {
    core.user.write(base, got.subarray(at, at + count));
    at += count;
    if (at >= got.length) break;
  }
  core.chargeBytes(got.length);
  const sum = done + got.length;
  return kindOf(open.file).positioned === true && got.length === length && sum < total(segments)
    ? { do: 'more', phase: { done: sum } satisfies Progress }
    : sum;
}

/** A file is too large because of RLIMIT_FSIZE. */
const isLimited = (process: Process): boolean => maxFileSize(process) < Infinity;

function write(context: CallContext, fd: number, segments: readonly Segment[], position?: number): Outcome {
  const { core, process, thread } = context;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const done = progress(context);
  const bytes = gather(core, window(segments, done, pieceOf(open.file)));
  const count = writeFile(core, open.id, position === undefined ? undefined : position + done, bytes, process.pid);
  if (typeof count !== 'number') return stalled(context, done, count, (open.file.flags & O.NONBLOCK) !== 0);
  const signal = count === -Errno.EPIPE ? Signal.PIPE : count === -Errno.EFBIG && isLimited(process) ? Signal.XFSZ : 0;
  if (signal !== 0)
    sendSignal(core, process.pid, thread.tid, { signal, code: 0, pid: process.pid, address: 0, value: 0 });
  if (count < 0) return done > 0 ? done : count;
  const sum = done + count;
  // What no longer fits under the limit of the file's size is for the next write to be told of.
  if (count < bytes.length && isLimited(process) && kindOf(open.file).positioned) return sum;
  return sum < total(segments) && count > 0 ? { do: 'more', phase: { done: sum } satisfies Progress } : sum;
}

export const one = (base: number, length: number): Segment[] => [
  { base, length: length < 0 || length > COUNT_MAX ? COUNT_MAX : length },
];

export function vector(context: CallContext, address: number, count: number): Segment[] | number {
  if (count < 0 || count > IOV_MAX) return -Errno.EINVAL;
  const segments: Segment[] = [];
  context.core.charge(count * SEGMENT);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const base = context.core.user.readI64(address + i * 16);
    const length = context.core.user.readI64(address + i * 16 + 8);
    if (length < 0) return -Errno.EINVAL;
    const taken = Math.min(length, COUNT_MAX - sum);
    sum += taken;
    segments.push({ base, length: taken });
  }
  return segments;
}

type Mover = typeof read;
const vectored =
  (move: Mover, positioned: boolean): Handler =>
  (context, fd, address, count, position) => {
    const segments = vector(context, address!, count! | 0);
    if (typeof segments === 'number') return segments;
    if (!positioned || position === -1) return move(context, fd! | 0, segments);
    return position! < 0 ? -Errno.EINVAL : move(context, fd! | 0, segments, position);
  };
const positioned =
  (move: Mover): Handler =>
  (context, fd, buffer, count, position) =>
    position! < 0 ? -Errno.EINVAL : move(context, fd! | 0, one(buffer!, count!), position);

/** sendfile and copy_file_range between regular files go through the kernel, a piece per step. */
const sendfile: Handler = (context, out, input, offsetAt, count) => {
  const { core, process } = context;
  const from = openFileOf(core, process, input! | 0);
  const to = openFileOf(core, process, out! | 0);
  if (!from || !to) return -Errno.EBADF;
  if (from.file.kind !== 'inode' && from.file.kind !== 'text') return -Errno.EINVAL;
  const done = progress(context);
  const start = offsetAt ? core.user.readI64(offsetAt) : undefined;
  const length = Math.min(PIECE, Math.max(0, count!) - done);
  if (offsetAt) core.user.probe(offsetAt, 8, 'write');
  const before = from.file.offset;
  const got = readFile(core, from.id, start, length);
  if (!(got instanceof Uint8Array)) return done > 0 ? done : typeof got === 'number' ? got : -Errno.EAGAIN;
  const moved = writeFile(core, to.id, undefined, got, process.pid);
  const taken = typeof moved === 'number' ? moved : 0;
  const file = core.state.openFiles.get(from.id)!;
  if (offsetAt) core.user.writeI64(offsetAt, start! + Math.max(0, taken));
  else if ('offset' in file) setOpenFile(core, from.id, { ...file, offset: before + Math.max(0, taken) });
  if (typeof moved !== 'number') return stalled(context, done, moved, (to.file.flags & O.NONBLOCK) !== 0);
  if (taken < 0) return done > 0 ? done : taken;
  const sum = done + taken;
  return taken > 0 && sum < count! ? { do: 'more', phase: { done: sum } satisfies Progress } : sum;
};

export const ioCalls: Readonly<Record<string, Handler>> = {
  read: (context, fd, buffer, count) => read(context, fd! | 0, one(buffer!, count!)),
  write: (context, fd, buffer, count) => write(context, fd! | 0, one(buffer!, count!)),
  pread64: positioned(read),
  pwrite64: positioned(write),
  readv: vectored(read, false),
  writev: vectored(write, false),
  preadv: vectored(read, true),
  pwritev: vectored(write, true),
  preadv2: vectored(read, true),
  pwritev2: vectored(write, true),
  sendfile,
};
