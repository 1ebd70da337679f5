/** The developer's files as commands read them. */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AdapterError } from '../debug-adapter/errors';
import { createFile } from '../debug-adapter/node-files';
import type { Files } from '../debug-adapter/session/files';

/** Its bytes without another copy: a file has a buffer to itself. */
function bytesOf(path: string): Uint8Array {
  const { buffer, byteOffset, length } = readFileSync(path);
  return new Uint8Array(buffer, byteOffset, length);
}

/** Reads a file the user named; the error says which and what to do. */
export function read(file: string, what: string): Uint8Array {
  try {
    return bytesOf(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cause = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `can't be read (${code})`;
    throw new Error(`${what} ${file} ${cause}. Check the path, and that it has been built.`);
  }
}

/** The same files as what the commands share with the debugger reads them. */
export const files: Files = {
  async stat(uri) {
    const found = statSync(fileURLToPath(uri), { throwIfNoEntry: false });
    if (!found) return undefined;
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, size: found.size, modified: found.mtimeMs, mode: found.mode & 0o7777 };
  },
  async read(uri) {
    return bytesOf(fileURLToPath(uri));
  },
  async list(uri) {
    try {
      return readdirSync(fileURLToPath(uri)).sort();
    } catch {
      return [];
    }
  },
  async link(uri) {
    try {
      return readlinkSync(fileURLToPath(uri));
    } catch {
      return undefined;
    }
  },
  create: createFile,
};

/** Launch attributes are options here. */
export const inCommandLineWords = (text: string): string =>
  text
    .replaceAll(' of "sdkFiles"', '')
    .replace(/"(sdkFiles|program|mounts|root)" in launch\.json/g, 'the path')
    .replaceAll('"sdkFiles"', '--sdk-file')
    .replaceAll('"root" or "mounts"', '--root or --mount')
    .replaceAll(' of "commands"', ' of --command')
    .replaceAll('"commands" are', '--command is')
    .replaceAll('There are "args" for the program', 'There are arguments for the host')
    .replace('Set variables with "env" in launch.json.', 'Give a program first.')
    .replaceAll('"mounts"', '--mount')
    .replaceAll('"root"', '--root');

/** What the debugger would say of a launch, in the words of the command line. */
export async function inOwnWords<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AdapterError) throw new Error(inCommandLineWords(error.message));
    throw error;
  }
}
