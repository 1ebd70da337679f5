/** A process of its own for each run of our machine: arguments are the image and a MachineRun as JSON, the answer is one line of JSON. */
import { readFileSync } from 'node:fs';
import { runOnMachine, type MachineResult, type MachineRun } from './machine';

/** What a run tells of itself; its CPU time is measured from outside, as that of the others. */
export interface ChildResult extends MachineResult {
  /** Peak resident set of the process. */
  readonly memoryMiB: number;
}

const [image, run] = process.argv.slice(2);
const result = runOnMachine(new Uint8Array(readFileSync(image!)), JSON.parse(run!) as MachineRun);
const answer: ChildResult = { ...result, memoryMiB: process.resourceUsage().maxRSS / 1024 };
process.stdout.write(JSON.stringify(answer));
