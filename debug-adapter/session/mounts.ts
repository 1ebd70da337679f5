/**
 * Folders of the developer that show in the emulated machine: `root` becomes its `/`, `mounts` puts folders or files at other places. They
 * are read when the program is launched, with their links and modes, and belong to the machine's initial state: what the program changes
 * stays in the machine's memory.
 */
import type { GuestNode } from '../../emulator/linux/types';
import { launchErrors } from '../errors';
import { resolvePath, toUri, type Files } from './files';
import type { GatheredFile } from './guest';

/** Bounds of all mounts together. */
const ENTRIES_MAX = 200_000;
const BYTES_MAX = 1024 * 1024 * 1024;
const DEPTH_MAX = 64;
/** Without modes on the developer's side, everything is executable. */
const MODE = 0o755;

export interface Mounted {
  readonly files: readonly GatheredFile[];
  readonly nodes: readonly GuestNode[];
  /** What was left out and why, as sentences for the user. */
  readonly warnings: readonly string[];
}

/** Guest place -> place on the developer's machine, the root first. */
export function mountList(
  root: string | undefined,
  mounts: Readonly<Record<string, string>> | undefined,
): readonly (readonly [string, string])[] {
  const listed = Object.entries(mounts ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return [...(root === undefined ? [] : [['/', root] as const]), ...listed];
}

const joined = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);

/** Reads everything; throws an AdapterError that names the first thing that is wrong. */
export async function readMounts(
  files: Files,
  list: readonly (readonly [string, string])[],
  from: string,
): Promise<Mounted> {
  const reader = new Reader(files);
  for (const [guest, host] of list) {
    if (!guest.startsWith('/')) throw launchErrors.mountNotAbsolute(guest);
    const path = resolvePath(from, host);
    const stat = await files.stat(toUri(path));
    if (stat?.kind !== 'file' && stat?.kind !== 'folder') throw launchErrors.mountMissing(guest, path);
    const place = guest.length > 1 ? guest.replace(/\/+$/, '') : guest;
    if (stat.kind === 'folder') await reader.folder(path, place, 0);
    else await reader.file(path, place, stat);
  }
  const { found, nodes, left } = reader;
  const warnings =
    left.length === 0
      ? []
      : [
          `${left.length} entries of the mounts are no files, folders or links and were left out (${left.slice(0, 3).join(', ')}).`,
        ];
  return { files: [...found.values()], nodes, warnings };
}

class Reader {
  readonly found = new Map<string, GatheredFile>();
  readonly nodes: GuestNode[] = [];
  readonly left: string[] = [];
  private bytes = 0;
  private entries = 0;

  constructor(private readonly files: Files) {}

  async folder(path: string, guest: string, depth: number): Promise<void> {
    if (depth > DEPTH_MAX) throw launchErrors.mountTooMuch(`${path} has folders on more than ${DEPTH_MAX} levels`);
    for (const name of await this.files.list(toUri(path))) {
      const inner = joined(path === '/' ? '/' : path, name);
      const place = joined(guest, name);
      if (++this.entries > ENTRIES_MAX) throw launchErrors.mountTooMuch(`There are more than ${ENTRIES_MAX} entries`);
      const target = await this.files.link?.(toUri(inner));
      if (target !== undefined) {
        this.nodes.push({ kind: 'link', path: place, target });
        continue;
      }
      const stat = await this.files.stat(toUri(inner));
      if (stat?.kind === 'folder') {
        this.nodes.push({ kind: 'folder', path: place, mode: stat.mode ?? MODE });
        await this.folder(inner, place, depth + 1);
      } else if (stat?.kind === 'file') await this.file(inner, place, stat);
      else this.left.push(inner);
    }
  }

  async file(path: string, guest: string, stat: { size: number; modified: number; mode?: number }): Promise<void> {
    this.bytes += stat.size;
    if (this.bytes > BYTES_MAX)
      throw launchErrors.mountTooMuch(`There are more than ${BYTES_MAX / (1024 * 1024)} MiB of files`);
    try {
      const bytes = await this.files.read(toUri(path));
      const { modified, mode = MODE } = stat;
      this.found.set(guest, { path: guest, bytes, mode, origin: path, modified });
    } catch (error) {
      throw launchErrors.unreadable(path, error instanceof Error ? error.message : String(error));
    }
  }
}
