/** What a host leaves behind when it is killed, forks or executes another program: nothing, whatever it held at that tick. */
import assert from 'node:assert/strict';
import { tick } from '../../../emulator/units';
import type { ComposedSystem } from '../../../monitor/system/system';
import { printed, runToEnd, runUntil } from '../system/sample';
import { golden } from './golden';
import { holdings, systemOf, type Holdings } from './run';

const LONGEST = 4_000_000_000;

describe('what a host leaves behind', function () {
  let clean: Holdings;

  before(async () => {
    const system = await systemOf('text');
    runToEnd(system, LONGEST);
    clean = holdings(system);
  });

  const hangs = (system: ComposedSystem): boolean =>
    runUntil(system, (event) => event.kind === 'output' && new TextDecoder().decode(event.bytes).includes('hangs'));

  function kill(system: ComposedSystem, what: string): void {
    system.post({ kind: 'signal', signal: 'SIGKILL' });
    runToEnd(system, system.tick + LONGEST);
    assert.equal(system.exitStatus, 128 + 9, what);
    assert.deepEqual(holdings(system), clean, what);
  }

  it('killed while an enclave runs, with a fresh one, a template, a server, transferred relay pages, and shm removed by nobody', async () => {
    const system = await systemOf('hang');
    assert.ok(hangs(system));
    system.run(tick(system.tick + 3_000_000));
    const { enclaves, shadows, relay, shm, transferred } = holdings(system);
    assert.deepEqual(
      { enclaves, shadows, relay, shm, transferred },
      { enclaves: 3, shadows: 1, relay: 2, shm: 6, transferred: 2 },
    );
    kill(system, 'inside RUN');
  });

  it('killed while an enclave waits for its relay pages to come back', async () => {
    const system = await systemOf('hang-returned');
    assert.ok(hangs(system));
    system.run(tick(system.tick + 5_000_000));
    assert.ok(system.enclaves().some(({ state }) => state === 'OCALLING'));
    kill(system, 'after RUN returned 1');
  });

  it('killed at any tick: in the middle of creating, measuring, forking, handing over, mapping', async () => {
    const whole = await systemOf('hang');
    assert.ok(hangs(whole));
    const end = whole.tick;
    const first = await systemOf('hang');
    while (first.processes().length === 0) first.run(tick(first.tick + 100_000));
    const start = first.tick;
    let dice = 4711;
    for (let i = 0; i < 30; i++) {
      dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0;
      const at = Math.floor(start + ((i + dice / 2 ** 32) / 30) * (end - start));
      const system = await systemOf('hang');
      system.run(tick(at));
      kill(system, `killed at ${at}`);
    }
  });

  it('hosts of looping enclaves that are killed, stopped, continued and replaced by their parent', async () => {
    const system = await systemOf('killed');
    const { stdout } = printed(runToEnd(system, LONGEST));
    const killed = (signal: number) => `waited: 1\nkilled by: ${signal}\n`;
    const told = 'waited: 1\nstopped by: 19\nwaited: 1\ncontinued: 1\n';
    assert.equal(
      stdout,
      `${killed(15)}${killed(9)}${killed(2)}${told}${killed(15)}waited: 1\nexecuted, exit status: 0\n`,
    );
    assert.deepEqual(holdings(system), clean);
  });

  it('a fork while relay and shm maps are held, a child that ends with its enclave waiting, exec while an enclave exists', async () => {
    const system = await systemOf('forked');
    const { enclaves, stdout, stderr } = printed(runToEnd(system, LONGEST));
    golden('forked', `--- enclaves\n${enclaves}--- stdout\n${stdout}--- stderr\n${stderr}`);
    assert.deepEqual(holdings(system), clean);
  });
});
