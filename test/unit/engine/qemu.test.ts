import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tick } from '../../../emulator/units';
import { loadUser, PTE, userMachine } from '../machine/user';
import { CODE, DATA, DUMP_BYTES, elfOf, randomProgram, type RandomProgram } from './programs';
import { eachEngine } from './engines';

const QEMU = 'qemu-riscv64';
const PROGRAMS = Number(process.env['PENGLAI_RANDOM_PROGRAMS'] ?? 40);
const FIRST = Number(process.env['PENGLAI_RANDOM_FIRST'] ?? 1);

/** What the program wrote, run by this engine. */
function ours(program: RandomProgram): Buffer {
  const user = userMachine(CODE);
  loadUser(user, CODE, program.code, PTE.V | PTE.R | PTE.X | PTE.U);
  loadUser(user, DATA, program.data, PTE.V | PTE.R | PTE.W | PTE.U);
  user.machine.run(tick(1_000_000));
  assert.equal(user.firmware.ended, 'exit 0');
  return Buffer.from(user.firmware.output);
}

/** Names of what lies at an offset of the dump. */
function place(offset: number): string {
  if (offset < 8192) return `memory + 0x${offset.toString(16)}`;
  const index = (offset - 8192) >> 3;
  return index < 32 ? `x${index}` : index < 64 ? `f${index - 32}` : 'fcsr';
}

eachEngine('Random programs against QEMU user mode', function () {
  let folder = '';

  before(function () {
    if (spawnSync(QEMU, ['--version']).status !== 0) {
      console.log(`        skipped: ${QEMU} is not installed, random programs are not compared`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'penglai-engine-'));
  });
  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  it(`leaves the same registers and memory as QEMU after ${PROGRAMS} random programs`, () => {
    for (let seed = FIRST; seed < FIRST + PROGRAMS; seed++) {
      const program = randomProgram(seed, 1500);
      const path = join(folder, `program${seed}`);
      writeFileSync(path, elfOf(program));
      chmodSync(path, 0o755);
      const theirs = spawnSync(QEMU, [path], { maxBuffer: 2 ** 20 });
      assert.equal(theirs.status, 0, `QEMU ran program ${seed}: ${theirs.signal ?? theirs.stderr.toString()}`);
      const mine = ours(program);
      assert.equal(mine.length, DUMP_BYTES);
      for (let at = 0; at < DUMP_BYTES; at += 8)
        assert.equal(
          mine.readBigUInt64LE(at).toString(16),
          theirs.stdout.readBigUInt64LE(at).toString(16),
          `program ${seed}: ${place(at)}`,
        );
    }
  });
});
