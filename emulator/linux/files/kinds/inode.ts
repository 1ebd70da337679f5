/** Files of the tree that have a position: regular files, directories, built-in devices; and texts made when they were opened. */
import type { Core } from '../../core';
import { Errno, O } from '../../errno';
import { maxFileSize } from '../../limits';
import { readContent } from '../content';
import { readData, writeData } from '../data';
import { writeProc } from '../proc/writes';
import { setOpenFile } from '../open-files';
import { inodeOf } from '../tree';
import { ALWAYS, type FileOf, type Kind, type ReadResult, type WriteResult } from './kind';

function readInode(core: Core, inode: number, offset: number, length: number): ReadResult {
  const node = inodeOf(core, inode);
  switch (node.type) {
    case 'file':
      return readData(core, inode, offset, length);
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
  return writeData(core, inode, offset, bytes);
}

const sizeOf = (core: Core, inode: number): number => {
  const node = inodeOf(core, inode);
  return node.type === 'file' ? node.content.size : 0;
};

export const inode: Kind<FileOf<'inode'>> = {
  positioned: true,
  read(core, id, file, length, position) {
    const offset = position ?? file.offset;
    const bytes = readInode(core, file.inode, offset, length);
    if (position === undefined && bytes instanceof Uint8Array)
      setOpenFile(core, id, { ...file, offset: offset + bytes.length });
    return bytes;
  },
  write(core, id, file, bytes, position, pid) {
    const appends = (file.flags & O.APPEND) !== 0 && position === undefined;
    const offset = appends ? sizeOf(core, file.inode) : (position ?? file.offset);
    const room = maxFileSize(core.process(pid)) - offset;
    if (room <= 0 && bytes.length > 0 && inodeOf(core, file.inode).type === 'file') return -Errno.EFBIG;
    const count = writeInode(core, file.inode, offset, room < bytes.length ? bytes.subarray(0, room) : bytes);
    if (position === undefined && typeof count === 'number' && count > 0)
      setOpenFile(core, id, { ...file, offset: offset + count });
    return count;
  },
  size: (core, file) => sizeOf(core, file.inode),
  ready: () => ALWAYS,
  available: (core, file) => Math.max(0, sizeOf(core, file.inode) - file.offset),
};

export const text: Kind<FileOf<'text'>> = {
  positioned: true,
  read(core, id, file, length, position) {
    const offset = position ?? file.offset;
    const bytes = readContent(file.content, offset, length);
    if (position === undefined) setOpenFile(core, id, { ...file, offset: offset + bytes.length });
    return bytes;
  },
  write: (core, _id, file, bytes) => writeProc(core, file.inode, bytes),
  size: (_core, file) => file.content.size,
  ready: () => ALWAYS,
  available: (_core, file) => Math.max(0, file.content.size - file.offset),
};
