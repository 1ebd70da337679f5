/**
 * The bytes of regular files: reading, writing and changing the size, in agreement with the mappings of the file (memory/objects.ts), within
 * the room that the file system has. The only writer of an inode's content.
 */
import { Errno } from '../errno';
import type { Core } from '../core';
import { readThrough, writeThrough, zeroTail } from '../memory/objects';
import { RAM_BASE } from '../memory/layout';
import { allocatedBytes, MAX_FILE, punchContent, resizeContent, writeContent, type Content } from './content';
import type { Inode } from './types';

type File = Extract<Inode, { type: 'file' }>;

function fileOf(core: Core, number: number): File | undefined {
  const inode = core.state.fs.inodes.get(number);
  return inode?.type === 'file' ? inode : undefined;
}

/** Bytes that written files may take: half of the machine's RAM, as a tmpfs has. What was there at the start does not count. */
export const roomForFiles = (core: Core): number => (core.layout.ramEnd - RAM_BASE) / 2;

function setContent(core: Core, number: number, inode: File, content: Content): void {
  const { fs } = core.state;
  const used = fs.used + allocatedBytes(content) - allocatedBytes(inode.content);
  const { modified: _, ...rest } = inode;
  core.set({ fs: { ...fs, used, inodes: fs.inodes.set(number, { ...rest, content, changed: core.now }) } });
}

/** At most `length` bytes of a file from `offset` on; none for what is no file. */
export function readData(core: Core, number: number, offset: number, length: number): Uint8Array {
  const inode = fileOf(core, number);
  return inode ? readThrough(core, inode.object, inode.content, offset, length) : new Uint8Array(0);
}

/** Writes bytes; their number, or a negative errno. */
export function writeData(core: Core, number: number, offset: number, bytes: Uint8Array): number {
  const inode = fileOf(core, number);
  if (!inode) return -Errno.EINVAL;
  if (bytes.length === 0) return 0;
  if (offset >= MAX_FILE) return -Errno.EFBIG;
  const part = bytes.subarray(0, MAX_FILE - offset);
  const content = writeContent(inode.content, offset, part);
  const grown = allocatedBytes(content) - allocatedBytes(inode.content);
  if (grown > 0 && core.state.fs.used + grown > roomForFiles(core)) return -Errno.ENOSPC;
  if (offset > inode.content.size) zeroTail(core, inode.object, inode.content.size);
  setContent(core, number, inode, content);
  writeThrough(core, inode.object, offset, part);
  return part.length;
}

/** Cuts or extends a file. Pages of mappings behind the new end are the caller's to take away. */
export function resizeData(core: Core, number: number, size: number): void {
  const inode = fileOf(core, number);
  if (!inode) return;
  zeroTail(core, inode.object, Math.min(size, inode.content.size));
  setContent(core, number, inode, resizeContent(inode.content, size));
}

/** Puts zeros into [offset, end). Mappings show them too: pages that are mapped are written. */
export function punchData(core: Core, number: number, offset: number, end: number): void {
  const inode = fileOf(core, number);
  if (!inode) return;
  setContent(core, number, inode, punchContent(inode.content, offset, end));
  if (inode.object !== undefined) writeThrough(core, inode.object, offset, new Uint8Array(end - offset));
}
