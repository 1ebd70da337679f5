/** Open files and the descriptors that name them: opening, duplicating, closing, and what the last close does. */
import { Errno } from '../errno';
import type { Core } from '../core';
import type { Process } from '../state';
import { maxDescriptors } from '../limits';
import { kindOf } from './kinds/table';
import { dropLocks } from './locks';
import { newOpenFile, setOpenFile, type NewFile } from './open-files';
import { dropIfUnused } from './tree';
import { forgetWatched } from './watches';
import type { OpenFile } from './types';

export function openFileOf(core: Core, process: Process, fd: number): { id: number; file: OpenFile } | undefined {
  const descriptor = process.descriptors.get(fd);
  if (!descriptor) return undefined;
  return { id: descriptor.file, file: core.state.openFiles.get(descriptor.file)! };
}

/** Lowest free descriptor from `from` on; undefined when the process has too many. */
export function freeDescriptor(process: Process, from = 0): number | undefined {
  const end = maxDescriptors(process);
  for (let fd = from; fd < end; fd++) if (!process.descriptors.has(fd)) return fd;
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

/** Takes one reference away from an open file; without any it is closed, and what it held loses one in turn. */
export function release(core: Core, id: number): void {
  const held = [id];
  for (let next = held.pop(); next !== undefined; next = held.pop()) {
    const file = core.state.openFiles.get(next)!;
    if (file.references > 1) {
      setOpenFile(core, next, { ...file, references: file.references - 1 });
      held.push(...(kindOf(file).dropped?.(core, next, file) ?? []));
    } else {
      core.set({ openFiles: core.state.openFiles.remove(next) });
      forgetWatched(core, next);
      held.push(...(kindOf(file).closed?.(core, next, file) ?? []));
      if ('inode' in file && file.inode !== undefined) {
        dropLocks(core, file.inode, -next);
        dropIfUnused(core, file.inode);
      }
    }
  }
}

/** Closes a descriptor: 0 or -EBADF. */
export function close(core: Core, pid: number, fd: number): number {
  const process = core.process(pid);
  const descriptor = process.descriptors.get(fd);
  if (!descriptor) return -Errno.EBADF;
  core.setProcess(pid, { descriptors: process.descriptors.remove(fd) });
  const file = core.state.openFiles.get(descriptor.file)!;
  if ('inode' in file && file.inode !== undefined) dropLocks(core, file.inode, pid);
  release(core, descriptor.file);
  return 0;
}

/** A process that was made with the descriptors of another: every open file has one more that names it. */
export function shareAll(core: Core, pid: number): void {
  const openFiles = core.state.openFiles.withMutations((files) => {
    for (const { file } of core.process(pid).descriptors.values()) {
      const open = files.get(file)!;
      files.set(file, { ...open, references: open.references + 1 });
    }
  });
  core.set({ openFiles });
}

export function closeOnExec(core: Core, pid: number): void {
  const marked = [...core.process(pid).descriptors].filter(([, descriptor]) => descriptor.closeOnExec);
  for (const [fd] of marked.sort(([a], [b]) => a - b)) close(core, pid, fd);
}

export function closeAll(core: Core, pid: number): void {
  for (const fd of [...core.process(pid).descriptors.keys()].sort((a, b) => a - b)) close(core, pid, fd);
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
  if (wanted < 0 || wanted >= maxDescriptors(core.process(pid))) return -Errno.EBADF;
  close(core, pid, wanted);
  attach(core, pid, wanted, descriptor.file, cloexec);
  return wanted;
}
