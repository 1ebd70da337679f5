/**
 * The in-memory root file system: building it, resolving paths, making and removing entries. Inodes are immutable records in
 * `State.fs`; only this file and the writers of file content replace them.
 */
import { Map } from 'immutable';
import { ISA_STRING } from '../../isa/extensions';
import type { Core } from '../core';
import { Errno } from '../errno';
import type { CharacterDevice } from '../device';
import type { GuestFile } from '../types';
import { allocatedBytes, contentFrom } from './content';
import type { FileSystem, Inode } from './types';

type Directory = Extract<Inode, { type: 'directory' }>;

export const PATH_MAX = 4096;
const NAME_MAX = 255;
const MAX_LINKS = 40;

const split = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** Absolute path without `.`, `..` and doubled slashes. */
export function normalize(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of split(path.startsWith('/') ? path : `${cwd}/${path}`)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

const newDirectory = (parent: number): Inode => ({
  type: 'directory',
  mode: 0o755,
  links: 2,
  changed: 0,
  entries: Map(),
  parent,
});

/** Places a node, making the directories on the way; a later one replaces an earlier one of the same path. */
function place(fs: FileSystem, path: string, inode: (parent: number) => Inode): FileSystem {
  const parts = split(path);
  let { inodes, next } = fs;
  let at = fs.root;
  parts.forEach((name, index) => {
    const directory = inodes.get(at);
    if (directory?.type !== 'directory')
      throw new Error(
        `The guest file ${path} lies inside /${parts.slice(0, index).join('/')}, which is a file, not a folder.`,
      );
    const known = directory.entries.get(name);
    const last = index === parts.length - 1;
    if (known !== undefined && !last) {
      at = known;
      return;
    }
    inodes = inodes.set(next, last ? inode(at) : newDirectory(at));
    inodes = inodes.set(at, { ...directory, entries: directory.entries.set(name, next) });
    at = next++;
  });
  return { ...fs, inodes, next };
}

const EXTRA_TEXT: Readonly<Record<string, string>> = {
  '/sys/devices/system/cpu/online': '0\n',
  '/sys/devices/system/cpu/possible': '0\n',
  '/proc/cpuinfo': `processor\t: 0\nhart\t\t: 0\nisa\t\t: ${ISA_STRING}\nmmu\t\t: sv39\n\n`,
  '/proc/sys/vm/overcommit_memory': '0\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
};

/** The tree at power-on. Throws an Error when a path can't be made. */
export function buildTree(files: readonly GuestFile[], devices: readonly CharacterDevice[]): FileSystem {
  let fs: FileSystem = { inodes: Map([[1, newDirectory(1)]]), next: 2, root: 1, used: 0 };
  const add = (path: string, inode: Inode): void => {
    fs = place(fs, path, () => inode);
  };
  const plain = { links: 1, changed: 0 };
  for (const path of ['/tmp', '/root', '/mnt', '/dev'])
    if (!find(fs, path)) fs = place(fs, path, (parent) => newDirectory(parent));
  for (const [path, text] of Object.entries(EXTRA_TEXT))
    add(path, { ...plain, type: 'file', mode: 0o444, content: contentFrom(new TextEncoder().encode(text)) });
  for (const device of ['null', 'zero', 'full', 'random', 'urandom', 'tty'])
    add(`/dev/${device}`, { ...plain, type: 'device', mode: 0o666, device });
  for (const what of ['exe', 'maps', 'status', 'cmdline'] as const)
    add(`/proc/self/${what}`, { ...plain, type: 'proc', mode: 0o444, what });
  add('/proc/meminfo', { ...plain, type: 'proc', mode: 0o444, what: 'meminfo' });
  for (const { path, mode } of devices) add(path, { ...plain, type: 'device', mode, device: path });
  for (const { path, bytes, mode } of files)
    add(path, { ...plain, type: 'file', mode: mode & 0o7777, content: contentFrom(bytes) });
  return fs;
}

/** Inode of an absolute path without following links; undefined when there is none. */
export function find(fs: FileSystem, path: string): number | undefined {
  let at: number | undefined = fs.root;
  for (const name of split(path)) {
    const inode: Inode | undefined = at === undefined ? undefined : fs.inodes.get(at);
    at = inode?.type === 'directory' ? inode.entries.get(name) : undefined;
  }
  return at;
}

export interface Resolved {
  /** Directory that has, or would have, the entry. */
  readonly parent: number;
  /** Name of the entry; empty for the root or a path that ends in `..`. */
  readonly name: string;
  /** Undefined when there is no such entry. */
  readonly inode: number | undefined;
  /** Absolute path with links followed. */
  readonly path: string;
  /** The path ended in a slash: it has to be a directory. */
  readonly slash: boolean;
}

export interface ResolveOptions {
  /** Absolute path relative paths start at. */
  readonly from: string;
  readonly followLast: boolean;
  /** What /proc/self/exe points at. */
  readonly executable: string;
}

/** Walks a path; a negative errno when it can't be walked up to its last part. */
export function resolve(fs: FileSystem, path: string, options: ResolveOptions): Resolved | number {
  if (path === '') return -Errno.ENOENT;
  if (path.length >= PATH_MAX) return -Errno.ENAMETOOLONG;
  let todo = split(path.startsWith('/') ? path : `${options.from}/${path}`);
  const slash = /\/\.?$/.test(path);
  let trail: { name: string; inode: number }[] = [];
  const top = (): number => trail.at(-1)?.inode ?? fs.root;
  let links = 0;
  while (todo.length > 0) {
    const name = todo.shift()!;
    if (name.length > NAME_MAX) return -Errno.ENAMETOOLONG;
    const directory = fs.inodes.get(top());
    if (directory?.type !== 'directory') return -Errno.ENOTDIR;
    if (name === '..') {
      trail = trail.slice(0, -1);
      continue;
    }
    const inode = directory.entries.get(name);
    const here = `/${[...trail.map((step) => step.name), name].join('/')}`;
    if (inode === undefined)
      return todo.length > 0 ? -Errno.ENOENT : { parent: top(), name, inode: undefined, path: here, slash };
    const target = linkTarget(fs.inodes.get(inode)!, options.executable);
    if (target !== undefined && (todo.length > 0 || options.followLast || slash)) {
      if (++links > MAX_LINKS) return -Errno.ELOOP;
      if (target.startsWith('/')) trail = [];
      todo = [...split(target), ...todo];
      continue;
    }
    trail = [...trail, { name, inode }];
  }
  const last = trail.at(-1);
  const place = `/${trail.map((step) => step.name).join('/')}`;
  if (!last) return { parent: fs.root, name: '', inode: fs.root, path: '/', slash };
  if (slash && fs.inodes.get(last.inode)?.type !== 'directory') return -Errno.ENOTDIR;
  return { parent: trail.at(-2)?.inode ?? fs.root, name: last.name, inode: last.inode, path: place, slash };
}

/** Where a symbolic link points; undefined for anything else. */
export function linkTarget(inode: Inode, executable: string): string | undefined {
  if (inode.type === 'link') return inode.target;
  return inode.type === 'proc' && inode.what === 'exe' ? executable : undefined;
}

export function inodeOf(core: Core, inode: number): Inode {
  const found = core.state.fs.inodes.get(inode);
  if (!found) throw new Error(`no inode ${inode}`);
  return found;
}

export function setInode(core: Core, number: number, inode: Inode): void {
  core.set({ fs: { ...core.state.fs, inodes: core.state.fs.inodes.set(number, inode) } });
}

function setEntry(core: Core, parent: number, name: string, inode: number | undefined): void {
  const directory = inodeOf(core, parent) as Directory;
  const entries = inode === undefined ? directory.entries.remove(name) : directory.entries.set(name, inode);
  setInode(core, parent, { ...directory, entries, changed: core.now });
}

/** Makes a new inode under a name that is free; returns its number. */
export function create(core: Core, parent: number, name: string, inode: Inode): number {
  const number = core.state.fs.next;
  core.set({ fs: { ...core.state.fs, next: number + 1, inodes: core.state.fs.inodes.set(number, inode) } });
  setEntry(core, parent, name, number);
  return number;
}

export function createDirectory(core: Core, parent: number, name: string, mode: number): number {
  return create(core, parent, name, { ...newDirectory(parent), mode, changed: core.now });
}

/** A second name for a file. */
export function link(core: Core, parent: number, name: string, number: number): void {
  const inode = inodeOf(core, number);
  setInode(core, number, { ...inode, links: inode.links + 1 });
  setEntry(core, parent, name, number);
}

/** Takes a name away; the inode goes when no name and no open file is left. */
export function unlink(core: Core, parent: number, name: string): void {
  const number = (inodeOf(core, parent) as Directory).entries.get(name);
  if (number === undefined) return;
  setEntry(core, parent, name, undefined);
  const inode = inodeOf(core, number);
  setInode(core, number, { ...inode, links: inode.type === 'directory' ? 0 : inode.links - 1 });
  dropIfUnused(core, number);
}

/** Moves a name; what the new name named is replaced. */
export function rename(core: Core, from: { parent: number; name: string }, to: { parent: number; name: string }): void {
  const number = (inodeOf(core, from.parent) as Directory).entries.get(from.name)!;
  if ((inodeOf(core, to.parent) as Directory).entries.has(to.name)) unlink(core, to.parent, to.name);
  setEntry(core, from.parent, from.name, undefined);
  setEntry(core, to.parent, to.name, number);
  const inode = inodeOf(core, number);
  if (inode.type === 'directory') setInode(core, number, { ...inode, parent: to.parent });
}

export function dropIfUnused(core: Core, number: number): void {
  const inode = core.state.fs.inodes.get(number);
  if (!inode || inode.links > 0 || (inode.type === 'file' && inode.object !== undefined)) return;
  for (const file of core.state.openFiles.values()) if ('inode' in file && file.inode === number) return;
  const { fs } = core.state;
  const freed = inode.type === 'file' ? allocatedBytes(inode.content) : 0;
  core.set({ fs: { ...fs, used: fs.used - freed, inodes: fs.inodes.remove(number) } });
}
