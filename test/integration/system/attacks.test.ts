import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSystemWithoutChecks } from '../../../monitor/system/system';
import { build } from '../adapter/builds';
import { printed, runToEnd } from './sample';
import { enclaveElf } from './tiny-host';
import { compareWithGolden } from '../../tools/golden';

const SECRET = 0x5ec2e7;

/** Writes the secret to its relay page, then loops. */
const keeper = enclaveElf(`li t0, 0x3800000000\nli t1, ${SECRET}\nsw t1, 0(t0)\nagain:\nj again`);

describe('a hostile host program', function () {
  let host: Uint8Array;

  before(async () => {
    const source = join(process.cwd(), 'test/integration/system/programs/attacks.c');
    host = new Uint8Array(readFileSync(await build('host', source, 'attacks', ['-D_GNU_SOURCE', '-w', '-O1'])));
  });

  function run(mode: string): { stdout: string; status: number | undefined } {
    const system = createSystemWithoutChecks(
      {
        program: '/root/attacks',
        args: [mode],
        cwd: '/root',
        memoryMiB: 128,
        files: [
          { path: '/root/attacks', bytes: host, mode: 0o755 },
          { path: '/root/keeper', bytes: keeper, mode: 0o755 },
        ],
      },
      {},
    );
    const { stdout } = printed(runToEnd(system));
    assert.deepEqual(system.enclaves(), [], 'what the process left is reclaimed');
    return { stdout, status: system.exitStatus };
  }

  it('gets an errno for every bad request, and the machine goes on', () => {
    const { stdout, status } = run('requests');
    compareWithGolden('test/integration/system/golden/bad-requests.txt', stdout);
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
});
