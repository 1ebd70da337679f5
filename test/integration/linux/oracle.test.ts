import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, needsCompiler } from './compile';
import { newHost } from './host';

const GOLDEN = join(process.cwd(), 'test/integration/linux/golden');
const QEMU = 'qemu-riscv64';

/** What Linux does with the same executable, by way of QEMU's user mode; undefined where it is not installed. */
function onLinux(program: Uint8Array): { text: string; status: number | null } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const file = join(folder, 'program');
    writeFileSync(file, program, { mode: 0o755 });
    const result = spawnSync(QEMU, [file], { encoding: 'utf8', timeout: 60_000, env: {} });
    return result.error ? undefined : { text: result.stdout, status: result.status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('The same program on Linux and here', function () {
  this.timeout(60_000);
  before(function () {
    needsCompiler(this);
  });

  for (const [name, title] of [
    ['maps', 'mappings of files and of shared memory are coherent, private, and end with the file'],
    ['ipc', 'segments of shared memory and copies between files'],
    ['tree', 'files are opened, named, read, locked and described alike'],
  ] as const)
    it(`${name}: ${title}`, () => {
      const program = compile(name);
      const host = newHost({ program });
      assert.deepEqual(host.run(), { reason: 'halted' });
      const file = join(GOLDEN, `${name}.txt`);
      if (process.env['UPDATE_GOLDEN']) writeFileSync(file, host.text());
      assert.equal(host.text(), readFileSync(file, 'utf8'));
      assert.equal(host.linux.exitStatus, 0);
      const linux = onLinux(program);
      if (!linux) return console.log(`compared with the recorded output only: ${QEMU} is not installed`);
      assert.deepEqual({ text: host.text(), status: host.linux.exitStatus }, linux);
    });
});
