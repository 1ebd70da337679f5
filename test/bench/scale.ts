/**
 * `npm run bench -- --scale`: what enclaves cost by the thousand. Every figure and ratio comes from this one call: creating and forking
 * enclaves of 64 MiB and 1 MiB, hashing and copying 64 MiB, a crowd of instances inside RUN with and without a recording, and enclaves
 * that are created, run and lost one after the other. Each measurement is a process of its own (scale-child.ts).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { withPrograms, type Make } from './compiled';
import type { Level, ScaleResult, ScaleRun } from './scale-child';

const MIB = 2 ** 20;
const FORKS = 1000;
const CROWD_MEMORY = 2048;

interface Images {
  readonly host: string;
  readonly big: string;
  readonly small: string;
  readonly crowd: string;
  readonly hello: string;
}

async function build(make: Make): Promise<Images> {
  return {
    host: await make('host', 'scale/host.c', 'host'),
    big: await make('eapp', 'scale/instance.c', 'big', [`-DSIZE=${64 * MIB}`, '-DENDS']),
    small: await make('eapp', 'scale/instance.c', 'small', [`-DSIZE=${MIB}`, '-DENDS']),
    crowd: await make('eapp', 'scale/instance.c', 'crowd'),
    hello: await make('eapp', 'scale/instance.c', 'hello', ['-DENDS']),
  };
}

function child(run: Partial<ScaleRun> & Pick<ScaleRun, 'what'>): ScaleResult {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(__dirname, 'scale-child.js'), JSON.stringify({ memoryMiB: 1024, recording: false, ...run })],
    { encoding: 'utf8', maxBuffer: 64 * MIB },
  );
  if (status !== 0) throw new Error(`${run.what}: ${stderr}`);
  const result = JSON.parse(stdout) as ScaleResult;
  if (result.output?.includes('[ERROR]')) throw new Error(`${run.what}: ${result.output}`);
  return result;
}

/** The middle of times around the one with a number, from 1. */
function around(times: readonly number[], number: number, by = 50): number {
  const window = times.slice(Math.max(0, number - 1 - by), number + by).sort((a, b) => a - b);
  return window[window.length >> 1] ?? NaN;
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(3) : value.toFixed(0)} ms`;
/** A figure with what it is to be, and whether it is. */
function line(
  what: string,
  value: number,
  unit: string,
  limit?: { readonly most?: number; readonly least?: number },
): void {
  const { most = Infinity, least = -Infinity } = limit ?? {};
  const wanted = most < Infinity ? `at most ${most}` : least > -Infinity ? `at least ${least}` : '';
  const verdict = wanted === '' ? '' : `  ${wanted}: ${value <= most && value >= least ? 'yes' : 'NO'}`;
  console.log(
    `  ${what.padEnd(64)}${(value >= 100 ? value.toFixed(0) : value.toFixed(3)).padStart(10)} ${unit}${verdict}`,
  );
}

function forking({ host, big, small }: Images): void {
  const bytes = child({ what: 'bytes', bytes: 64 * MIB });
  const large = child({ what: 'forks', host, enclave: big, count: FORKS });
  const little = child({ what: 'forks', host, enclave: small, count: FORKS });
  const [fork, other] = [around(large.forks, FORKS - 200, 200), around(little.forks, FORKS - 200, 200)];
  console.log(
    `A template of 64 MiB: create ${ms(large.create)}, fork to first instruction ${ms(fork)} (1 MiB: ${ms(other)}).`,
  );
  console.log(
    `64 MiB: standard SM3 ${ms(bytes.sm3Wasm)} (hash-wasm), ${ms(bytes.sm3Script)} (sm-crypto-v2); copy ${ms(bytes.copy)}.`,
  );
  line('create / fork, 64 MiB', large.create / fork, 'x', { least: 1000 });
  line('fork of 64 MiB / fork of 1 MiB', fork / other, 'x', { most: 2 });
  line('fork / copying 64 MiB', fork / bytes.copy, 'x', { most: 1 / 20 });
  line('create / standard SM3 of the same bytes, hash-wasm', large.create / bytes.sm3Wasm, 'x', { most: 3 });
}

function crowding({ host, crowd }: Images, count: number): void {
  for (const recording of [false, true]) {
    const run = child({ what: 'crowd', host, enclave: crowd, count, memoryMiB: CROWD_MEMORY, recording });
    const recorded = recording ? `with a recording (${run.snapshots} snapshots)` : 'without a recording';
    console.log(`${count} live instances ${recorded}, ${run.seconds.toFixed(0)} s:`);
    line('instances that printed', run.printed, '', { least: count });
    line('instances held inside RUN by a thread each', Math.min(run.live, run.stopped), '', { least: count });
    line('peak resident set', run.rssMiB, 'MiB', recording ? undefined : { most: 2048 });
    if (recording) continue;
    const [early, late] = [around(run.forks, 100), around(run.forks, count - 50)];
    line('fork: the hundredth', early, 'ms');
    line(`fork: number ${count}`, late, 'ms');
    line('the latter / the former', late / early, 'x', { most: 2 });
  }
}

function cycling({ host, hello }: Images, count: number): void {
  const { flat, seconds } = child({ what: 'cycles', host, enclave: hello, count });
  // The first ones fill caches.
  const [first, last] = [flat[0]!, flat.at(-1)!] as [Level, Level];
  console.log(`${count} cycles of create, run and exit, ${seconds.toFixed(0)} s:`);
  line('free pages of kernel and monitor lost', free(first) - free(last), '', { most: 0 });
  line('entries of tables more', last.entries - first.entries, '', { most: 0 });
  line('heap of the process more', last.heapMiB - first.heapMiB, 'MiB');
}
const free = ({ kernelPages, monitorPages }: Level): number => kernelPages + monitorPages;

/** Measures and prints. */
export async function reportScale(count: number): Promise<void> {
  await withPrograms(async (make) => {
    const images = await build(make);
    forking(images);
    crowding(images, count);
    cycling(images, count);
  });
}
