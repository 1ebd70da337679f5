import * as assert from 'node:assert/strict';
import { inStep, optionsOf, wayOf } from '../../differential/loops/campaign';
import { loopProgram } from '../../differential/loops/program';
import { LoopsInQemu } from '../../differential/loops/qemu';
import { storm } from '../../differential/loops/storm';
import { haveQemu, Qemu } from '../../differential/oracles';
import { supportedBy } from '../../differential/support';

/** `npm run differential -- loops` runs as many as time allows. */
const IN_STEP = 48;
const STORMS = 24;
const IN_QEMU = 24;

describe('Programs full of loops', function () {
  it('leave the same machine on every engine at random ticks, and are taken over by one from another anywhere', () => {
    let ticks = 0;
    for (let seed = 1; seed <= IN_STEP; seed++) {
      const { regime, cuts } = wayOf(seed);
      ticks += inStep(seed, regime, cuts).ticks;
    }
    assert.ok(ticks > 20_000 * IN_STEP, `only ${ticks} ticks`);
  });

  it('stop, are watched, go back, are patched and lose rights at the same ticks on every engine', () => {
    const exits: Record<string, number> = {};
    for (let seed = 1; seed <= STORMS; seed++)
      for (const [reason, count] of Object.entries(storm(seed, 60).exits)) exits[reason] = (exits[reason] ?? 0) + count;
    for (const reason of ['until', 'stop', 'watch', 'halted'])
      assert.ok(exits[reason]! >= STORMS, `${exits[reason]} times ${reason}`);
  });

  it('are the same for the same seed, and others for another', () => {
    const make = (seed: number) => loopProgram(seed, 0x10000, optionsOf('user'));
    assert.deepEqual(make(5), make(5));
    assert.notDeepEqual(make(5).code, make(6).code);
  });

  it(`write what they write in QEMU user mode, ${IN_QEMU} of them`, function () {
    if (!haveQemu()) {
      console.log('        skipped: qemu-riscv64 is not installed, programs full of loops are not compared with it');
      this.skip();
    }
    const probe = new Qemu();
    const qemu = new LoopsInQemu(supportedBy(probe));
    try {
      for (let seed = 1; seed <= IN_QEMU; seed++) qemu.compare(seed);
    } finally {
      qemu.close();
      probe.close();
    }
  });
});
