/** C programs of this folder as static glibc executables, where the machine has the cross compiler. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'riscv64-linux-gnu-gcc';
const SOURCES = join(process.cwd(), 'test/integration/linux/programs');

export function hasCompiler(): boolean {
  try {
    execFileSync(COMPILER, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const built = new Map<string, Uint8Array>();

/** The executable of `<name>.c`. */
export function compile(name: string, flags: readonly string[] = ['-static']): Uint8Array {
  const key = [name, ...flags].join(' ');
  let bytes = built.get(key);
  if (!bytes) {
    const folder = mkdtempSync(join(tmpdir(), 'host-program-'));
    try {
      const out = join(folder, name);
      execFileSync(COMPILER, ['-w', '-g', '-O1', '-pthread', ...flags, '-o', out, join(SOURCES, `${name}.c`)]);
      bytes = new Uint8Array(readFileSync(out));
    } finally {
      rmSync(folder, { recursive: true });
    }
    built.set(key, bytes);
  }
  return bytes;
}

/** Skips the tests of a `describe` block, and says so, where there is no compiler. */
export function needsCompiler(context: Mocha.Context): void {
  if (hasCompiler()) return;
  console.log(`skipped: ${COMPILER} is not installed`);
  context.skip();
}
