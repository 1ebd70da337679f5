import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { createSystem } from '../../../monitor/system/system';
import { advance, outcome, SCENARIOS, type Cut, type Outcome, type Scenario } from './scenario';

const CUTS = 50;
const SEED = Number(process.env['SEED'] ?? 1);
/** Bundled next to this test. */
const child = join(__dirname, 'resume.js');

/** Numerical Recipes' generator: enough to spread cuts, and the same everywhere. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

async function continueInNewProcess(cut: Cut, folder: string): Promise<Outcome> {
  const [cutFile, resultFile] = [join(folder, 'cut'), join(folder, 'result.json')];
  writeFileSync(cutFile, serialize(cut));
  await promisify(execFile)(process.execPath, [child, cutFile, resultFile]);
  return JSON.parse(readFileSync(resultFile, 'utf8'));
}

function whole(scenario: Scenario): Outcome {
  const system = createSystem(scenario.launch);
  return outcome(system, advance(system, scenario).printed);
}

describe('a run that is cut, saved, and continued by another process', () => {
  for (const [name, make] of Object.entries(SCENARIOS))
    it(`${name}: ${CUTS} random cuts give the hash and the output of the whole run, nothing printed twice`, async function () {
      this.timeout(600_000);
      assert.ok(existsSync(child), `${child} is bundled with the tests`);
      const scenario = make();
      const reference = whole(scenario);
      assert.equal(reference.exitStatus, 0, reference.printed.join(''));
      const folder = mkdtempSync(join(tmpdir(), 'penglai-cut-'));
      const dice = random(SEED);
      try {
        for (let i = 0; i < CUTS; i++) {
          const at = Math.floor(dice.next().value * reference.tick);
          const first = createSystem(scenario.launch);
          const before = advance(first, scenario, 0, at);
          const rest = await continueInNewProcess({ scenario, posted: before.posted, saved: first.save() }, folder);
          const all: Outcome = { ...rest, printed: [...before.printed, ...rest.printed] };
          assert.deepEqual(all, reference, `cut ${i} at tick ${at} of ${reference.tick}`);
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
});
