/**
 * `npm run bench`: the frozen workloads on our machine, beside qemu-riscv64 and bare-metal qemu-system-riscv64, in one run. Differences of
 * some per cent are noise on a computer that does other things as well.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import { findOpponents, measure, type Measured } from './measure';
import { reportOf, tableFoot, tableHead, tableRow } from './report';
import { reportScale } from './scale';
import { reportSteps } from './steps';
import { buildImages, imagesAreCurrent, workloads, type Workload } from './workloads';

const USAGE = `npm run bench -- [options]
  --only NAME      this workload; may be given several times
  --quick          short runs, one turn: a glance, not a measurement
  --json FILE      writes the result as JSON
  --engine NAME    wasm or source: the engine of our machine
  --steps          instead: how long the steps of the monitor and of the host OS take
  --scale          instead: enclaves by the thousand, --count N of them (10,000)
  --build          instead: builds the workloads' images from their sources`;

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function parsed() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        engine: { type: 'string' },
        steps: { type: 'boolean', default: false },
        build: { type: 'boolean', default: false },
        scale: { type: 'boolean', default: false },
        count: { type: 'string', default: '10000' },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function chosen(only: readonly string[]): readonly Workload[] {
  const known = workloads();
  const unknown = only.filter((name) => !known.some((workload) => workload.name === name));
  if (unknown.length > 0)
    fail(`There is no workload ${unknown.join(', ')}. Choose from: ${known.map(({ name }) => name).join(', ')}.`);
  return only.length === 0 ? known : known.filter(({ name }) => only.includes(name));
}

function bench({ only, quick, json, engine }: ReturnType<typeof parsed>): void {
  const known = ENGINE_NAMES.find((name) => name === engine);
  if (engine !== known) fail(`There is no engine ${engine}. Choose from: ${ENGINE_NAMES.join(', ')}.`);
  const list = chosen(only);
  const opponents = findOpponents();
  console.log(
    `${cpus()[0]?.model}, Node.js ${process.version}, load ${loadavg()[0]!.toFixed(1)}. By CPU time; above 1x ours is faster.`,
  );
  if (!imagesAreCurrent())
    console.log('The images are not those of the sources as they are now: --build makes them anew.');
  if (!opponents.user) console.log('qemu-riscv64 is not installed: no ratios to it.');
  if (!opponents.system) console.log('qemu-system-riscv64 is not installed: no ratios to it.');
  console.log(tableHead());
  const measured: Measured[] = [];
  const options = { seconds: quick ? 1 : 3, turns: quick ? 1 : 3, ...(known === undefined ? {} : { engine: known }) };
  for (const workload of list) {
    const row = measure(workload, join(__dirname, 'child.js'), opponents, options);
    measured.push(row);
    console.log(tableRow(row));
  }
  for (const line of tableFoot(measured)) console.log(line);
  if (json !== undefined) writeFileSync(json, JSON.stringify(reportOf(measured), null, 2) + '\n');
}

const options = parsed();
if (options.build) buildImages();
else if (options.steps) reportSteps();
else if (options.scale) void reportScale(Number(options.count));
else bench(options);
