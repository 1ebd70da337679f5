import assert from 'node:assert/strict';
import { tryAsGuest, tryAttack, type Attack } from './attack';
import { CALL_ATTACKS } from './calls';
import { HANDLE_ATTACKS } from './handles';
import { HANDOVER_ATTACKS } from './handover';
import { PARAMETER_ATTACKS } from './parameters';
import { TABLE_ATTACKS } from './tables';

const ATTACKS: readonly Attack[] = [
  ...TABLE_ATTACKS,
  ...HANDOVER_ATTACKS,
  ...PARAMETER_ATTACKS,
  ...HANDLE_ATTACKS,
  ...CALL_ATTACKS,
];

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)));

function refusedEverywhere(attack: Attack): void {
  const trial = tryAttack(attack, []);
  assert.deepEqual(trial.outcome, attack.refused);
  assert.deepEqual(trial.seen.after, trial.seen.before, 'the victims are as they were');
  if (!attack.boots) assert.equal(trial.healthy, 42, 'the machine goes on');
  const guest = tryAsGuest(trial, []);
  assert.deepEqual(plain(guest.results), plain(trial.results), 'as guest code, operation by operation');
  assert.deepEqual(guest.seen.after, guest.seen.before);
  assert.deepEqual(plain(guest.seen.before), plain(trial.seen.before));
}

function succeedsWithout(attack: Attack): void {
  const trial = tryAttack(attack, attack.checks);
  assert.deepEqual(trial.outcome, attack.succeeds);
  const guest = tryAsGuest(trial, attack.checks);
  assert.deepEqual(plain(guest.results), plain(trial.results), 'as guest code, operation by operation');
  for (const { seen } of [trial, guest])
    if (attack.harms) assert.notDeepEqual(plain(seen.after), plain(seen.before), 'the victims suffer');
}

describe('attacks on enclaves', function () {
  this.timeout(60_000);
  for (const attack of ATTACKS) {
    it(`${attack.name}: fails, through the supervisor port and as guest code`, () => refusedEverywhere(attack));
    it(`${attack.name}: succeeds without ${attack.checks.join(' and ')}`, () => succeedsWithout(attack));
  }
});
