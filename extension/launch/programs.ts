/** Finds the RISC-V programs of the workspace and orders the hosts by how near they are to the file being edited. */
import { open } from 'node:fs/promises';
import * as vscode from 'vscode';
import { elfKind, HEAD_BYTES, type ElfKind } from './elf-kind';
import { rankHosts } from './rank';

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
