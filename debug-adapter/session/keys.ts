/**
 * The simulated keys of a developer's folder, and what a launch says about attestation. The debugger, `penglai run` and `penglai
 * verify` find the same keys for the same program: in `.penglai/keys.json` of the nearest folder above it that has one. Owns where that
 * is and when it is made; what is in it is the monitor's business (monitor/attestation/keys.ts).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { prepareStandardHash } from '../../monitor/attestation/hashes';
import {
  KEY_FILE,
  KEY_FOLDER,
  formatKeyFile,
  keysFrom,
  parseKeyFile,
  type SimulatedKeys,
} from '../../monitor/attestation/keys';
import type { AttestationSettings } from '../../monitor/attestation/machine';
import type { AttestationMode } from '../../monitor/attestation/sm2';
import { launchErrors } from '../errors';
import { folderOf, resolvePath, toUri, type Files } from './files';

/** A folder with one of these is where a project begins: keys that do not exist yet are made there. */
const PROJECT_MARKS = ['.git', '.vscode/launch.json'];
/** Folders looked at on the way up. */
const LEVELS_MAX = 64;
/** A key file is a few hundred bytes. */
const KEY_FILE_MAX = 100_000;

declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

export interface AttestationChoice {
  readonly attestation?: AttestationMode | undefined;
  /** `none`: the machine gets no keys, as a stock QEMU. */
  readonly keys?: 'generated' | 'none' | undefined;
  /** Root of what get_key gives. */
  readonly rootKey?: 'published' | 'generated' | undefined;
}

/** What the machine needs to know. `program` is an absolute path or a URI. */
export async function attestationSettings(
  files: Files,
  program: string,
  { attestation = 'penglai', keys, rootKey }: AttestationChoice,
): Promise<AttestationSettings> {
  if (attestation === 'standard') await prepareStandardHash();
  if (keys === 'none' && rootKey !== 'generated') return { mode: attestation };
  const generated = await folderKeys(files, program);
  return {
    mode: attestation,
    keys: keys === 'none' ? undefined : generated,
    rootKey: rootKey === 'generated' ? generated.root : undefined,
  };
}

const keyPath = (folder: string): string => resolvePath(folder, `${KEY_FOLDER}/${KEY_FILE}`);

/** The folders above a file, nearest first. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = folderOf(path); folders.length < LEVELS_MAX && folders.at(-1) !== at; at = folderOf(at))
    folders.push(at);
  return folders;
}

/** The keys there are for a file of the developer's; undefined when none have been made. Throws when their file is none. */
export async function existingKeys(files: Files, path: string): Promise<SimulatedKeys | undefined> {
  for (const folder of foldersAbove(path)) {
    const keys = await readKeys(files, keyPath(folder));
    if (keys) return keys;
  }
  return undefined;
}

async function readKeys(files: Files, path: string): Promise<SimulatedKeys | undefined> {
  const stat = await files.stat(toUri(path));
  if (stat?.kind !== 'file') return undefined;
  if (stat.size > KEY_FILE_MAX) throw launchErrors.keysUnusable(path, 'it is too large');
  let text: string;
  try {
    text = new TextDecoder().decode(await files.read(toUri(path)));
  } catch (error) {
    throw launchErrors.unreadable(path, error instanceof Error ? error.message : String(error));
  }
  const keys = parseKeyFile(text);
  if (typeof keys === 'string') throw launchErrors.keysUnusable(path, keys);
  return keys;
}

/** The keys for a program; made now if there are none. */
async function folderKeys(files: Files, program: string): Promise<SimulatedKeys> {
  const existing = await existingKeys(files, program);
  if (existing) return existing;
  const folder = await projectOf(files, program);
  const path = keyPath(folder);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const made = keysFrom(crypto.getRandomValues(new Uint8Array(32)));
  if (await files.create?.(toUri(path), encode(formatKeyFile(made)))) {
    await files.create?.(toUri(resolvePath(folder, `${KEY_FOLDER}/.gitignore`)), encode('*\n'));
    return made;
  }
  // Somebody else was faster, or nothing can be written there: then the folder's name gives keys that stay the same.
  return (await readKeys(files, path)) ?? keysFrom(sha256(encode(`simulated keys of ${folder}`)));
}

async function projectOf(files: Files, program: string): Promise<string> {
  for (const folder of foldersAbove(program))
    for (const mark of PROJECT_MARKS) if (await files.stat(toUri(resolvePath(folder, mark)))) return folder;
  return folderOf(program);
}
