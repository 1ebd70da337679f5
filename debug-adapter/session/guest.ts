/**
 * What the emulated machine finds in its file system: the host program and the files beside it, at /root/<name>, as after
 * copying them to the board's home folder. `penglai run` and the debugger use this one description, so that both see the same
 * machine.
 */
import type { GuestFile } from '../../emulator/linux/types';
import { launchErrors } from '../errors';
import { ElfFile } from '../symbols/elf/elf';
import { describeUnusable } from '../symbols/elf/unusable';
import { baseName, folderOf, resolvePath, toUri, type Files } from './files';

/** Home and working directory of the host program. */
export const GUEST_HOME = '/root';
/** What a program finds in its environment when the configuration does not say otherwise. */
export const GUEST_ENV: Readonly<Record<string, string>> = {
  HOME: GUEST_HOME,
  PATH: '/bin:/usr/bin',
  PWD: GUEST_HOME,
};
/** Copied files are executable, as after `cp` from a board's SDK folder. */
const MODE = 0o755;

/** Bounds of what is taken along when nobody listed the files. */
const DEFAULT_FILES_MAX = 1000;
const DEFAULT_FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Bound of everything together, listed or not. */
const TOTAL_BYTES_MAX = 512 * 1024 * 1024;

/** A file of the guest and where it came from. */
export interface GatheredFile extends GuestFile {
  /** Path on the developer's machine. */
  readonly origin: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Guest {
  /** Guest path of the host program. */
  readonly program: string;
  /** The program first. */
  readonly files: readonly GatheredFile[];
  /** What was left out and why, as sentences for the user. */
  readonly warnings: readonly string[];
}

export interface GuestRequest {
  readonly program: string;
  /** Undefined: the regular files of the program's folder. */
  readonly sdkFiles?: readonly string[] | undefined;
  /** Where relative paths start. */
  readonly cwd?: string | undefined;
}

/** Reads everything; throws an AdapterError that names the first thing that is wrong. */
export async function gatherGuest(files: Files, request: GuestRequest): Promise<Guest> {
  const path = resolvePath(request.cwd ?? '', request.program);
  const program = await readProgram(files, path);
  const warnings: string[] = [];
  const beside = request.sdkFiles
    ? await readListed(files, request.sdkFiles, request.cwd ?? folderOf(path))
    : await readFolder(files, path, program.bytes.length, warnings);
  const all = [program, ...beside.filter((file) => file.path !== program.path)];
  const clash = beside.find((file) => file.path === program.path && file.origin !== program.origin);
  if (clash) throw launchErrors.sdkFileTwice(baseName(path));
  const total = all.reduce((sum, file) => sum + file.bytes.length, 0);
  if (total > TOTAL_BYTES_MAX)
    throw launchErrors.tooMuch(`There are ${megabytes(total)} of files`, megabytes(TOTAL_BYTES_MAX));
  checkLoader(program, all);
  return { program: program.path, files: all, warnings };
}

async function readProgram(files: Files, path: string): Promise<GatheredFile> {
  const stat = await files.stat(toUri(path));
  if (!stat) throw launchErrors.programMissing(path);
  if (stat.kind !== 'file') throw launchErrors.programIsFolder(path);
  if (stat.size > TOTAL_BYTES_MAX)
    throw launchErrors.tooMuch(`${path} is ${megabytes(stat.size)}`, megabytes(TOTAL_BYTES_MAX));
  const program = await readOne(files, path, stat.modified);
  const unusable = describeUnusable(program.bytes);
  if (unusable !== undefined) throw launchErrors.programUnusable(path, unusable);
  return program;
}

async function readListed(files: Files, listed: readonly string[], from: string): Promise<GatheredFile[]> {
  const gathered: GatheredFile[] = [];
  let total = 0;
  for (const name of listed) {
    const path = resolvePath(from, name);
    const stat = await files.stat(toUri(path));
    if (!stat) throw launchErrors.sdkFileMissing(path);
    if (stat.kind !== 'file') throw launchErrors.sdkFileIsFolder(path);
    total += stat.size;
    if (total > TOTAL_BYTES_MAX)
      throw launchErrors.tooMuch(`"sdkFiles" lists ${megabytes(total)}`, megabytes(TOTAL_BYTES_MAX));
    const same = gathered.find((file) => file.path === guestPath(path));
    if (same && same.origin !== path) throw launchErrors.sdkFileTwice(baseName(path));
    if (!same) gathered.push(await readOne(files, path, stat.modified));
  }
  return gathered;
}

async function readFolder(files: Files, program: string, used: number, warnings: string[]): Promise<GatheredFile[]> {
  const folder = folderOf(program);
  const gathered: GatheredFile[] = [];
  const left: string[] = [];
  let total = used;
  for (const name of await files.list(toUri(folder))) {
    const path = resolvePath(folder, name);
    if (path === program || name.startsWith('.')) continue;
    const stat = await files.stat(toUri(path));
    if (stat?.kind !== 'file') continue;
    const fits = gathered.length < DEFAULT_FILES_MAX && stat.size <= DEFAULT_FILE_BYTES_MAX;
    if (!fits || total + stat.size > TOTAL_BYTES_MAX) {
      left.push(name);
      continue;
    }
    total += stat.size;
    gathered.push(await readOne(files, path, stat.modified));
  }
  if (left.length > 0)
    warnings.push(
      `${left.length} files of ${folder} were not copied to the emulated machine because they are too many or too large ` +
        `(${left.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}). List the files the program needs in "sdkFiles".`,
    );
  return gathered;
}

async function readOne(files: Files, path: string, modified: number): Promise<GatheredFile> {
  try {
    const bytes = await files.read(toUri(path));
    return { path: guestPath(path), bytes, mode: MODE, origin: path, modified };
  } catch (error) {
    throw launchErrors.unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

const guestPath = (path: string) => `${GUEST_HOME}/${baseName(path)}`;

function checkLoader(program: GatheredFile, files: readonly GatheredFile[]): void {
  const elf = ElfFile.parse(program.bytes);
  const loader = elf instanceof ElfFile ? elf.interpreter : undefined;
  if (loader !== undefined && !files.some((file) => file.path === loader))
    throw launchErrors.loaderMissing(program.origin, loader);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}
