/**
 * Finding things by path: inodes by number, walking a path through links and mounts (path_resolution(7)), and the way back from a directory
 * to its path. Reads the state only.
 */
import type { Core } from '../core';
import { Errno } from '../errno';
import type { State } from '../state';
import { isProc, procChild, procInode, procParent, procTarget } from './proc/nodes';
import type { FileSystem, Inode, Mount } from './types';

export const PATH_MAX = 4096;
const NAME_MAX = 255;
const MAX_LINKS = 40;

export const splitPath = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** Absolute path without `.`, `..` and doubled slashes. */
export function normalize(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of splitPath(path.startsWith('/') ? path : `${cwd}/${path}`)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The inode of a number, those of /proc included; undefined when it is gone. */
export const inodeIn = (state: State, number: number): Inode | undefined =>
  isProc(number) ? procInode(state, number) : state.fs.inodes.get(number);

export function inodeOf(core: Core, number: number): Inode {
  const found = inodeIn(core.state, number);
  if (!found) throw new Error(`no inode ${number}`);
  return found;
}

/** What is mounted on a directory, the last one first. */
const mountOn = (fs: FileSystem, point: number): Mount | undefined =>
  fs.mounts.findLast((mount) => mount.point === point);
/** The mount whose root a directory is. */
export const mountOf = (fs: FileSystem, root: number): Mount | undefined =>
  fs.mounts.findLast((mount) => mount.root === root);

/** The directory that shows at a place: what is mounted there, if anything is. */
export function mounted(fs: FileSystem, number: number): number {
  let at = number;
  for (let mount = mountOn(fs, at); mount && mount.root !== at; mount = mountOn(fs, at)) at = mount.root;
  return at;
}

/** The entry of a directory; undefined when there is none. */
export function childOf(state: State, directory: number, name: string): number | undefined {
  if (isProc(directory)) return procChild(state, directory, name);
  const inode = state.fs.inodes.get(directory);
  return inode?.type === 'directory' ? inode.entries.get(name)?.inode : undefined;
}

/** The directory above one, through mounts. */
function parentOf(state: State, directory: number): number {
  let at = directory;
  for (let mount = mountOf(state.fs, at); mount && mount.point !== 0; mount = mountOf(state.fs, at)) at = mount.point;
  if (isProc(at)) return procParent(at);
  const inode = state.fs.inodes.get(at);
  return inode?.type === 'directory' ? mounted(state.fs, inode.parent) : at;
}

/** Name of a directory in the one above, through mounts; undefined when it was removed. */
function nameOf(state: State, directory: number): string | undefined {
  let at = directory;
  for (let mount = mountOf(state.fs, at); mount && mount.point !== 0; mount = mountOf(state.fs, at)) at = mount.point;
  const inode = inodeIn(state, at);
  if (isProc(at)) return procTarget.nameOf(at);
  return inode?.type === 'directory' && inode.links > 0 ? inode.name : undefined;
}

/** Absolute path of a directory as seen from a root; undefined when it was removed, or lies outside. */
export function directoryPath(state: State, directory: number, root = state.fs.root): string | undefined {
  const parts: string[] = [];
  for (let at = directory; at !== root;) {
    const name = nameOf(state, at);
    const parent = parentOf(state, at);
    if (name === undefined || parent === at) return undefined;
    parts.unshift(name);
    at = parent;
  }
  return `/${parts.join('/')}`;
}

export interface Resolved {
  /** Directory that has, or would have, the entry. */
  readonly parent: number;
  /** Name of the entry; empty for a root or a path that ends in `..`, or when a link of /proc led there. */
  readonly name: string;
  /** Undefined when there is no such entry. */
  readonly inode: number | undefined;
  /** Absolute path with links followed. */
  readonly path: string;
  /** The path ended in a slash: it has to be a directory. */
  readonly slash: boolean;
}

export interface ResolveOptions {
  /** Directory relative paths start at. */
  readonly from: number;
  readonly followLast: boolean;
  /** What `/` is; the root of everything when absent. */
  readonly root?: number;
  /** Process and thread that ask: what /proc/self and /proc/thread-self are. */
  readonly pid?: number;
  readonly tid?: number;
}

const utf8 = new TextEncoder();
const tooLong = (name: string): boolean =>
  name.length > NAME_MAX || (name.length * 3 > NAME_MAX && utf8.encode(name).length > NAME_MAX);

/** The path of an entry, for people and /proc. */
function entryPath(state: State, parent: number, name: string): string {
  const folder = directoryPath(state, parent) ?? '(gone)';
  return name === '' ? folder : folder === '/' ? `/${name}` : `${folder}/${name}`;
}

/** Walks a path; a negative errno when it can't be walked up to its last part. */
export function resolve(state: State, path: string, options: ResolveOptions): Resolved | number {
  if (path === '') return -Errno.ENOENT;
  if (path.length >= PATH_MAX) return -Errno.ENAMETOOLONG;
  const { fs } = state;
  const root = mounted(fs, options.root ?? fs.root);
  let todo = splitPath(path);
  const slash = /\/\.?$/.test(path);
  let at = path.startsWith('/') ? root : options.from;
  // The last step: the directory it started from, and the name; none after `..` and at the beginning.
  let parent = at;
  let name = '';
  let links = 0;
  const isDirectory = (number: number): boolean => {
    const inode = inodeIn(state, number);
    return inode?.type === 'directory' || (inode?.type === 'proc' && inode.what === 'directory');
  };
  if (!isDirectory(at)) return inodeIn(state, at) ? -Errno.ENOTDIR : -Errno.ENOENT;
  while (todo.length > 0) {
    const part = todo.shift()!;
    if (!isDirectory(at)) return -Errno.ENOTDIR;
    if (part === '..') {
      at = at === root ? root : parentOf(state, at);
      [parent, name] = [at, ''];
      continue;
    }
    if (tooLong(part)) return -Errno.ENAMETOOLONG;
    const child = childOf(state, at, part);
    if (child === undefined)
      return todo.length > 0
        ? -Errno.ENOENT
        : { parent: at, name: part, inode: undefined, path: entryPath(state, at, part), slash };
    const inode = inodeIn(state, child);
    const link =
      inode && (todo.length > 0 || options.followLast || slash) ? targetOf(state, child, inode, options) : undefined;
    if (link !== undefined && ++links > MAX_LINKS) return -Errno.ELOOP;
    if (typeof link === 'number') {
      // A link of /proc leads to the thing itself, whatever its name is now.
      [parent, name, at] = [at, '', link];
    } else if (link !== undefined) {
      if (link === '') return -Errno.ENOENT;
      if (link.startsWith('/')) at = root;
      [parent, name] = [at, ''];
      todo = [...splitPath(link), ...todo];
    } else {
      [parent, name, at] = [at, part, mounted(fs, child)];
    }
  }
  if (slash && !isDirectory(at)) return -Errno.ENOTDIR;
  const place = isDirectory(at) ? (directoryPath(state, at) ?? '(gone)') : entryPath(state, parent, name);
  return {
    parent,
    name,
    inode: at,
    path: name === '' && !isDirectory(at) ? pathOfProcLink(state, at, place) : place,
    slash,
  };
}

/** A file reached through /proc/…/fd or exe: as it was called when it was opened. */
function pathOfProcLink(state: State, inode: number, otherwise: string): string {
  for (const file of state.openFiles.values()) if ('inode' in file && file.inode === inode) return file.path;
  return otherwise;
}

/** Where a link leads: to a path, or (in /proc) straight to an inode; undefined for what is no link. */
function targetOf(state: State, number: number, inode: Inode, options: ResolveOptions): string | number | undefined {
  if (inode.type === 'link') return inode.target;
  if (inode.type !== 'proc' || inode.what !== 'link') return undefined;
  return procTarget.follow(state, number, options.pid ?? 0, options.tid ?? 0);
}

/** What readlink says of a symbolic link; undefined for anything else. */
export function linkTarget(state: State, number: number, pid: number, tid: number): string | undefined {
  const inode = inodeIn(state, number);
  if (inode?.type === 'link') return inode.target;
  return inode?.type === 'proc' && inode.what === 'link'
    ? procTarget.read(state, number, pid, tid, (directory) => directoryPath(state, directory) ?? '(gone)')
    : undefined;
}

/** Inode of an absolute path without following links; undefined when there is none. */
export function find(state: State, path: string): number | undefined {
  let at: number | undefined = mounted(state.fs, state.fs.root);
  for (const name of splitPath(path)) {
    const child: number | undefined = at === undefined ? undefined : childOf(state, at, name);
    at = child === undefined ? undefined : mounted(state.fs, child);
  }
  return at;
}
