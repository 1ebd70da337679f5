import * as assert from 'node:assert/strict';
import { createMachine } from '../../../emulator/machine/machine';
import { Canary, checkRecords } from '../../differential/hostile/checks';
import { runScene } from '../../differential/hostile/run';
import { SCENES } from '../../differential/hostile/scenes';
import { Area } from '../../../emulator/machine/layout';
import { PhysicalMemory } from '../../../emulator/machine/memory';
import { pa, tick, va } from '../../../emulator/units';

/** Of each scene; `npm run differential -- hostile --ticks 10000000` is the long run. */
const TICKS = 500_000;

describe('Hostile code', function () {
  for (const scene of SCENES)
    it(`${scene.name}: throws nothing, writes nothing that is not the guest's, and is the same on every engine`, () => {
      const { problems, ticks } = runScene(scene, 1, TICKS);
      assert.deepEqual(problems, []);
      assert.ok(ticks >= TICKS);
    });

  it('is seen when it writes where nobody may', () => {
    const machine = createMachine({ ramBytes: 65536 });
    const canary = new Canary(machine);
    const { u8 } = (machine as unknown as { memory: PhysicalMemory }).memory;
    assert.deepEqual(canary.check(), []);
    u8[Area.HARTS - 1] = 1;
    assert.match(canary.check().join(), /nobody owns/);
  });

  it('is seen when a decoded instruction is not the one in memory', () => {
    const machine = createMachine({ ramBytes: 65536 });
    machine.machinePort.writeU32(pa(0x80000000), 0x00000013);
    machine.harts[0]!.pc = va(0x80000000);
    machine.run(tick(1));
    assert.deepEqual(checkRecords(machine), []);
    const { u8 } = (machine as unknown as { memory: PhysicalMemory }).memory;
    u8[Area.RAM + 1] = 1;
    assert.match(checkRecords(machine).join(), /not the one in memory/);
  });
});
