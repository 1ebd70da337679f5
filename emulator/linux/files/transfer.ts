/**
 * Reading from and writing to an open file, a bounded piece at a time. The bytes go to or come from the caller, which owns the user
 * memory; nothing here touches it.
 */
import { List } from 'immutable';
import { Errno, O } from '../errno';
import type { Core } from '../core';
import { wake } from '../scheduler';
import { MAX_FILE, readContent, writeContent } from './content';
import { mayRead, mayWrite, setOpenFile } from './descriptors';
import { inodeOf, setInode } from './tree';
import type { OpenFile, Pipe } from './types';

/** Bytes moved per step. */
export const PIECE = 65536;
export const PIPE_SIZE = 65536;
/** Writes of up to this many bytes to a pipe are not split. */
const PIPE_BUF = 4096;

/** Bytes, a negative errno, or the queue to wait in. */
export type ReadResult = Uint8Array | number | { readonly wait: string };
/** Bytes taken, a negative errno, or the queue to wait in. */
export type WriteResult = number | { readonly wait: string };

/** Takes up to `length` bytes from the front of a list of chunks. */
function takeChunks(chunks: List<Uint8Array>, length: number): { bytes: Uint8Array; rest: List<Uint8Array> } {
  const parts: Uint8Array[] = [];
  let count = 0;
  let rest = chunks;
  for (let first = rest.first(); first && count < length; first = rest.first()) {
    const part = first.subarray(0, length - count);
    parts.push(part);
    count += part.length;
    rest = rest.shift();
    if (part.length < first.length) rest = rest.unshift(first.slice(part.length));
  }
  const bytes = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, rest };
}

function readStdin(core: Core, length: number): ReadResult {
  const { chunks, end } = core.state.stdin;
  if (chunks.size === 0) return end ? new Uint8Array(0) : { wait: 'stdin' };
  const { bytes, rest } = takeChunks(chunks, length);
  core.set({ stdin: { chunks: rest, end } });
  return bytes;
}

const setPipe = (core: Core, id: number, pipe: Pipe): void => core.set({ pipes: core.state.pipes.set(id, pipe) });

function readPipe(core: Core, id: number, length: number): ReadResult {
  const pipe = core.state.pipes.get(id)!;
  if (pipe.length === 0) return pipe.writers > 0 ? { wait: `pipe:${id}` } : new Uint8Array(0);
  const { bytes, rest } = takeChunks(pipe.chunks, length);
  setPipe(core, id, { ...pipe, chunks: rest, length: pipe.length - bytes.length });
  wake(core, `pipe:${id}`);
  return bytes;
}

function writePipe(core: Core, id: number, bytes: Uint8Array): WriteResult {
  const pipe = core.state.pipes.get(id)!;
  if (pipe.readers === 0) return -Errno.EPIPE;
  const room = PIPE_SIZE - pipe.length;
  if (room === 0 || (bytes.length <= PIPE_BUF && bytes.length > room)) return { wait: `pipe:${id}` };
  const part = bytes.slice(0, room);
  setPipe(core, id, { ...pipe, chunks: pipe.chunks.push(part), length: pipe.length + part.length });
  wake(core, `pipe:${id}`);
  return part.length;
}

function readEvent(core: Core, id: number, file: Extract<OpenFile, { kind: 'event' }>, length: number): ReadResult {
  if (length < 8) return -Errno.EINVAL;
  if (file.count === 0n) return { wait: `file:${id}` };
  const value = file.semaphore ? 1n : file.count;
  setOpenFile(core, id, { ...file, count: file.count - value });
  wake(core, `file:${id}`);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return new Uint8Array(view.buffer);
}

function writeEvent(
  core: Core,
  id: number,
  file: Extract<OpenFile, { kind: 'event' }>,
  bytes: Uint8Array,
): WriteResult {
  if (bytes.length < 8) return -Errno.EINVAL;
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (value === 0xffff_ffff_ffff_ffffn) return -Errno.EINVAL;
  if (file.count + value >= 0xffff_ffff_ffff_ffffn) return { wait: `file:${id}` };
  setOpenFile(core, id, { ...file, count: file.count + value });
  wake(core, `file:${id}`);
  return 8;
}

function readInode(core: Core, inode: number, offset: number, length: number): ReadResult {
  const node = inodeOf(core, inode);
  switch (node.type) {
    case 'file':
      return readContent(node.content, offset, length);
    case 'directory':
      return -Errno.EISDIR;
    case 'device':
      if (node.device === 'null') return new Uint8Array(0);
      if (node.device === 'zero' || node.device === 'full') return new Uint8Array(length);
      if (node.device === 'random' || node.device === 'urandom') return core.randomBytes(length);
      return -Errno.EINVAL;
    default:
      return -Errno.EINVAL;
  }
}

function writeInode(core: Core, inode: number, offset: number, bytes: Uint8Array): WriteResult {
  const node = inodeOf(core, inode);
  if (node.type === 'device') return node.device === 'full' ? -Errno.ENOSPC : bytes.length;
  if (node.type !== 'file') return -Errno.EINVAL;
  if (offset + bytes.length > MAX_FILE) return -Errno.EFBIG;
  setInode(core, inode, { ...node, content: writeContent(node.content, offset, bytes), changed: core.now });
  return bytes.length;
}

/** Reads at `position`, or at the file's own offset (which moves) when it is undefined. */
export function readFile(core: Core, id: number, position: number | undefined, length: number): ReadResult {
  const file = core.state.openFiles.get(id)!;
  if (!mayRead(file)) return -Errno.EBADF;
  switch (file.kind) {
    case 'stdin':
      return position === undefined ? readStdin(core, length) : -Errno.ESPIPE;
    case 'pipe':
      return position === undefined ? readPipe(core, file.pipe, length) : -Errno.ESPIPE;
    case 'event':
      return position === undefined ? readEvent(core, id, file, length) : -Errno.ESPIPE;
    case 'inode':
    case 'text': {
      const offset = position ?? file.offset;
      const bytes =
        file.kind === 'text' ? readContent(file.content, offset, length) : readInode(core, file.inode, offset, length);
      if (position === undefined && bytes instanceof Uint8Array)
        setOpenFile(core, id, { ...file, offset: offset + bytes.length });
      return bytes;
    }
    default:
      return -Errno.EINVAL;
  }
}

/** Writes at `position`, or at the file's own offset (which moves) when it is undefined. `pid` is told with output. */
export function writeFile(
  core: Core,
  id: number,
  position: number | undefined,
  bytes: Uint8Array,
  pid: number,
): WriteResult {
  const file = core.state.openFiles.get(id)!;
  if (!mayWrite(file)) return -Errno.EBADF;
  if (position !== undefined && file.kind !== 'inode') return -Errno.ESPIPE;
  switch (file.kind) {
    case 'stdout':
    case 'stderr':
      if (bytes.length > 0) core.emit({ kind: 'output', stream: file.kind, pid, bytes });
      return bytes.length;
    case 'pipe':
      return writePipe(core, file.pipe, bytes);
    case 'event':
      return writeEvent(core, id, file, bytes);
    case 'inode': {
      const node = inodeOf(core, file.inode);
      const end = node.type === 'file' ? node.content.size : 0;
      const offset = (file.flags & O.APPEND) !== 0 && position === undefined ? end : (position ?? file.offset);
      const count = writeInode(core, file.inode, offset, bytes);
      if (position === undefined && typeof count === 'number' && count > 0)
        setOpenFile(core, id, { ...file, offset: offset + count });
      return count;
    }
    default:
      return -Errno.EINVAL;
  }
}
