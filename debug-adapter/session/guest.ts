/**
 * What the emulated machine finds in its file system: the host program and what lies beside it, folders included, at /root/<name>,
 * as after copying them to the board's home folder. `penglai run` and the debugger use this one description, so that both see the same
 * machine.
 */
import { CommandError, parseCommands } from '../../emulator/linux/init/commands';
import { initProgram } from '../../emulator/linux/init/program';
import type { GuestFile, GuestNode } from '../../emulator/linux/types';
import type { LaunchDescription } from '../../monitor/system/types';
import { launchErrors } from '../errors';
import { ElfFile } from '../symbols/elf/elf';
import { describeUnusable } from '../symbols/elf/unusable';
import { baseName, folderOf, resolvePath, toUri, type Files } from './files';
import { mountList, readMounts } from './mounts';

/** Home and working directory of the host program. */
const GUEST_HOME = '/root';
/** What a program finds in its environment when the configuration does not say otherwise. */
const GUEST_ENV: Readonly<Record<string, string>> = {
  HOME: GUEST_HOME,
  PATH: '/bin:/usr/bin',
  PWD: GUEST_HOME,
};
/** Copied files are executable, as after `cp` from a board's SDK folder. */
const MODE = 0o755;

/** Bounds of what is taken along when nobody listed the files. */
const DEFAULT_FILES_MAX = 1000;
const DEFAULT_FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Bounds of the search in a folder: levels of folders inside it, and names looked at. */
const FOLDER_DEPTH_MAX = 4;
const ENTRIES_MAX = 10_000;
/** The same as a sentence's end. */
const LIMITS = `${ENTRIES_MAX} names on ${FOLDER_DEPTH_MAX} levels`;
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
  /** The program first, then what lies beside it, then what is mounted. */
  readonly files: readonly GatheredFile[];
  /** Of those, how many lie beside the program: the rest is mounted. */
  readonly own: number;
  /** Folders and links that are mounted. */
  readonly nodes: readonly GuestNode[];
  /** What runs first instead of the program: it executes the commands of the launch. */
  readonly init?: GuestFile;
  /** What was left out and why, as sentences for the user. */
  readonly warnings: readonly string[];
}

export interface GuestRequest {
  readonly program: string;
  /** Files, and folders that are taken with what is in them. Undefined: everything in the program's folder. */
  readonly sdkFiles?: readonly string[] | undefined;
  /** Folder that becomes `/`. */
  readonly root?: string | undefined;
  /** Guest paths -> folders or files of the developer. */
  readonly mounts?: Readonly<Record<string, string>> | undefined;
  /** Lines that are executed instead of the program. */
  readonly commands?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
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
  const list = mountList(request.root, request.mounts);
  const mounted = await readMounts(files, list, request.cwd ?? folderOf(path));
  // With mounts, links may lead to the loader: the machine itself says when it is not there.
  if (list.length === 0) checkLoader(program, all);
  const paths = new Set(all.map((file) => file.path));
  return {
    ...(request.commands ? { init: initFile(request.commands, request.args ?? []) } : {}),
    program: program.path,
    files: [...all, ...mounted.files.filter((file) => !paths.has(file.path))],
    own: all.length,
    nodes: mounted.nodes,
    warnings: [...warnings, ...mounted.warnings],
  };
}

const INIT_PATH = '/sbin/penglai-init';

/** The program that executes the commands; arguments belong into them. */
function initFile(lines: readonly string[], args: readonly string[]): GuestFile {
  if (args.length > 0) throw launchErrors.argsAndCommands();
  try {
    return { path: INIT_PATH, bytes: initProgram(parseCommands(lines)), mode: 0o755 };
  } catch (error) {
    if (error instanceof CommandError) throw launchErrors.badCommand(error.line, error.why, error.remedy);
    throw error;
  }
}

/** What a launch says about the machine beside its files. */
export interface MachineOptions extends Pick<LaunchDescription, 'args'> {
  /** A person reads the output while the program runs. */
  readonly terminal: boolean;
  /** And types into it: standard input is that terminal. */
  readonly interactive?: boolean;
  readonly env?: LaunchDescription['env'] | undefined;
  readonly memoryMiB?: number | undefined;
  readonly seed?: number | undefined;
  readonly schedule?: LaunchDescription['schedule'] | undefined;
  readonly limits?: LaunchDescription['limits'] | undefined;
  readonly systemCalls?: boolean | undefined;
  readonly transitions?: boolean | undefined;
  readonly attestation?: LaunchDescription['attestation'] | undefined;
  readonly hazards?: LaunchDescription['hazards'] | undefined;
}

/** The machine as the debugger and `penglai run` start it. */
export function describeLaunch(options: MachineOptions, guest: Guest): LaunchDescription {
  const { init } = guest;
  return {
    program: init?.path ?? guest.program,
    argv0: init ? 'init' : `./${baseName(guest.program)}`,
    args: init ? [] : options.args,
    env: { ...GUEST_ENV, ...options.env },
    cwd: GUEST_HOME,
    files: [...guest.files, ...(init ? [init] : [])].map(({ path, bytes, mode }) => ({ path, bytes, mode })),
    ...(guest.nodes.length === 0 ? {} : { nodes: guest.nodes }),
    terminal: options.terminal,
    interactive: options.interactive ?? false,
    ...(options.memoryMiB === undefined ? {} : { memoryMiB: options.memoryMiB }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.systemCalls || options.transitions
      ? { trace: { systemCalls: options.systemCalls ?? false, transitions: options.transitions ?? false } }
      : {}),
    ...(options.attestation === undefined ? {} : { attestation: options.attestation }),
    ...(options.hazards === undefined ? {} : { hazards: options.hazards }),
  };
}

async function readProgram(files: Files, path: string): Promise<GatheredFile> {
  const stat = await files.stat(toUri(path));
  if (!stat) throw launchErrors.programMissing(path);
  if (stat.kind !== 'file') throw launchErrors.programIsFolder(path);
  if (stat.size > TOTAL_BYTES_MAX)
    throw launchErrors.tooMuch(`${path} is ${megabytes(stat.size)}`, megabytes(TOTAL_BYTES_MAX));
  const program = await readOne(files, { path, modified: stat.modified }, baseName(path));
  const unusable = describeUnusable(program.bytes);
  if (unusable !== undefined) throw launchErrors.programUnusable(path, unusable);
  return program;
}

async function readListed(files: Files, listed: readonly string[], from: string): Promise<GatheredFile[]> {
  const gathered = new Map<string, GatheredFile>();
  let total = 0;
  const take = async (inner: string, found: Found) => {
    total += found.size;
    if (total > TOTAL_BYTES_MAX)
      throw launchErrors.tooMuch(`"sdkFiles" lists ${megabytes(total)}`, megabytes(TOTAL_BYTES_MAX));
    const same = gathered.get(inner);
    if (same && same.origin !== found.path) throw launchErrors.sdkFileTwice(inner);
    if (!same) gathered.set(inner, await readOne(files, found, inner));
  };
  for (const name of listed) {
    const path = resolvePath(from, name);
    const stat = await files.stat(toUri(path));
    if (stat?.kind === 'file') await take(baseName(path), { path, inner: baseName(path), ...stat });
    else if (stat?.kind === 'folder')
      for await (const found of filesIn(files, path)) {
        if (found === undefined) throw launchErrors.tooMuch(`${path} has too many or too deep folders`, LIMITS);
        await take(`${baseName(path)}/${found.inner}`, found);
      }
    else throw launchErrors.sdkFileMissing(path);
  }
  return [...gathered.values()];
}

async function readFolder(files: Files, program: string, used: number, warnings: string[]): Promise<GatheredFile[]> {
  const folder = folderOf(program);
  const gathered: GatheredFile[] = [];
  const left: string[] = [];
  let total = used;
  for await (const found of filesIn(files, folder)) {
    if (found?.path === program) continue;
    const fits = gathered.length < DEFAULT_FILES_MAX && found && found.size <= DEFAULT_FILE_BYTES_MAX;
    if (!fits || total + found.size > TOTAL_BYTES_MAX) {
      left.push(found?.inner ?? 'what is deeper');
      continue;
    }
    total += found.size;
    gathered.push(await readOne(files, found, found.inner));
  }
  if (left.length > 0)
    warnings.push(
      `${left.length} files of ${folder} were not copied to the emulated machine because they are too many or too large ` +
        `(${left.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}). List the files the program needs in "sdkFiles".`,
    );
  return gathered;
}

interface Found {
  readonly path: string;
  /** Path inside the folder that was searched, with `/`. */
  readonly inner: string;
  readonly size: number;
  readonly modified: number;
}

/**
 * Regular files in a folder, then those in the folders inside it; hidden ones are left out. Yields undefined where it stops
 * before it has seen all.
 */
async function* filesIn(files: Files, root: string): AsyncGenerator<Found | undefined> {
  const folders = [{ inner: '', depth: 0 }];
  let entries = 0;
  for (const { inner: folder, depth } of folders) {
    const names = await files.list(toUri(resolvePath(root, folder)));
    for (const name of names) {
      if (name.startsWith('.')) continue;
      if (++entries > ENTRIES_MAX) return void (yield undefined);
      const inner = folder === '' ? name : `${folder}/${name}`;
      const path = resolvePath(root, inner);
      const stat = await files.stat(toUri(path));
      if (stat?.kind === 'file') yield { path, inner, size: stat.size, modified: stat.modified };
      else if (stat?.kind !== 'folder') continue;
      else if (depth < FOLDER_DEPTH_MAX) folders.push({ inner, depth: depth + 1 });
      else yield undefined;
    }
  }
}

async function readOne(files: Files, { path, modified }: Pick<Found, 'path' | 'modified'>, inner: string) {
  try {
    const bytes = await files.read(toUri(path));
    return { path: `${GUEST_HOME}/${inner}`, bytes, mode: MODE, origin: path, modified };
  } catch (error) {
    throw launchErrors.unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

function checkLoader(program: GatheredFile, files: readonly GatheredFile[]): void {
  const elf = ElfFile.parse(program.bytes);
  const loader = elf instanceof ElfFile ? elf.interpreter : undefined;
  if (loader !== undefined && !files.some((file) => file.path === loader))
    throw launchErrors.loaderMissing(program.origin, loader);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / (1024 * 1024))} MiB`;
}
