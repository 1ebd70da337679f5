/**
 * Changing the tree of the file system: making, linking, moving and removing entries, with the counts and times that go with it. Inodes are
 * immutable records in `State.fs`; only this file, data.ts and memory/objects.ts replace them.
 */
import { List, Map } from 'immutable';
import type { Core } from '../core';
import { allocatedBytes } from './content';
import type { Directory, FileSystem, Inode } from './types';
import { inodeOf } from './walk';

export { find, inodeOf, linkTarget, normalize, PATH_MAX, resolve, type Resolved } from './walk';

export const newDirectory = (parent: number, name: string): Directory => ({
  type: 'directory',
  mode: 0o755,
  links: 2,
  changed: 0,
  entries: Map(),
  order: List(),
  parent,
  name,
});

/** A directory with one more entry, under a name that is free; or with another inode under a name it has. */
export function withEntry(directory: Directory, name: string, inode: number): Directory {
  const cookie = directory.entries.get(name)?.cookie ?? directory.order.size;
  const order = cookie === directory.order.size ? directory.order.push(name) : directory.order;
  return { ...directory, order, entries: directory.entries.set(name, { inode, cookie }) };
}

function withoutEntry(directory: Directory, name: string): Directory {
  const entry = directory.entries.get(name);
  if (!entry) return directory;
  let order = directory.order.set(entry.cookie, undefined);
  while (order.size > 0 && order.last() === undefined) order = order.pop();
  return { ...directory, entries: directory.entries.remove(name), order };
}

const setInodes = (core: Core, inodes: FileSystem['inodes']): void => core.set({ fs: { ...core.state.fs, inodes } });

export function setInode(core: Core, number: number, inode: Inode): void {
  setInodes(core, core.state.fs.inodes.set(number, inode));
}

/** Names beyond twice the entries are those of removed ones: they go when nobody is reading the directory. */
const SPARSE = 4096;
function compacted(core: Core, number: number, directory: Directory): Directory {
  if (directory.order.size < 2 * directory.entries.size + SPARSE) return directory;
  for (const file of core.state.openFiles.values()) if ('inode' in file && file.inode === number) return directory;
  const names = directory.order.filter((name): name is string => name !== undefined);
  const entries = directory.entries.withMutations((map) => {
    names.forEach((name, cookie) => void map.set(name, { inode: map.get(name)!.inode, cookie }));
  });
  return { ...directory, entries, order: names };
}

/** Changes the entries of a directory and its times; `links`: subdirectories more or less. */
function setEntry(core: Core, parent: number, name: string, inode: number | undefined, links = 0): void {
  const { modified: _, ...directory } = inodeOf(core, parent) as Directory;
  const changed =
    inode === undefined ? compacted(core, parent, withoutEntry(directory, name)) : withEntry(directory, name, inode);
  setInode(core, parent, { ...changed, links: directory.links + links, changed: core.now });
}

/** A new inode without a name; its number. */
export function createNameless(core: Core, inode: Inode): number {
  const number = core.state.fs.next;
  core.set({ fs: { ...core.state.fs, next: number + 1, inodes: core.state.fs.inodes.set(number, inode) } });
  return number;
}

const systemOf = (core: Core, directory: number): { system?: number } => {
  const { system } = inodeOf(core, directory);
  return system === undefined ? {} : { system };
};

/** Makes a new inode under a name that is free; returns its number. */
export function create(core: Core, parent: number, name: string, inode: Inode): number {
  const number = createNameless(core, { ...inode, ...systemOf(core, parent) });
  setEntry(core, parent, name, number, inode.type === 'directory' ? 1 : 0);
  return number;
}

export function createDirectory(core: Core, parent: number, name: string, mode: number): number {
  return create(core, parent, name, { ...newDirectory(parent, name), mode, changed: core.now });
}

/** A second name for a file (or the first one of a nameless one). */
export function link(core: Core, parent: number, name: string, number: number): void {
  const inode = inodeOf(core, number);
  setInode(core, number, { ...inode, links: inode.links + 1, changed: core.now });
  setEntry(core, parent, name, number);
}

/** Takes a name away; the inode goes when no name and no user is left. */
export function unlink(core: Core, parent: number, name: string): void {
  const number = (inodeOf(core, parent) as Directory).entries.get(name)?.inode;
  if (number === undefined) return;
  const inode = inodeOf(core, number);
  const isDirectory = inode.type === 'directory';
  setEntry(core, parent, name, undefined, isDirectory ? -1 : 0);
  setInode(core, number, { ...inode, links: isDirectory ? 0 : inode.links - 1, changed: core.now });
  dropIfUnused(core, number);
}

interface Place {
  readonly parent: number;
  readonly name: string;
}

function moved(core: Core, number: number, to: Place): void {
  const inode = inodeOf(core, number);
  const place = inode.type === 'directory' ? { parent: to.parent, name: to.name } : {};
  setInode(core, number, { ...inode, ...place, changed: core.now });
}

/** Moves a name; what the new name named is replaced. */
export function rename(core: Core, from: Place, to: Place): void {
  const number = (inodeOf(core, from.parent) as Directory).entries.get(from.name)!.inode;
  const links = inodeOf(core, number).type === 'directory' ? 1 : 0;
  if ((inodeOf(core, to.parent) as Directory).entries.has(to.name)) unlink(core, to.parent, to.name);
  setEntry(core, from.parent, from.name, undefined, -links);
  setEntry(core, to.parent, to.name, number, links);
  moved(core, number, to);
}

/** Two names change what they name. */
export function exchange(core: Core, a: Place, b: Place): void {
  const [first, second] = [a, b].map(
    ({ parent, name }) => (inodeOf(core, parent) as Directory).entries.get(name)!.inode,
  ) as [number, number];
  const links = (number: number): number => (inodeOf(core, number).type === 'directory' ? 1 : 0);
  const by = links(second) - links(first);
  setEntry(core, a.parent, a.name, second, by);
  setEntry(core, b.parent, b.name, first, -by);
  moved(core, second, a);
  moved(core, first, b);
}

/** Is it some process's current or root directory, or mounted, or mounted on? */
function isPlace(core: Core, number: number): boolean {
  for (const { cwd, root } of core.state.processes.values()) if (cwd === number || root === number) return true;
  return core.state.fs.mounts.some(({ point, root }) => point === number || root === number);
}

/** An inode goes when it has no name, is not open, not mapped and nobody's place. */
export function dropIfUnused(core: Core, number: number): void {
  const inode = core.state.fs.inodes.get(number);
  if (!inode || inode.links > 0 || (inode.type === 'file' && inode.object !== undefined)) return;
  for (const file of core.state.openFiles.values()) if ('inode' in file && file.inode === number) return;
  if (inode.type === 'directory' && isPlace(core, number)) return;
  const { fs } = core.state;
  const freed = inode.type === 'file' ? allocatedBytes(inode.content) : 0;
  core.set({ fs: { ...fs, used: fs.used - freed, inodes: fs.inodes.remove(number) } });
}
