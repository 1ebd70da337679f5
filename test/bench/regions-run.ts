/** Runs guests/regions.c as `penglai run` does: yielding between slices, so that what is not used any more can be released. */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
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
  /** Resident set after each quarter, MiB. */
  readonly rss: readonly number[];
  readonly peak: number;
  readonly output: string;
  readonly exitStatus: number | undefined;
  readonly ticks: number;
  readonly translated: Translated | undefined;
}

/** As the command line slices. */
const SLICE = 2_000_000;
const MIB = 2 ** 20;

/** Runs to the end. Throws an Error when the machine comes to rest before. */
export async function runRegions({ program, args, engine }: RegionsRun): Promise<RegionsResult> {
  const file = { path: '/root/regions', bytes: new Uint8Array(readFileSync(program)), mode: 0o755 };
  const system = createSystem({ program: file.path, args, files: [file], memoryMiB: 256 });
  if (engine !== undefined) system.machine.useEngine(engine);
  const rss: number[] = [];
  const decoder = new TextDecoder();
  let output = '';
  for (;;) {
    const { reason } = system.run(tick(system.tick + SLICE));
    for (const event of system.drain()) if (event.kind === 'output') output += decoder.decode(event.bytes);
    const quarters = output.split('quarter').length - 1;
    while (rss.length < quarters) rss.push(process.memoryUsage.rss() / MIB);
    if (reason === 'halted') break;
    if (reason !== 'until') throw new Error(`the machine came to rest: ${reason}`);
    await setImmediate();
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  return {
    engine: system.machine.engineName,
    rss,
    peak,
    output,
    exitStatus: system.exitStatus,
    ticks: system.tick,
    translated: system.machine.translated,
  };
}
