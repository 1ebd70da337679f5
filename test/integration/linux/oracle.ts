/**
 * What a program of `programs/` prints on Linux: `<name>.txt` beside its source, and, where qemu-riscv64 is installed, what it prints there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from './compile';

const EMULATOR = 'qemu-riscv64';

/** From the root of the project. */
export const goldenFile = (name: string): string => `test/integration/linux/programs/${name}.txt`;
export const golden = (name: string): string => readFileSync(join(process.cwd(), goldenFile(name)), 'utf8');

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

/** What Linux does with the program, by way of QEMU's user mode. */
export function onLinux(name: string): { readonly text: string; readonly status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, compile(name), { mode: 0o755 });
    const { stdout, status, error } = spawnSync(EMULATOR, [file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: {},
    });
    if (error) throw error;
    return { text: stdout, status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
