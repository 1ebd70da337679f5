/** Runs guests/regions.c as `penglai run` does: yielding between slices, so that what is not used any more can be released. */
import { readFileSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Translated } from '../../emulator/engine/types';
import type { EngineName } from '../../emulator/machine/types';
import { tick } from '../../emulator/units';
import { createSystem } from '../../monitor/system/system';

export interface RegionsRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly engine?: EngineName;
}

export interface RegionsResult {
  readonly engine: EngineName;
  /** Resident set after each quarter, MiB: as it is, and when garbage was collected. */
  readonly rss: readonly number[];
  readonly collected: readonly number[];
  readonly peak: number;
  readonly output: string;
  readonly exitStatus: number | undefined;
  readonly ticks: number;
  readonly translated: Translated | undefined;
}

/** As the command line slices. */
const SLICE = 2_000_000;
const residentMiB = (): number => process.memoryUsage.rss() / 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What V8 keeps of garbage depends on when it looked for some last; what it can't collect does not. */
async function residentCollected(): Promise<number> {
  // The second finds what the first has made free; memory goes back to the system behind it.
  for (let i = 0; i < 3; i++) {
    collect();
    await setTimeout(50);
  }
  return residentMiB();
}

/** Runs to the end. Throws an Error when the machine comes to rest before. */
export async function runRegions({ program, args, engine }: RegionsRun): Promise<RegionsResult> {
  const file = { path: '/root/regions', bytes: new Uint8Array(readFileSync(program)), mode: 0o755 };
  const system = createSystem({ program: file.path, args, files: [file], memoryMiB: 256 });
  if (engine !== undefined) system.machine.useEngine(engine);
  const [rss, collected]: [number[], number[]] = [[], []];
  const decoder = new TextDecoder();
  let output = '';
  for (;;) {
    const { reason } = system.run(tick(system.tick + SLICE));
    for (const event of system.drain()) if (event.kind === 'output') output += decoder.decode(event.bytes);
    const quarters = output.split('quarter').length - 1;
    while (rss.length < quarters) {
      rss.push(residentMiB());
      collected.push(await residentCollected());
    }
    if (reason === 'halted') break;
    if (reason !== 'until') throw new Error(`the machine came to rest: ${reason}`);
    await setImmediate();
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  return {
    engine: system.machine.engineName,
    rss,
    collected,
    peak,
    output,
    exitStatus: system.exitStatus,
    ticks: system.tick,
    translated: system.machine.translated,
  };
}
