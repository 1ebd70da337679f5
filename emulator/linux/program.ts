/**
 * A program as it is found in the file system: the ELF image, the loader it asks for, and for a script the interpreter of its first line
 * (execve(2)). Reads headers only; identities are computed by whoever has the time (image-hash.ts).
 */
import { PAGE_SIZE } from '../units';
import type { Core } from './core';
import { parseElf, type ElfImage } from './elf';
import { Errno } from './errno';
import { interpreterDamaged, interpreterMissing, LaunchError } from './errors';
import { readData } from './files/data';
import { inodeOf, resolve, type ResolveOptions } from './files/walk';
import { holdObject, objectOfFile } from './memory/objects';
import { Prot, type Area } from './state';

/** A file that was found fit to be loaded. */
export interface Loadable {
  readonly path: string;
  readonly elf: ElfImage;
  readonly inode: number;
}

/** What is to be executed, and with what. */
export interface Program {
  readonly main: Loadable;
  readonly interpreter: Loadable | undefined;
  /** As it was asked for: AT_EXECFN, and the name of the process. */
  readonly file: string;
  readonly argv: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
}

/** Bytes of a script that are looked at, and scripts that may be interpreted by scripts; as in Linux. */
const SCRIPT_HEAD = 256;
const SCRIPT_DEPTH = 5;

/** Whose view of the file system a path is looked up in. */
export type View = Omit<ResolveOptions, 'followLast'>;

/** The view of whoever has no process. */
export const wholeView = (core: Core): View => ({ from: core.state.fs.root });

/** The regular file a path leads to, or a negative errno. */
export function executableAt(core: Core, path: string, view: View): { path: string; inode: number } | number {
  const at = resolve(core.state, path, { ...view, followLast: true });
  if (typeof at === 'number') return at;
  if (at.inode === undefined) return -Errno.ENOENT;
  const inode = inodeOf(core, at.inode);
  if (inode.type !== 'file' || (inode.mode & 0o111) === 0) return -Errno.EACCES;
  return { path: at.path, inode: at.inode };
}

/** Bytes of a regular file. */
export function sizeOf(core: Core, number: number): number {
  const inode = inodeOf(core, number);
  return inode.type === 'file' ? inode.content.size : 0;
}

const elfOf = (core: Core, path: string, inode: number): ElfImage =>
  parseElf(path, { size: sizeOf(core, inode), read: (offset, length) => readData(core, inode, offset, length) });

/** Interpreter and argument of a script's first line; undefined when the file is no script. */
function scriptLine(core: Core, inode: number): { interpreter: string; argument: string | undefined } | undefined {
  const head = readData(core, inode, 0, SCRIPT_HEAD);
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(0x0a);
  // One character per byte: names need not be text.
  const line = String.fromCharCode(...head.subarray(2, end < 0 ? head.length : end)).replace(/^[ \t]+|[ \t\0]+$/g, '');
  const [, interpreter = '', argument = ''] = /^([^ \t\0]*)[ \t]*([^\0]*)/.exec(line) ?? [];
  return { interpreter, argument: argument === '' ? undefined : argument };
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Finds what a file asks for to be executed. A negative errno when it can't be; throws a LaunchError, with a cause and a remedy, when there is
 * more to say about that.
 */
export function findProgram(
  core: Core,
  file: string,
  view: View,
  argv: readonly Uint8Array[],
  env: readonly Uint8Array[],
): Program | number {
  let found = executableAt(core, file, view);
  let args = argv;
  let name = file;
  for (let depth = 0; typeof found !== 'number'; depth++) {
    const line = scriptLine(core, found.inode);
    if (!line) break;
    if (depth === SCRIPT_DEPTH) return -Errno.ELOOP;
    if (line.interpreter === '') return -Errno.ENOEXEC;
    args = [
      latin1(line.interpreter),
      ...(line.argument === undefined ? [] : [latin1(line.argument)]),
      utf8(name),
      ...args.slice(1),
    ];
    name = line.interpreter;
    found = executableAt(core, name, view);
  }
  if (typeof found === 'number') return found;
  const elf = elfOf(core, found.path, found.inode);
  return { main: { ...found, elf }, interpreter: loaderOf(core, found.path, elf, view), file, argv: args, env };
}

/** The dynamic loader that an image names. */
function loaderOf(core: Core, path: string, elf: ElfImage, view: View): Loadable | undefined {
  if (elf.interpreter === undefined) return undefined;
  const found = executableAt(core, elf.interpreter, view);
  if (typeof found === 'number') throw interpreterMissing(path, elf.interpreter);
  try {
    return { ...found, elf: elfOf(core, found.path, found.inode) };
  } catch (error) {
    throw error instanceof LaunchError ? interpreterDamaged(path, error.message) : error;
  }
}

export const imagesOf = ({ main, interpreter }: Program): readonly Loadable[] =>
  interpreter ? [main, interpreter] : [main];

/** The files of a program stay, whoever removes their names, from `by` 1 to `by` -1. */
export function holdProgram(core: Core, program: Program, by: 1 | -1): void {
  for (const { inode } of imagesOf(program)) holdObject(core, objectOfFile(core, inode, false), by);
}

/** The areas of an image loaded with `base` added to its addresses. */
export function imageAreas(core: Core, image: Loadable, base: number): Area[] {
  const object = objectOfFile(core, image.inode, false);
  return image.elf.segments.flatMap((segment) => {
    const skew = segment.address % PAGE_SIZE;
    const start = base + segment.address - skew;
    const fileEnd =
      segment.fileSize === 0 ? start : start + Math.ceil((skew + segment.fileSize) / PAGE_SIZE) * PAGE_SIZE;
    const end = start + Math.ceil((skew + segment.memorySize) / PAGE_SIZE) * PAGE_SIZE;
    const common = { prot: segment.prot, shared: false, writeBack: 0 };
    const areas: Area[] = [];
    if (start < fileEnd) {
      const offset = segment.offset - skew;
      // Behind the bytes of a segment that can be written come zeros; else whatever the file has, so that the page can be shared.
      const length =
        segment.prot & Prot.WRITE || segment.memorySize > segment.fileSize ? { length: skew + segment.fileSize } : {};
      const backing = { kind: 'file', inode: image.inode, offset, ...length } as const;
      areas.push({ ...common, start, end: fileEnd, name: image.path, backing, object: { id: object, start: offset } });
    }
    if (fileEnd < end) areas.push({ ...common, start: fileEnd, end, name: '', backing: { kind: 'anonymous' } });
    return areas;
  });
}
