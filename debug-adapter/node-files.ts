/** How the programs that run under Node make a file: in one piece, readable by its owner only, never over another one. */
import { linkSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `Files.create`: two that make the same file at once agree on one of them, and nobody reads half of it. */
export async function createFile(uri: string, bytes: Uint8Array): Promise<boolean> {
  const path = fileURLToPath(uri);
  const draft = `${path}.${process.pid}.draft`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
  } catch {
    return false;
  }
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    // A file system without links.
    return (error as NodeJS.ErrnoException).code !== 'EEXIST' && written(path, bytes);
  } finally {
    unlinkSync(draft);
  }
}

function written(path: string, bytes: Uint8Array): boolean {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}
