import * as assert from 'node:assert/strict';
import { inStep, wayOf } from '../../differential/loops/campaign';
import { loopProgram } from '../../differential/loops/program';
import { LoopsInQemu } from '../../differential/loops/qemu';
import { optionsOf } from '../../differential/loops/campaign';
import { haveQemu, Qemu } from '../../differential/oracles';
import { supportedBy } from '../../differential/support';

/** `npm run differential -- loops` runs as many as time allows. */
const IN_STEP = 72;
const IN_QEMU = 40;

describe('Programs full of loops', function () {
  this.timeout(300_000);

  it('leave the same machine on every engine at random ticks, and are taken over by one from another anywhere', () => {
    let ticks = 0;
    for (let seed = 1; seed <= IN_STEP; seed++) {
      const { regime, cuts } = wayOf(seed);
      ticks += inStep(seed, regime, cuts).ticks;
    }
    assert.ok(ticks > 20_000 * IN_STEP, `only ${ticks} ticks`);
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
