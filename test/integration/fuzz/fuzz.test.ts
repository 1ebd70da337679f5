import assert from 'node:assert/strict';
import { buddyAllocate } from '../../../emulator/linux/memory/buddy';
import { PAGE_SIZE, pa } from '../../../emulator/units';
import type { CheckName } from '../../../monitor/checks';
import { PUBLIC } from '../../../monitor/pages';
import type { MonitorState } from '../../../monitor/state';
import { Random } from '../../differential/random';
import { EPISODE, LEVELS, episode, minimise } from '../../fuzz/campaign';
import { Violation, frameOf } from '../../fuzz/checks/memory';
import { LinuxWorld } from '../../fuzz/linux/world';
import { Tally } from '../../fuzz/tally';

/** Calls per level; `npm run fuzz` makes as many as one likes. */
const CALLS = 2000;
const SEED = 1;

describe('fuzz, a small part of it', function () {
  for (const level of LEVELS)
    it(`${level}: ${CALLS} calls break nothing, and a third of them succeeds`, () => {
      const tally = new Tally();
      for (let number = 0; tally.total.calls < CALLS; number++) {
        const failure = episode(level, SEED, number, tally, { steps: EPISODE, calls: CALLS });
        assert.equal(
          failure,
          undefined,
          `${failure?.stack}\nnpm run fuzz -- --only ${level} --seed 1 --episode ${number}`,
        );
      }
      assert.ok(tally.total.succeeded * 3 >= tally.total.calls, tally.text(true));
      assert.ok(tally.fullChecks >= CALLS / 1000);
    });

  const CHECKS: readonly CheckName[] = [
    'setPteOwnership',
    'hostPteInvalidation',
    'stateTable',
    'ownerSpace',
    'serverBusy',
    'tableOwnership',
    'templateInUse',
  ];
  for (const check of CHECKS)
    it(`finds out when the monitor does without the check ${check}`, () => {
      const limits = { steps: EPISODE, calls: 20_000, checks: { [check]: false } };
      const found = [0, 1].some((number) => episode('kernel', SEED, number, new Tally(), limits) !== undefined);
      assert.ok(found);
    });

  const TAMPERED: Readonly<Record<string, (world: LinuxWorld) => void>> = {
    'a reference to a frame too many': ({ system, linux }) => {
      const frame = linux.processes
        .first()!
        .memory.pages.map(frameOf)
        .find((at) => !linux.references.has(at / PAGE_SIZE))!;
      system.linux.restore({ ...linux, references: linux.references.set(frame / PAGE_SIZE, 2) });
    },
    'an open file that is counted twice': ({ system, linux }) => {
      const [id, file] = linux.openFiles.entries().next().value!;
      const openFiles = linux.openFiles.set(id, { ...file, references: file.references + 1 });
      system.linux.restore({ ...linux, openFiles });
    },
    'a page that is taken and nobody’s': ({ system, linux }) => {
      const order = Math.ceil(Math.log2(system.machine.ramSize / PAGE_SIZE));
      system.linux.restore({ ...linux, buddy: buddyAllocate(linux.buddy, order, 0)!.tree });
    },
    'an enclave the driver has forgotten': ({ system, driver }) => {
      const { instance } = system.monitor.enclaves()[0]!;
      const { eidPointer } = system.monitor.byInstance(instance)!;
      const { eid } = system.device.byEidPointer(eidPointer)!;
      system.device.restore({ ...driver, enclaves: driver.enclaves.remove(eid) });
    },
    'a page of an enclave that is public': ({ system }) => {
      const { root } = system.monitor.enclaves()[0]!;
      const { bitmap } = system.monitor.snapshot() as MonitorState;
      const page = (root * PAGE_SIZE - 0x8000_0000) / PAGE_SIZE;
      system.machine.machinePort.writeU32(pa(bitmap!.base + 4 * page), PUBLIC);
    },
  };
  for (const [what, tamper] of Object.entries(TAMPERED))
    it(`finds ${what}`, () => {
      const world = new LinuxWorld(new Tally(), SEED);
      for (let step = 0; step < 300 || world.system.monitor.enclaves().length === 0; step++)
        world.step(new Random(step));
      world.fullCheck();
      tamper(world);
      assert.throws(() => world.fullCheck(), Violation);
    });

  it('makes a failing sequence shorter', () => {
    const checks = { stateTable: false };
    const failure = episode('kernel', SEED, 0, new Tally(), { steps: EPISODE, calls: Infinity, checks });
    assert.ok(failure);
    const { steps, calls, message } = minimise(failure, checks);
    assert.ok(steps.length < 10 && steps.length <= failure.step + 1, `${steps.length} of ${failure.step + 1} steps`);
    assert.match(message, /the table/);
    assert.match(calls.at(-1)!, /^sbi /);
  });
});
