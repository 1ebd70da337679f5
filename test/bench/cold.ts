/**
 * `npm run bench -- --cold`: what starting costs. A static hello world by `penglai run` against `node -e 0`, in turn; and programs of about
 * five million instructions that touch much code, once with the engine that translates and once with the interpreter alone, in turn: CPU time of
 * the machine's run, start-up of the process and of the machine left out, what is still being compiled at the end included.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import type { EngineName } from '../../emulator/machine/types';
import type { ChildResult } from './child';
import { withPrograms, type Make } from './compiled';
import type { MachineRun } from './machine';
import { SHAPES } from './shapes';
import { median, timed } from './timed';
import { imageOf, workloads } from './workloads';

/** What is wanted: milliseconds above Node's own start, and CPU time of the interpreter alone as a multiple. */
const HELLO_MS = 60;
const SLOWER = 1.2;
const HELLO_PAIRS = 15;
export const SHAPE_PAIRS = 5;
const SIZE = 5_000_000;
const INTERPRETERS: readonly string[] = ['wasm', 'source'];

export interface Hello {
  /** Medians, milliseconds by the clock. */
  readonly node: number;
  readonly ours: number;
  /** Median of the differences of neighbours. */
  readonly above: number;
  /** The same by CPU time. */
  readonly aboveCpu: number;
}

export interface Shape {
  readonly name: string;
  readonly instructions: number;
  /** Median CPU milliseconds with each engine. */
  readonly interpreted: number;
  readonly translated: number;
  /** Median over the pairs of translated / interpreted. */
  readonly ratio: number;
}

export interface ColdReport {
  readonly hello: Hello;
  readonly engine: EngineName;
  readonly shapes: readonly Shape[];
}

export interface ColdOptions {
  readonly helloPairs?: number;
  readonly shapePairs?: number;
  /** Instructions of the shapes that are made here. */
  readonly size?: number;
  /** What is held against the interpreter. */
  readonly engine?: EngineName;
  readonly only?: readonly string[];
}

/** Milliseconds by the clock and of CPU time; output is thrown away, standard input is empty. */
function start(args: readonly string[]): { wall: number; cpu: number } {
  const began = performance.now();
  const { status, stderr, error } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const wall = performance.now() - began;
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${error?.message ?? stderr.toString()}`);
  return { wall, cpu: 1000 * timed(process.execPath, args).seconds };
}

function measureHello(program: string, pairs: number): Hello {
  const ours: { wall: number; cpu: number }[] = [];
  const node: { wall: number; cpu: number }[] = [];
  const command = [join(process.cwd(), 'dist/penglai.js'), 'run', program];
  // Once for the caches of the operating system.
  start(command);
  for (let i = 0; i < pairs; i++) {
    node.push(start(['-e', '0']));
    ours.push(start(command));
  }
  return {
    node: median(node.map(({ wall }) => wall)),
    ours: median(ours.map(({ wall }) => wall)),
    above: median(ours.map(({ wall }, i) => wall - node[i]!.wall)),
    aboveCpu: median(ours.map(({ cpu }, i) => cpu - node[i]!.cpu)),
  };
}

/** CPU milliseconds of the machine's run, and the result. */
function ran(child: string, image: string, run: MachineRun): { ms: number; result: ChildResult } {
  const { seconds, stdout } = timed(process.execPath, [child, image, JSON.stringify(run)]);
  const result = JSON.parse(stdout) as ChildResult;
  if (result.exitStatus !== 0) throw new Error(`${image}: exit status ${result.exitStatus}`);
  return { ms: 1000 * (seconds - result.startSeconds), result };
}

function measureShape(child: string, name: string, image: string, pairs: number, engine: EngineName): Shape {
  const [interpreted, translated]: [number[], number[]] = [[], []];
  const run = { rounds: 1 };
  let instructions = 0;
  let output: string | undefined;
  for (let i = 0; i < pairs; i++)
    for (const [times, which] of [
      [interpreted, 'wasm'],
      [translated, engine],
    ] as const) {
      const { ms, result } = ran(child, image, { ...run, engine: which });
      times.push(ms);
      output ??= result.output;
      instructions ||= result.instructions;
      if (result.output !== output || result.instructions !== instructions)
        throw new Error(`${name}: the engines disagree`);
    }
  return {
    name,
    instructions,
    interpreted: median(interpreted),
    translated: median(translated),
    ratio: median(translated.map((ms, i) => ms / interpreted[i]!)),
  };
}

async function images(make: Make, folder: string, size: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [name, shape] of Object.entries(SHAPES)) {
    const path = join(folder, name);
    writeFileSync(path, shape(size));
    found.set(name, path);
  }
  found.set('C library', await make('host', 'guests/startup.c', 'startup', ['-O2', '-lm']));
  for (const workload of workloads()) found.set(`${workload.name}, once`, imageOf(workload));
  return found;
}

/** Measures; every line of the report is told as soon as it is known. */
export function measureCold(child: string, options: ColdOptions, say: (line: string) => void): Promise<ColdReport> {
  const { helloPairs = HELLO_PAIRS, shapePairs = SHAPE_PAIRS, size = SIZE, only = [] } = options;
  const engine = options.engine ?? ENGINE_NAMES.find((name) => !INTERPRETERS.includes(name)) ?? 'wasm';
  return withPrograms(async (make, folder) => {
    const hello = measureHello(await make('host', 'guests/hello.c', 'hello', ['-O2']), helloPairs);
    say(
      `hello world: ${hello.ours.toFixed(0)} ms, node -e 0: ${hello.node.toFixed(0)} ms; median difference of ${helloPairs} pairs ` +
        `${hello.above.toFixed(0)} ms (CPU ${hello.aboveCpu.toFixed(0)} ms), wanted at most ${HELLO_MS}: ${hello.above <= HELLO_MS ? 'yes' : 'NO'}`,
    );
    if (engine === 'wasm') say('No engine but the interpreter: it is held against itself, which shows the noise.');
    say(
      `\n${'program'.padEnd(18)}${'instructions'.padStart(14)}${'wasm ms'.padStart(10)}${`${engine} ms`.padStart(15)}  ratio`,
    );
    const shapes: Shape[] = [];
    for (const [name, image] of await images(make, folder, size)) {
      if (only.length > 0 && !only.includes(name)) continue;
      const shape = measureShape(child, name, image, shapePairs, engine);
      shapes.push(shape);
      const cells = [String(shape.instructions).padStart(14), shape.interpreted.toFixed(0).padStart(10)];
      const verdict = shape.ratio <= SLOWER ? '' : `  more than ${SLOWER}`;
      say(
        `${name.padEnd(18)}${cells.join('')}${shape.translated.toFixed(0).padStart(15)}  ${shape.ratio.toFixed(2)}${verdict}`,
      );
    }
    return { hello, engine, shapes };
  });
}
