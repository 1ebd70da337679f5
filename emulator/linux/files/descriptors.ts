/** Open files and the descriptors that name them: opening, duplicating, closing, and what the last close does. */
import { Errno, O } from '../errno';
import type { Core } from '../core';
import type { Process } from '../state';
import { wake } from '../scheduler';
import { driverKernel } from '../drivers';
import { dropIfUnused } from './tree';
import type { OpenFile } from './types';

/** RLIMIT_NOFILE. */
export const MAX_DESCRIPTORS = 1024;

/** Omit that keeps the members of a union apart. */
type NewFile = OpenFile extends infer F ? (F extends OpenFile ? Omit<F, 'references'> : never) : never;

export function openFileOf(core: Core, process: Process, fd: number): { id: number; file: OpenFile } | undefined {
  const descriptor = process.descriptors.get(fd);
  if (!descriptor) return undefined;
  return { id: descriptor.file, file: core.state.openFiles.get(descriptor.file)! };
}

export function setOpenFile(core: Core, id: number, file: OpenFile): void {
  core.set({ openFiles: core.state.openFiles.set(id, file) });
}

/** Makes an open file that no descriptor names yet. */
export function newOpenFile(core: Core, file: NewFile): number {
  const id = core.state.nextFile;
  core.set({
    nextFile: id + 1,
    openFiles: core.state.openFiles.set(id, { ...file, references: 0 } as OpenFile),
  });
  return id;
}

/** Lowest free descriptor from `from` on; undefined when the process has too many. */
export function freeDescriptor(process: Process, from = 0): number | undefined {
  for (let fd = from; fd < MAX_DESCRIPTORS; fd++) if (!process.descriptors.has(fd)) return fd;
  return undefined;
}

/** Makes `fd` name the open file; the descriptor has to be free. */
export function attach(core: Core, pid: number, fd: number, id: number, closeOnExec: boolean): void {
  const { descriptors } = core.process(pid);
  core.setProcess(pid, { descriptors: descriptors.set(fd, { file: id, closeOnExec }) });
  const file = core.state.openFiles.get(id)!;
  setOpenFile(core, id, { ...file, references: file.references + 1 });
}

/** A new open file with the lowest free descriptor: the descriptor, or -EMFILE. */
export function openAs(core: Core, pid: number, file: NewFile, closeOnExec: boolean): number {
  const fd = freeDescriptor(core.process(pid));
  if (fd === undefined) return -Errno.EMFILE;
  attach(core, pid, fd, newOpenFile(core, file), closeOnExec);
  return fd;
}

function lastClose(core: Core, id: number, file: OpenFile): void {
  core.set({ openFiles: core.state.openFiles.remove(id) });
  if (file.kind === 'pipe') closePipeEnd(core, file.pipe, file.writes);
  if (file.kind === 'device') {
    const device = core.options.devices.find(({ path }) => path === file.device);
    device?.release(driverKernel(core), file.data);
  }
  if ('inode' in file) dropIfUnused(core, file.inode);
}

function closePipeEnd(core: Core, id: number, writes: boolean): void {
  const pipe = core.state.pipes.get(id)!;
  const left = writes ? { ...pipe, writers: pipe.writers - 1 } : { ...pipe, readers: pipe.readers - 1 };
  const gone = left.readers === 0 && left.writers === 0;
  core.set({ pipes: gone ? core.state.pipes.remove(id) : core.state.pipes.set(id, left) });
  wake(core, `pipe:${id}`);
}

/** Closes a descriptor: 0 or -EBADF. */
export function close(core: Core, pid: number, fd: number): number {
  const process = core.process(pid);
  const descriptor = process.descriptors.get(fd);
  if (!descriptor) return -Errno.EBADF;
  core.setProcess(pid, { descriptors: process.descriptors.remove(fd) });
  const file = core.state.openFiles.get(descriptor.file)!;
  if (file.references > 1) setOpenFile(core, descriptor.file, { ...file, references: file.references - 1 });
  else lastClose(core, descriptor.file, file);
  return 0;
}

export function closeAll(core: Core, pid: number): void {
  for (let fd = 0; fd < MAX_DESCRIPTORS; fd++) if (core.process(pid).descriptors.has(fd)) close(core, pid, fd);
}

/** dup: `fd` under the lowest free number from `from` on, or under exactly `to`. */
export function duplicate(
  core: Core,
  pid: number,
  fd: number,
  to: { from: number } | { exact: number },
  cloexec: boolean,
): number {
  const descriptor = core.process(pid).descriptors.get(fd);
  if (!descriptor) return -Errno.EBADF;
  const wanted = 'exact' in to ? to.exact : freeDescriptor(core.process(pid), to.from);
  if (wanted === undefined) return -Errno.EMFILE;
  if (wanted < 0 || wanted >= MAX_DESCRIPTORS) return -Errno.EBADF;
  close(core, pid, wanted);
  attach(core, pid, wanted, descriptor.file, cloexec);
  return wanted;
}

export const mayRead = (file: OpenFile): boolean => (file.flags & O.ACCMODE) !== O.WRONLY;
export const mayWrite = (file: OpenFile): boolean => (file.flags & O.ACCMODE) !== 0;
