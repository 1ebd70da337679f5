/** Records of open files in the state: what every kind of file needs, and knows no kind itself. */
import { O } from '../errno';
import type { Core } from '../core';
import type { OpenFile } from './types';

/** Omit that keeps the members of a union apart. */
export type NewFile = OpenFile extends infer F ? (F extends OpenFile ? Omit<F, 'references'> : never) : never;

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

/** A descriptor of O_PATH only names a file. */
export const mayRead = ({ flags }: OpenFile): boolean => (flags & O.ACCMODE) !== O.WRONLY && !(flags & O.PATH);
export const mayWrite = ({ flags }: OpenFile): boolean => (flags & O.ACCMODE) !== 0 && !(flags & O.PATH);
