/**
 * The file system at power-on, from what the launch gives: files, folders and links at their places, and what a small system has beside
 * them. What the launch gives replaces what is made here.
 */
import { Map } from 'immutable';
import type { CharacterDevice } from '../device';
import type { GuestFile, GuestNode } from '../types';
import { contentFrom } from './content';
import { PROC_ROOT } from './proc/nodes';
import { newDirectory, withEntry } from './tree';
import type { FileSystem, Inode } from './types';
import { splitPath } from './walk';

/** The disk of the machine that is not mounted at the start (`mount /dev/vda /mnt`). It has what the launch puts under /mnt. */
export const DISK = 'vda';
const DISK_AT = '/mnt/';

/** Builds the tree; changed in place until it is done. */
class Builder {
  private readonly inodes = Map<number, Inode>().asMutable();
  private next = 1;

  directory(parent: number, name: string, system?: number): number {
    const number = this.next++;
    const inode = newDirectory(parent === 0 ? number : parent, name);
    this.inodes.set(number, system === undefined ? inode : { ...inode, system: system === 0 ? number : system });
    return number;
  }

  /** Places a node, making the directories on the way; a later one replaces an earlier one of the same path, unless both are directories. */
  place(root: number, path: string, make: (parent: number, name: string) => Inode): void {
    const parts = splitPath(path);
    let at = root;
    parts.forEach((name, index) => {
      const directory = this.inodes.get(at);
      if (directory?.type !== 'directory')
        throw new Error(
          `The guest file ${path} lies inside /${parts.slice(0, index).join('/')}, which is a file, not a folder.`,
        );
      const known = directory.entries.get(name)?.inode;
      const last = index === parts.length - 1;
      if (known !== undefined && !last) {
        at = known;
        return;
      }
      const { system } = directory;
      const made: Inode = last ? make(at, name) : newDirectory(at, name);
      const old = known === undefined ? undefined : this.inodes.get(known);
      if (known !== undefined && old?.type === 'directory' && made.type === 'directory') {
        this.inodes.set(known, { ...old, mode: made.mode });
        return;
      }
      const number = this.next++;
      this.inodes.set(number, system === undefined ? made : { ...made, system });
      const links = (made.type === 'directory' ? 1 : 0) - (old?.type === 'directory' ? 1 : 0);
      this.inodes.set(at, { ...withEntry(directory, name, number), links: directory.links + links });
      if (known !== undefined) this.inodes.remove(known);
      at = number;
    });
  }

  /** Follows links of the tree itself to where a path's folder really is, so that a file under a link lands in its target. */
  real(root: number, path: string, links = 0): string {
    let at = root;
    const parts = splitPath(path);
    for (const [index, name] of parts.slice(0, -1).entries()) {
      const directory = this.inodes.get(at);
      const child = directory?.type === 'directory' ? directory.entries.get(name)?.inode : undefined;
      const inode = child === undefined ? undefined : this.inodes.get(child);
      if (inode?.type === 'link' && links < 40) {
        const folder = inode.target.startsWith('/') ? '' : parts.slice(0, index).join('/');
        const whole: string[] = [];
        for (const part of splitPath(`${folder}/${inode.target}/${parts.slice(index + 1).join('/')}`))
          if (part === '..') whole.pop();
          else whole.push(part);
        return this.real(root, whole.join('/'), links + 1);
      }
      if (child === undefined) break;
      at = child;
    }
    return `/${parts.join('/')}`;
  }

  done(): Pick<FileSystem, 'inodes' | 'next'> {
    return { inodes: this.inodes.asImmutable(), next: this.next };
  }
}

const plain = { links: 1, changed: 0 } as const;
const textFile = (text: string): Inode => ({
  ...plain,
  type: 'file',
  mode: 0o644,
  content: contentFrom(new TextEncoder().encode(text)),
});

const FOLDERS: readonly (readonly [string, number])[] = [
  ['/tmp', 0o1777],
  ['/root', 0o700],
  ['/mnt', 0o755],
  ['/dev', 0o755],
  ['/dev/shm', 0o1777],
  ['/proc', 0o555],
  ['/sys', 0o555],
  ['/etc', 0o755],
  ['/var', 0o755],
  ['/var/tmp', 0o1777],
  ['/run', 0o755],
];
/** One hart; what C libraries and runtimes look up. */
const TEXTS: Readonly<Record<string, string>> = {
  '/sys/devices/system/cpu/online': '0\n',
  '/sys/devices/system/cpu/possible': '0\n',
  '/sys/devices/system/cpu/present': '0\n',
  '/sys/kernel/mm/transparent_hugepage/enabled': 'always madvise [never]\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
  '/etc/hostname': 'penglai\n',
  '/etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n',
};
const LINKS: Readonly<Record<string, string>> = {
  '/dev/fd': '/proc/self/fd',
  '/dev/stdin': '/proc/self/fd/0',
  '/dev/stdout': '/proc/self/fd/1',
  '/dev/stderr': '/proc/self/fd/2',
  '/etc/mtab': '/proc/self/mounts',
};

/** The tree at power-on. Throws an Error when a path can't be made. */
export function buildTree(
  files: readonly GuestFile[],
  devices: readonly CharacterDevice[],
  nodes: readonly GuestNode[] = [],
): FileSystem {
  const builder = new Builder();
  const root = builder.directory(0, '');
  const disk = builder.directory(0, '', 0);
  const folder = (mode: number) => (parent: number, name: string) => ({ ...newDirectory(parent, name), mode });
  for (const [path, mode] of FOLDERS) builder.place(root, path, folder(mode));
  for (const [path, text] of Object.entries(TEXTS)) builder.place(root, path, () => textFile(text));
  for (const [path, target] of Object.entries(LINKS))
    builder.place(root, path, () => ({ ...plain, type: 'link', mode: 0o777, target }));
  for (const device of ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console'])
    builder.place(root, `/dev/${device}`, () => ({ ...plain, type: 'device', mode: 0o666, device }));
  builder.place(root, `/dev/${DISK}`, () => ({ ...plain, type: 'device', mode: 0o660, device: DISK, block: true }));
  for (const node of nodes) {
    const make = (parent: number, name: string): Inode =>
      node.kind === 'link'
        ? { ...plain, type: 'link', mode: 0o777, target: node.target }
        : folder(node.mode & 0o7777)(parent, name);
    builder.place(root, builder.real(root, node.path), make);
    if (node.path.startsWith(DISK_AT)) builder.place(disk, node.path.slice(DISK_AT.length), make);
  }
  for (const { path, mode } of devices)
    builder.place(root, path, () => ({ ...plain, type: 'device', mode, device: path }));
  for (const { path, bytes, mode } of files) {
    const inode: Inode = { ...plain, type: 'file', mode: mode & 0o7777, content: contentFrom(bytes) };
    builder.place(root, builder.real(root, path), () => inode);
    if (path.startsWith(DISK_AT)) builder.place(disk, path.slice(DISK_AT.length), () => inode);
  }
  return { ...builder.done(), root, mounts: firstMounts(builder, root), disks: Map([[DISK, disk]]), used: 0 };
}

function firstMounts(builder: Builder, root: number): FileSystem['mounts'] {
  const { inodes } = builder.done();
  const top = inodes.get(root);
  const proc = top?.type === 'directory' ? top.entries.get('proc')!.inode : 0;
  return [
    { point: 0, root, source: 'rootfs', type: 'tmpfs', readOnly: false },
    { point: proc, root: PROC_ROOT, source: 'proc', type: 'proc', readOnly: true },
  ];
}
