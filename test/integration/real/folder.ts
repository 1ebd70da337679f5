/** A folder of this machine as a folder of the guest. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestFile, GuestNode } from '../../../emulator/linux/types';

export interface Folder {
  readonly files: GuestFile[];
  readonly nodes: GuestNode[];
}

/** Everything below `folder`, to be found at `place` (empty: the root); what `without` matches is left out. */
export function readFolder(folder: string, place = '', without?: RegExp): Folder {
  const files: GuestFile[] = [];
  const nodes: GuestNode[] = [];
  const walk = (from: string, to: string): void => {
    for (const name of readdirSync(from).sort()) {
      const [path, inside] = [join(from, name), `${to}/${name}`];
      if (without?.test(inside)) continue;
      const stat = lstatSync(path);
      if (stat.isSymbolicLink()) nodes.push({ kind: 'link', path: inside, target: readlinkSync(path) });
      else if (stat.isDirectory()) {
        nodes.push({ kind: 'folder', path: inside, mode: stat.mode & 0o7777 });
        walk(path, inside);
      } else if (stat.isFile())
        files.push({ path: inside, bytes: new Uint8Array(readFileSync(path)), mode: stat.mode & 0o7777 });
    }
  };
  walk(folder, place);
  return { files, nodes };
}
