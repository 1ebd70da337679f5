import assert from 'node:assert/strict';
import type { CheckName } from '../../../monitor/checks';
import { EPISODE, LEVELS, episode, minimise } from '../../fuzz/campaign';
import { Tally } from '../../fuzz/tally';

/** Calls per level; `npm run fuzz` makes as many as one likes. */
const CALLS = 3000;
const SEED = 1;

describe('fuzz, a small part of it', function () {
  this.timeout(120_000);

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

  it('makes a failing sequence shorter', () => {
    const checks = { stateTable: false };
    const failure = episode('kernel', SEED, 0, new Tally(), { steps: EPISODE, calls: Infinity, checks });
    assert.ok(failure);
    const { steps } = minimise(failure, checks);
    assert.ok(steps.length < 10 && steps.length <= failure.step + 1, `${steps.length} of ${failure.step + 1} steps`);
    assert.equal(steps.at(-1), failure.step);
  });
});
