/** Finds the RISC-V programs of the workspace and orders the hosts by how near they are to the file being edited. */
import { open } from 'node:fs/promises';
import { basename, dirname, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { elfKind, HEAD_BYTES, type ElfKind } from './elf-kind';

/** A folder with more files than this is searched in part. */
const FILES_MAX = 20_000;
/** Programs built by the SDK's Makefiles carry no extension, or one of these. */
const PROGRAM_GLOB = '**/*';
const NOT_PROGRAMS =
  '{**/node_modules/**,**/.git/**,**/*.{c,h,S,s,o,a,d,ts,js,mjs,json,md,txt,py,sh,yml,yaml,map,lock,png}}';

export interface Programs {
  /** Hosts, nearest first; those at the front that are equally near are `nearest`. */
  readonly hosts: readonly string[];
  readonly nearest: readonly string[];
  readonly enclaves: readonly string[];
}

export async function findPrograms(folder: vscode.WorkspaceFolder | undefined, activeFile?: string): Promise<Programs> {
  const pattern = folder ? new vscode.RelativePattern(folder, PROGRAM_GLOB) : PROGRAM_GLOB;
  const files = await vscode.workspace.findFiles(pattern, NOT_PROGRAMS, FILES_MAX);
  const kinds = await Promise.all(
    files
      .filter((uri) => uri.scheme === 'file')
      .map(async (uri) => ({ path: uri.fsPath, kind: await kindOf(uri.fsPath) })),
  );
  const of = (kind: ElfKind) => kinds.filter((file) => file.kind === kind).map((file) => file.path);
  return { ...rankHosts(of('host'), activeFile), enclaves: of('enclave').sort() };
}

/** Orders hosts by `distance` to the active file, then by path. */
export function rankHosts(hosts: readonly string[], activeFile?: string): { hosts: string[]; nearest: string[] } {
  const ranked = hosts
    .map((path) => ({ path, distance: activeFile ? distance(path, activeFile) : 0 }))
    .sort((a, b) => a.distance - b.distance || (a.path < b.path ? -1 : 1));
  const nearest = ranked.filter((host) => host.distance === ranked[0]?.distance).map((host) => host.path);
  return { hosts: ranked.map((host) => host.path), nearest };
}

/**
 * How far a built program is from a source file: 0 in the same folder, 1 in a folder below it, 2 in a folder of the same name
 * (`build/shadow-fork/host` for `shadow-fork/host.c`), 3 elsewhere.
 */
function distance(program: string, source: string): number {
  const [programFolder, sourceFolder] = [dirname(program), dirname(source)];
  if (programFolder === sourceFolder) return 0;
  if (!relative(sourceFolder, programFolder).startsWith('..' + sep) && relative(sourceFolder, programFolder) !== '..')
    return 1;
  return basename(programFolder) === basename(sourceFolder) ? 2 : 3;
}

async function kindOf(path: string): Promise<ElfKind | undefined> {
  const head = new Uint8Array(HEAD_BYTES);
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
      return elfKind(head.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // gone, or not ours to read: not a candidate
  }
}
