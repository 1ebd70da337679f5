import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hazardsPage, operationsPage } from '../../../monitor/documentation';
import { DEVICE_EFFECTS, HAZARDS, hazardText, type HazardCode } from '../../../monitor/hazards';
import {
  OPERATIONS,
  STATES_OF,
  isRefused,
  ruleFor,
  type Kind,
  type Operation,
  type State,
} from '../../../monitor/operations';

/** What is done on the hart is done RUNNING. */
const statesOf = (operation: Operation, kind: Kind) =>
  ['sbi', 'ioctl'].includes(OPERATIONS[operation].layer) ? STATES_OF[kind] : ruled(operation, kind);
const ruled = (operation: Operation, kind: Kind) =>
  Object.keys(OPERATIONS[operation].rows[kind as 'SERVER'] ?? {}) as State[];

describe('the monitor’s tables', () => {
  it('docs/operations.md and docs/hazards.md are made from them: npm run docs:monitor', () => {
    assert.equal(readFileSync('docs/operations.md', 'utf8'), operationsPage());
    assert.equal(readFileSync('docs/hazards.md', 'utf8'), hazardsPage());
  });

  it('have a rule for every state of the kinds an operation is about', () => {
    for (const [name, { rows }] of Object.entries(OPERATIONS))
      for (const kind of Object.keys(rows) as Kind[])
        for (const state of statesOf(name as Operation, kind)) {
          const rule = ruleFor(name as Operation, kind, state);
          assert.ok(!isRefused(rule) || rule.why.endsWith('.'), `${name} ${kind} ${state}`);
          assert.ok(!isRefused(rule) || rule.next === state, `${name} ${kind} ${state}: a refusal changes nothing`);
          assert.equal(rule.errno !== undefined, OPERATIONS[name as Operation].layer === 'ioctl' && isRefused(rule));
        }
  });

  it('say of every hazard what was done, what a device does and what to do instead, in sentences', () => {
    for (const code of Object.keys(HAZARDS) as HazardCode[]) {
      const { did, device, observed, remedy } = hazardText(code);
      assert.ok(device in DEVICE_EFFECTS);
      for (const text of [observed, remedy]) assert.match(text, /^\w.*[.)!?]$/s, code);
      assert.match(did, /[.)}]$/, code);
    }
  });
});
