/** The log of system calls of a static program against that of qemu-riscv64: the same calls, in the same order, with the same results. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { needsSamples } from './sample';
import { programFile } from '../../tools/programs';

const COMMAND = programFile('penglai');
const HOST = join(process.cwd(), 'samples/build/hello-world/host');
/** Their results are addresses, or the length of a path of this machine; qemu-user has no set_robust_list, and says ENOSYS. */
const OF_THE_MACHINE = new Set(['brk', 'mmap', 'readlinkat', 'set_tid_address', 'set_robust_list']);

/** Names and results of a log; standard output is another pipe. */
function callsOf(program: string, args: readonly string[]): { status: number | null; calls: string[] } {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', input: '' });
  const calls = [...stderr.matchAll(/^(?:\d+ )?([a-z_0-9]+)\(.*\)(?: = (-?\w+))?/gm)].map(([, name, result]) =>
    OF_THE_MACHINE.has(name!) || name === 'exit_group' ? name! : `${name} = ${result}`,
  );
  return { status, calls };
}

describe('penglai run --strace', function () {
  before(function () {
    needsSamples(this);
    if (spawnSync('qemu-riscv64', ['--version']).status === 0 && existsSync(COMMAND)) return;
    console.log('skipped: qemu-riscv64 (qemu-user) is not installed, or dist/penglai.js is not built');
    this.skip();
  });

  it('logs the calls that qemu-riscv64 -strace logs', () => {
    const theirs = callsOf('qemu-riscv64', ['-strace', HOST]);
    const ours = callsOf(process.execPath, [COMMAND, 'run', '--strace', HOST]);
    assert.ok(theirs.calls.length > 3, theirs.calls.join('\n'));
    assert.deepEqual(ours, theirs);
  });
});
