/** What `npm run differential` runs; run.mjs bundles it. */
import { parseArgs } from 'node:util';
import { compareInstructions, compareRandom, type Outcome } from './campaigns';
import { cutPrograms } from './cuts';
import { engines } from './engines';
import { runsInPrograms } from './instructions';
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import { runScene } from './hostile/run';
import { slowGuests } from './hostile/slow';
import { SCENES } from './hostile/scenes';
import { SHAPES } from './kinds';
import { Model } from './model';
import { runLoops } from './loops/campaign';
import { storms } from './loops/storm';
import { haveQemu, Qemu, type Oracle } from './oracles';
import { stepRows } from './steps';
import { supportedBy } from './support';

/** Ticks of one seed of a scene. */
const PER_SEED = 1_000_000;

const USAGE = `npm run differential -- [what …] [--seconds N] [--seed N] [--programs N]
  instructions  corner cases of every row: qemu-riscv64, the rows themselves, every engine
  random        random programs, until the time is over or so many have run: qemu-riscv64, every engine
  rows          random programs: qemu-riscv64, the rows themselves
  steps         single instructions of every row from random states, exceptions included: the rows, every engine, until the time is over
  cuts          random programs on every engine, stopped at random ticks, engines changed there, until the time is over
  loops         loop-heavy programs: every engine and changes between them, in step; then qemu-riscv64; until the time is over
  storms        the same programs under stops, watches, snapshots, patches and lost rights, at random, on every engine in step
  hostile       hostile code on every engine in step, until the time is over; or --ticks N of each scene
  slow          what 100,000 ticks of guests made to be slow take
Without a name: all of them. A seed is that of the first program; it is printed with every program that differs.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    programs: { type: 'string', default: 'Infinity' },
    ticks: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', default: false },
  },
});
const [seconds, seed, programs] = [values.seconds, values.seed, values.programs].map(Number) as [
  number,
  number,
  number,
];

function tell(title: string, { programs: count, instructions, differences }: Outcome): boolean {
  console.log(`${title}: ${count} programs, ${instructions} instructions, ${differences.length} differences`);
  for (const difference of differences) console.log(difference);
  return differences.length === 0;
}

const CAMPAIGNS: Readonly<Record<string, (qemu: Qemu | undefined) => boolean>> = {
  instructions: (qemu) => {
    const ours: Oracle[] = [new Model(), ...engines()];
    const all = SHAPES.filter(runsInPrograms);
    let good = tell('instructions, against the rows', compareInstructions(all, ours, seed));
    if (qemu)
      good =
        tell('instructions, against QEMU', compareInstructions(supportedBy(qemu, ...ours), [qemu, ...ours], seed)) &&
        good;
    return good;
  },
  random: (qemu) => random('random programs', qemu, engines()),
  rows: (qemu) => random('random programs, the rows', qemu, [new Model()]),
  steps: () => singleSteps(),
  cuts: () => cuts(),
  loops: (qemu) => runLoops(seed, Date.now() + 1000 * seconds, qemu && supportedBy(qemu), (text) => console.log(text)),
  storms: () => storms(seed, Date.now() + 1000 * seconds, (text) => console.log(text)),
  hostile: () => hostile(),
  slow: () => {
    slowGuests(ENGINE_NAMES);
    return true;
  },
};

function singleSteps(): boolean {
  const until = Date.now() + 1000 * seconds;
  const totals = { steps: 0, exceptions: 0 };
  for (let at = seed; Date.now() < until; at++)
    for (const engine of ENGINE_NAMES) {
      const { steps, exceptions, problems } = stepRows(engine, at, 100);
      for (const problem of problems) console.log(problem);
      if (problems.length > 0) return false;
      totals.steps += steps;
      totals.exceptions += exceptions;
    }
  console.log(`steps: ${totals.steps}, ${totals.exceptions} of them exceptions, as the rows say`);
  return true;
}

function cuts(): boolean {
  const until = Date.now() + 1000 * seconds;
  let [total, ticks] = [0, 0];
  for (let at = seed; Date.now() < until; at++)
    for (const regime of ['bare', 'sv39'] as const) {
      const report = cutPrograms(at, 100, regime);
      for (const problem of report.problems) console.log(problem);
      if (report.problems.length > 0) return false;
      total += report.cuts;
      ticks += report.ticks;
    }
  console.log(`cuts: ${total} in ${ticks} ticks, the same on every engine and across changes of the engine`);
  return true;
}

/** Every scene in turn, a million ticks at a time with a seed each. */
function hostile(): boolean {
  const until = Date.now() + 1000 * seconds;
  const most = Number(values.ticks);
  const totals = new Map(SCENES.map(({ name }) => [name, { ticks: 0, slowest: new Map<string, number>() }]));
  let good = true;
  for (let round = 0; good && round * PER_SEED < most && (most < Infinity || Date.now() < until); round++)
    for (const scene of SCENES) {
      const { ticks, slowest, problems } = runScene(scene, seed + round, Math.min(PER_SEED, most));
      const total = totals.get(scene.name)!;
      total.ticks += ticks;
      for (const [engine, took] of slowest) total.slowest.set(engine, Math.max(took, total.slowest.get(engine) ?? 0));
      for (const problem of problems) console.log(problem);
      good &&= problems.length === 0;
    }
  for (const [name, { ticks, slowest }] of totals) {
    const times = [...slowest].map(([engine, took]) => `${engine} ${took.toFixed(0)} ms`).join(', ');
    console.log(`hostile, ${name}: ${ticks} ticks on each engine; slowest 100,000 ticks, processor time: ${times}`);
  }
  return good;
}

function random(title: string, qemu: Qemu | undefined, ours: readonly Oracle[]): boolean {
  const oracles = qemu ? [qemu, ...ours] : ours;
  const options = {
    seed,
    programs,
    until: Date.now() + 1000 * seconds,
    progress: ({ programs: done }: Outcome): void => {
      if (done % 10_000 === 0) console.log(`${title}: ${done} programs`);
    },
  };
  return tell(title, compareRandom(supportedBy(...oracles), oracles, options));
}

if (values.help) console.log(USAGE);
else {
  const qemu = haveQemu() ? new Qemu() : undefined;
  if (!qemu) console.log('qemu-riscv64 is not installed: engines are compared with each other and with the rows only.');
  const names = positionals.length > 0 ? positionals : Object.keys(CAMPAIGNS);
  const unknown = names.filter((name) => !(name in CAMPAIGNS));
  if (unknown.length > 0) throw new Error(`there is no ${unknown.join(', ')}\n${USAGE}`);
  const good = names.map((name) => CAMPAIGNS[name]!(qemu));
  qemu?.close();
  process.exitCode = good.every(Boolean) ? 0 : 1;
}
