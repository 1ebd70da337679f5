import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checks } from '../../../monitor/core';
import { createSystemWithoutChecks } from '../../../monitor/system/system';
import { assemble } from '../../unit/assembler';
import { printed, runToEnd } from './sample';

const COMPILER = 'riscv64-linux-gnu-gcc';
const HERE = join(process.cwd(), 'test/integration/system');
const SECRET = 0x5ec2e7;

/** An enclave that writes the secret to its relay page, then loops: one segment at 0x1000. */
function keeper(): Uint8Array {
  const code = assemble(0x1000, `li t0, 0x3800000000\nli t1, ${SECRET}\nsw t1, 0(t0)\nagain:\nj again`).bytes;
  const bytes = new Uint8Array(0x1000 + code.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  bytes.set([2, 1, 1], 4);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, 0x1000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(72, 0x1000n, true);
  view.setBigUint64(80, 0x1000n, true);
  view.setBigUint64(96, BigInt(code.length), true);
  view.setBigUint64(104, BigInt(code.length), true);
  bytes.set(code, 0x1000);
  return bytes;
}

describe('a hostile host program', function () {
  this.timeout(120_000);
  let host: Uint8Array;

  before(function () {
    try {
      execFileSync(COMPILER, ['--version'], { stdio: 'ignore' });
    } catch {
      console.log(`skipped: ${COMPILER} is not installed`);
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'attacks-'));
    try {
      const out = join(folder, 'attacks');
      execFileSync(COMPILER, [
        '-static',
        '-D_GNU_SOURCE',
        '-w',
        '-O1',
        '-pthread',
        '-o',
        out,
        join(HERE, 'programs/attacks.c'),
      ]);
      host = new Uint8Array(readFileSync(out));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  function run(mode: string, checks: Partial<Checks> = {}): { stdout: string; status: number | undefined } {
    const system = createSystemWithoutChecks(
      {
        program: '/root/attacks',
        args: [mode],
        cwd: '/root',
        memoryMiB: 128,
        files: [
          { path: '/root/attacks', bytes: host, mode: 0o755 },
          { path: '/root/keeper', bytes: keeper(), mode: 0o755 },
        ],
      },
      checks,
    );
    const { stdout } = printed(runToEnd(system));
    assert.deepEqual(system.enclaves(), [], 'what the process left is reclaimed');
    return { stdout, status: system.exitStatus };
  }

  it('gets an errno for every bad request, and the machine goes on', () => {
    const { stdout, status } = run('requests');
    const file = join(HERE, 'golden/bad-requests.txt');
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, stdout);
    assert.ok(existsSync(file));
    assert.equal(stdout, readFileSync(file, 'utf8'));
    assert.equal(status, 0);
  });

  it('cannot run an enclave twice, nor give one relay page or one name to two; nothing breaks', () => {
    const { stdout, status } = run('twice');
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'run while it runs: -1 EFAULT',
      'same relay page to another: -1 EFAULT',
      'same name with a relay page: -1 EFAULT',
      'destroy: 0',
      'run: 0',
    ]);
    assert.equal(status, 0);
  });

  it('faults on a mapping of relay memory from before the hand-over; without hostPteInvalidation it reads the secret', () => {
    assert.deepEqual(run('stale'), { stdout: 'fault: SIGSEGV\n', status: 2 });
    assert.deepEqual(run('stale', { hostPteInvalidation: false }), {
      stdout: `read: ${SECRET.toString(16)}\n`,
      status: 0,
    });
  });

  it('cannot map relay memory that an enclave owns: the driver refuses, and behind it the monitor', () => {
    assert.deepEqual(run('mmap'), { stdout: 'mmap: -1 EPERM\n', status: 3 });
    assert.deepEqual(run('mmap', { deviceMmapOwnership: false }), { stdout: 'fault: SIGSEGV\n', status: 2 });
    const both = { deviceMmapOwnership: false, setPteOwnership: false };
    assert.deepEqual(run('mmap', both), { stdout: `read: ${SECRET.toString(16)}\n`, status: 0 });
  });
});
