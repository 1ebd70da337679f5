/** `npm run fuzz -- --calls 1000000 --seed N [--only kernel] [--episode N] [--details]`: prints what was done, and what failed. */
import { parseArgs } from 'node:util';
import { EPISODE, LEVELS, episode, minimise, type Failure, type Level } from './campaign';
import { Tally } from './tally';

/** Episodes between signs of life. */
const PROGRESS = 10;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    episode: { type: 'string' },
    details: { type: 'boolean', default: false },
    'no-minimise': { type: 'boolean', default: false },
  },
});

function fail(failure: Failure): void {
  const { level, seed, episode: number, step, stack } = failure;
  console.log(`FAILED: level ${level}, seed ${seed}, episode ${number}, step ${step}\n${stack}`);
  console.log(`again: npm run fuzz -- --only ${level} --seed ${seed} --episode ${number}`);
  if (values['no-minimise']) return;
  const { steps, calls, message } = minimise(failure);
  console.log(`${steps.length} of its steps are enough: ${steps.join(' ')}\n${calls.join('\n')}\n${message}`);
}

const calls = Number(values.calls);
const seed = Number(values.seed);
const levels: readonly Level[] = values.only ? LEVELS.filter((level) => level === values.only) : LEVELS;
if (levels.length === 0) throw new Error(`--only takes one of ${LEVELS.join(', ')}`);
const tallies = new Map(levels.map((level) => [level, new Tally()]));
const failures: Failure[] = [];
const began = Date.now();
for (const level of levels) {
  const tally = tallies.get(level)!;
  const wanted = calls / levels.length;
  const first = Number(values.episode ?? 0);
  for (let number = first; tally.total.calls < wanted; number++) {
    const failure = episode(level, seed, number, tally, { steps: EPISODE, calls: wanted });
    if (failure) {
      failures.push(failure);
      fail(failure);
      if (failures.length >= 5) break;
    }
    if (number % PROGRESS === PROGRESS - 1) console.error(`${level}: ${tally.total.calls} calls`);
    if (values.episode !== undefined) break;
  }
  console.log(
    `--- ${level}, seed ${seed} (${((Date.now() - began) / 1000).toFixed(0)} s)\n${tally.text(values.details)}`,
  );
}
const all = [...tallies.values()].map(({ total }) => total);
console.log(
  `${all.reduce((sum, total) => sum + total.calls, 0)} calls, ${all.reduce((sum, total) => sum + total.succeeded, 0)} succeeded, ${failures.length} failures, seed ${seed}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
