/**
 * Real Linux programs, with the output and status they have under qemu-riscv64. `PROGRAMS_ROOT` names a folder with an installed riscv64
 * system (default: what fetch.sh puts into test/.cache). Recorded output is in golden/; where Linux can be asked, it is.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES, type Case } from './cases';
import { readFolder, type Folder } from './folder';
import { onGuest } from './guest';
import { onLinux, withoutLinux } from './linux';

const HERE = join(process.cwd(), 'test/integration/real');
const ROOT = process.env.PROGRAMS_ROOT ?? join(process.cwd(), 'test/.cache/riscv64');
const ENV = { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
const SECONDS = 120;
/** Not needed by any program here. */
const WITHOUT = /^\/(usr\/share\/(doc|man|locale|info|bug|lintian)|usr\/lib\/riscv64-linux-gnu\/gconv)(\/|$)/;

const COMPILER = 'riscv64-linux-gnu-gcc';
/** Compiles a source of cases/ into a folder; false without a compiler. */
function build(name: string, folder: string): boolean {
  if (spawnSync(COMPILER, ['--version']).error) return false;
  const args = ['-w', '-O1', '-pthread', '-o', join(folder, name), join(HERE, 'cases', `${name}.c`)];
  execFileSync(COMPILER, args);
  return true;
}

const golden = (name: string): string => join(HERE, 'golden', `${name}.txt`);

/** Everything that is compared. */
const told = (
  { stdout, stderr, status }: { stdout: string; stderr: string; status: number | undefined },
  { stderr: both }: Case,
) => `${stdout}${both ? `== standard error\n${stderr}` : ''}== status ${status}\n`;

describe('Real Linux programs', function () {
  let root: Folder;
  let unasked: string | undefined;
  let built: string;
  before(async function () {
    if (!existsSync(join(ROOT, 'bin'))) {
      console.log(`skipped: no riscv64 programs in ${ROOT}; test/integration/real/fetch.sh gets them`);
      this.skip();
    }
    built = mkdtempSync(join(tmpdir(), 'real-programs-'));
    chmodSync(built, 0o755);
    root = readFolder(ROOT, '', WITHOUT);
    unasked = await withoutLinux(ROOT);
    if (unasked) console.log(`compared with recorded output only: ${unasked}`);
  });

  after(() => built && rmSync(built, { recursive: true }));

  for (const one of CASES)
    it(one.title, async function () {
      const lacking = one.needs.find((path) => !existsSync(join(ROOT, path)));
      if (lacking !== undefined) {
        console.log(`skipped: ${ROOT} has no ${lacking}`);
        this.skip();
      }
      if (one.built && !build(one.name, built)) {
        console.log(`skipped: ${COMPILER} is not installed`);
        this.skip();
      }
      const { argv, input } = one;
      const common = { argv, input: input ?? '', env: ENV, cwd: '/tmp' };
      const there = unasked
        ? undefined
        : await onLinux({
            ...common,
            root: ROOT,
            mounts: { '/case': join(HERE, 'cases'), '/built': built },
            seconds: SECONDS,
          });
      const file = golden(one.name);
      if (process.env.UPDATE_GOLDEN && there) {
        mkdirSync(join(HERE, 'golden'), { recursive: true });
        writeFileSync(file, told(there, one));
      }
      const here = await onGuest({
        ...common,
        folders: [root, readFolder(join(HERE, 'cases'), '/case'), readFolder(built, '/built')],
      });
      assert.equal(here.log, '');
      if (there) assert.equal(told(here, one), told(there, one));
      assert.equal(told(here, one), readFileSync(file, 'utf8'));
    });
});
