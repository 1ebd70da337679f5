/** A process of its own for each run of our machine: arguments are the image and a MachineRun as JSON, the answer is one line of JSON. */
import '../../debug-adapter/node-flags';
import { readFileSync } from 'node:fs';
import { prepare, toTheEnd, type MachineResult, type MachineRun } from './machine';

/** What a run tells of itself; the CPU time of the process is measured from outside, as that of the others. */
export interface ChildResult extends MachineResult {
  /** Peak resident set of the process. */
  readonly memoryMiB: number;
  /** CPU seconds of the process before the machine's first instruction. */
  readonly startSeconds: number;
  /** Of the machine's run: CPU seconds (all threads) and seconds by the clock. */
  readonly runSeconds: number;
  readonly wallSeconds: number;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const [image, argument] = process.argv.slice(2);
const run = prepare(new Uint8Array(readFileSync(image!)), JSON.parse(argument!) as MachineRun);
const [startSeconds, began] = [cpuSeconds(), performance.now()];
const result = toTheEnd(run);
const wallSeconds = (performance.now() - began) / 1000;
const runSeconds = cpuSeconds() - startSeconds;
const memoryMiB = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  JSON.stringify({ ...result, memoryMiB, startSeconds, runSeconds, wallSeconds } satisfies ChildResult),
);
