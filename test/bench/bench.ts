/**
 * `npm run bench`: the frozen workloads on our machine, beside qemu-riscv64 and bare-metal qemu-system-riscv64, in one run; and with an option
 * what else is measured here. Differences of some per cent are noise on a computer that does other things as well.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import type { EngineName } from '../../emulator/machine/types';
import { chartOf } from './chart';
import { buildCoreMark, COREMARK_SECONDS } from './coremark';
import { measureCold, SHAPE_PAIRS } from './cold';
import { measureElf } from './elf';
import { measureHosts } from './hosts';
import { withFolder } from './compiled';
import { findOpponents, measure, type Measured } from './measure';
import { measurePauses } from './pause';
import { measureRare } from './rare';
import { measureRegions, REGIONS } from './regions';
import { reportOf, tableFoot, tableHead, tableRow, type BenchReport } from './report';
import { reportScale } from './scale';
import { reportSteps } from './steps';
import { buildImages, imageOf, imagesAreCurrent, workloads, type Measurable, type Workload } from './workloads';

const USAGE = `npm run bench -- [options]
  --only NAME      this workload; may be given several times
  --quick          short runs, one turn: a glance, not a measurement
  --turns N        turns that the best is taken of (3)
  --json FILE      writes the result as JSON
  --engine NAME    the engine of our machine: ${ENGINE_NAMES.join(', ')}
Instead of the workloads beside QEMU:
  --cold           what starting costs, and programs that touch much code once, --count N pairs of each (5)
  --regions        distinct hot loops in one process, and its memory: --count N of them (${REGIONS}), --cap MIB of it
  --pause          how long pausing a busy guest takes, --count N times each (100)
  --hosts          the workloads in Node, in a worker of Chromium and in VS Code's processes
  --coremark FOLDER
                   CoreMark beside both QEMUs, built from its sources (github.com/eembc/coremark)
  --rare           instructions that most hot code has not, each in a loop (--only NAME)
  --elf -- FILE [ARGUMENTS]
                   a program of yours, beside qemu-riscv64
  --chart JSON     a chart of a result, as SVG on standard output
  --steps          how long the steps of the monitor and of the host OS take
  --scale          enclaves by the thousand, --count N of them (10,000)
  --build          builds the workloads' images from their sources`;

function fail(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function parsed() {
  try {
    const flag = { type: 'boolean', default: false } as const;
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        engine: { type: 'string' },
        turns: { type: 'string' },
        count: { type: 'string' },
        cap: { type: 'string' },
        chart: { type: 'string' },
        coremark: { type: 'string' },
        ...{ quick: flag, cold: flag, regions: flag, pause: flag, hosts: flag, rare: flag, elf: flag },
        ...{ steps: flag, build: flag, scale: flag },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { values: options, positionals } = parsed();
const say = (line: string): void => console.log(line);
const besideUs = (name: string): string => join(__dirname, `${name}.js`);

function chosen(only: readonly string[]): readonly Workload[] {
  const known = workloads();
  const unknown = only.filter((name) => !known.some((workload) => workload.name === name));
  if (unknown.length > 0)
    fail(`There is no workload ${unknown.join(', ')}. Choose from: ${known.map(({ name }) => name).join(', ')}.`);
  return only.length === 0 ? known : known.filter(({ name }) => only.includes(name));
}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`${text} is no whole number from 1 on.`);
}

function engineGiven(): { readonly engine?: EngineName } {
  const engine = ENGINE_NAMES.find((name) => name === options.engine);
  if (engine !== options.engine) fail(`There is no engine ${options.engine}. Choose from: ${ENGINE_NAMES.join(', ')}.`);
  return engine === undefined ? {} : { engine };
}

/** Where and when it was measured. */
const environment = () => ({
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  v8: process.versions.v8,
  load: loadavg()[0]!,
});

function keep(result: object): void {
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ environment: environment(), ...result }, null, 2)}\n`);
}

function sayWhere(how: string): void {
  const { cpu, node, load } = environment();
  say(`${cpu}, Node.js ${node}, load ${load.toFixed(1)}. ${how}`);
}

function bench(): void {
  if (!imagesAreCurrent()) say('The images are not those of the sources as they are now: --build makes them anew.');
  benchOf(chosen(options.only).map((workload) => ({ ...workload, image: imageOf(workload) })));
}

const coremark = (sources: string): Promise<void> =>
  withFolder((folder) => benchOf([buildCoreMark(sources, folder)], COREMARK_SECONDS));

/** `seconds`: that each run takes. */
function benchOf(list: readonly Measurable[], seconds = 3): void {
  const opponents = findOpponents();
  sayWhere('By CPU time; above 1x ours is faster.');
  if (!opponents.user) say('qemu-riscv64 is not installed: no ratios to it.');
  if (!opponents.system) say('qemu-system-riscv64 is not installed: no ratios to it.');
  say(tableHead());
  const measured: Measured[] = [];
  const turns = number(options.turns, options.quick ? 1 : 3);
  for (const workload of list) {
    const how = { seconds: options.quick ? 1 : seconds, turns, ...engineGiven() };
    const row = measure(workload, besideUs('child'), opponents, how);
    measured.push(row);
    say(tableRow(row));
  }
  for (const line of tableFoot(measured)) say(line);
  keep(reportOf(measured));
}

async function cold(): Promise<void> {
  sayWhere('Medians of pairs that ran in turn.');
  const few = options.quick ? { helloPairs: 5 } : {};
  const shapePairs = number(options.count, options.quick ? 1 : SHAPE_PAIRS);
  const { only } = options;
  keep(await measureCold(besideUs('child'), { only, ...few, shapePairs, ...engineGiven() }, say));
}

async function regions(): Promise<void> {
  const count = number(options.count, options.quick ? 20_000 : REGIONS);
  const cap = options.cap === undefined ? {} : { cap: number(options.cap, 0) };
  const report = await measureRegions(besideUs('regions-child'), { count, ...cap, ...engineGiven() }, say);
  keep(report);
  if (!report.kept) process.exitCode = 1;
}

async function pause(): Promise<void> {
  const { only } = options;
  sayWhere('By the clock.');
  keep(await measurePauses({ count: number(options.count, options.quick ? 10 : 100), only }, say));
}

async function hosts(): Promise<void> {
  sayWhere('');
  const turns = number(options.turns, options.quick ? 1 : 3);
  const how = { seconds: options.quick ? 1 : 3, turns, ...engineGiven() };
  keep(await measureHosts(chosen(options.only), __dirname, how, say));
}

async function rare(): Promise<void> {
  sayWhere('By CPU time; above 1x ours is faster.');
  const turns = number(options.turns, options.quick ? 1 : 3);
  keep(await measureRare(besideUs('child'), { turns, only: options.only, ...engineGiven() }, say));
}

function elf(): void {
  if (positionals.length === 0) fail('Which program? --elf -- FILE [ARGUMENTS]');
  sayWhere('');
  measureElf(besideUs('child'), positionals, { turns: number(options.turns, 3), ...engineGiven() }, say);
}

function chart(): void {
  process.stdout.write(chartOf(JSON.parse(readFileSync(options.chart!, 'utf8')) as BenchReport));
}

const modes = { build: buildImages, steps: reportSteps, cold, regions, pause, hosts, rare, elf } as const;

async function main(): Promise<void> {
  if (options.chart !== undefined) return chart();
  if (options.coremark !== undefined) return coremark(options.coremark);
  if (options.scale) return reportScale(number(options.count, 10_000));
  for (const [name, run] of Object.entries(modes)) if (options[name as keyof typeof modes]) return run();
  bench();
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
