import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKS, type CheckName } from '../../../monitor/checks';
import { tryAsGuest, tryAttack, type Attack } from './attack';
import { CALL_ATTACKS } from './calls';
import { EDGE_CALLS } from './edges';
import { HANDLE_ATTACKS } from './handles';
import { HANDOVER_ATTACKS } from './handover';
import { PARAMETER_ATTACKS } from './parameters';
import { attackList, withTables } from './document';
import { HOST_ATTACKS, hostProgram, raceOf, tryHostProgram, type HostAttack } from './programs';
import { TABLE_ATTACKS } from './tables';
import { printTable } from '../../tools/tables';

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

/** Of several checks each alone stops it. */
function stoppedByEach(attack: Attack): void {
  for (const check of attack.checks) {
    const others = attack.checks.filter((other) => other !== check);
    const trial = tryAttack(attack, others);
    assert.notDeepEqual(trial.outcome, attack.succeeds, `without ${others.join(' and ')}`);
    assert.deepEqual(trial.seen.after, trial.seen.before, 'the victims are as they were');
    const guest = tryAsGuest(trial, others);
    assert.deepEqual(plain(guest.results), plain(trial.results), 'as guest code, operation by operation');
  }
}

function hostRefused(host: Uint8Array, attack: HostAttack): void {
  const { stdout, hashes, reachable } = tryHostProgram(host, attack, []);
  assert.equal(stdout, attack.refused);
  assert.deepEqual(reachable, [], 'no private page is mapped, shared or cached by the host at any time');
  // One without a victim has none to hash.
  assert.ok(hashes.size <= 1, 'the enclave’s memory is as it was');
  assert.equal(hashes.size, attack.mode === 'satp' ? 0 : 1);
}

describe('attacks on enclaves', function () {
  for (const attack of ATTACKS) {
    it(`${attack.name}: fails, through the supervisor port and as guest code`, () => refusedEverywhere(attack));
    it(`${attack.name}: succeeds without ${attack.checks.join(' and ')}`, () => succeedsWithout(attack));
    if (attack.checks.length > 1)
      it(`${attack.name}: fails with any of ${attack.checks.join(' and ')}`, () => stoppedByEach(attack));
  }

  it('arguments at the edges of 64 bits, of pages and of memory, in every place of every function: nothing happens', () => {
    const attack = { ...EDGE_CALLS, name: 'edges', checks: [], refused: ['done', 0], succeeds: [] };
    const trial = tryAttack(attack, []);
    assert.ok(trial.operations.length > 1500);
    assert.deepEqual(trial.outcome, attack.refused);
    assert.deepEqual(trial.seen.after, trial.seen.before);
    assert.equal(trial.healthy, 42);
    const guest = tryAsGuest(trial, []);
    assert.deepEqual(plain(guest.results), plain(trial.results), 'as guest code, operation by operation');
    assert.deepEqual(guest.seen.after, guest.seen.before);
  });

  describe('by host programs', () => {
    let host: Uint8Array;
    before(async () => {
      host = await hostProgram();
    });
    it('STOP, RESUME and DESTROY that race with the end of a run: each run ends once, and nothing is left', () => {
      const runs = [1, 2, 3, 4, 5, 6].map((seed) => raceOf(host, seed));
      for (const { stdout, reachable, left } of runs) {
        const lines = stdout.trimEnd().split('\n');
        assert.deepEqual([...new Set(lines)], ['run: 0']);
        assert.equal(lines.length, 12);
        assert.deepEqual([reachable, left], [[], 0]);
      }
    });
    for (const attack of HOST_ATTACKS) {
      it(`${attack.name}: fails`, () => hostRefused(host, attack));
      it(`${attack.name}: succeeds without ${attack.checks.join(' and ')}`, () =>
        assert.equal(tryHostProgram(host, attack, attack.checks).stdout, attack.succeeds));
      if (attack.checks.length > 1)
        it(`${attack.name}: fails with any of ${attack.checks.join(' and ')}`, () => {
          for (const check of attack.checks)
            assert.notEqual(tryHostProgram(host, attack, [check]).stdout, attack.succeeds, `without ${check}`);
        });
    }
  });

  it('there are more than forty, each has a name of its own, and every check has one that it stops', () => {
    const all = [...ATTACKS, ...HOST_ATTACKS];
    assert.ok(all.length >= 40);
    assert.equal(new Set(all.map(({ by, name }) => `${by}: ${name}`)).size, all.length);
    const stopped = new Set<CheckName>(all.flatMap(({ checks }) => checks));
    assert.deepEqual(
      Object.keys(CHECKS).filter((name) => !stopped.has(name as CheckName)),
      [],
    );
  });

  it('docs/guarded-memory.md lists them', () => {
    const file = join(process.cwd(), 'docs/guarded-memory.md');
    const old = readFileSync(file, 'utf8');
    const text = withTables(old, [...ATTACKS, ...HOST_ATTACKS]);
    if (process.env['GOLDEN'] === 'write') writeFileSync(file, text);
    else assert.equal(old, text, 'GOLDEN=write writes its tables anew');
  });

  after(() => printTable('attacks', attackList([...ATTACKS, ...HOST_ATTACKS])));
});
