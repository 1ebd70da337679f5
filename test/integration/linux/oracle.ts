/**
 * What a program of `programs/` prints on Linux: `<name>.txt` beside its source, and, where qemu-riscv64 is installed, what it prints there.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from './compile';

const EMULATOR = 'qemu-riscv64';

export const golden = (name: string): string =>
  readFileSync(join(process.cwd(), 'test/integration/linux/programs', `${name}.txt`), 'utf8');

let known: boolean | undefined;
/** Says once that the oracle is not there. */
export function hasOracle(): boolean {
  if (known === undefined) {
    try {
      execFileSync(EMULATOR, ['--version'], { stdio: 'ignore' });
      known = true;
    } catch {
      console.log(`not compared with Linux itself: ${EMULATOR} is not installed`);
      known = false;
    }
  }
  return known;
}

/** Standard output under Linux; the exit status has to be 0. */
export function onLinux(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, compile(name));
    chmodSync(file, 0o755);
    return execFileSync(EMULATOR, [file], { cwd: folder, encoding: 'utf8', timeout: 30_000 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
