/** The built samples as launch descriptions, and what a run of one prints. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tick } from '../../../emulator/units';
import type { LaunchDescription, System, SystemEvent } from '../../../monitor/system/types';

const BUILD = join(process.cwd(), 'samples/build');

/** Skips, and says so, where the samples have not been built. */
export function needsSamples(context: Mocha.Context): void {
  if (existsSync(join(BUILD, 'hello-world/host'))) return;
  console.log('skipped: samples/build is empty; npm run build fills it');
  context.skip();
}

export function sampleLaunch(
  name: string,
  args: readonly string[],
  more: Partial<LaunchDescription> = {},
): LaunchDescription {
  const folder = join(BUILD, name);
  const files = readdirSync(folder)
    .filter((file) => !file.startsWith('.') && statSync(join(folder, file)).isFile())
    .map((file) => ({ path: `/root/${file}`, bytes: new Uint8Array(readFileSync(join(folder, file))), mode: 0o755 }));
  return { program: '/root/host', argv0: './host', args, cwd: '/root', files, memoryMiB: 128, ...more };
}

/** Runs to the end; fails when nothing can go on. All events, each once. */
export function runToEnd(system: System, limit = 2_000_000_000): SystemEvent[] {
  const events: SystemEvent[] = [];
  for (;;) {
    const { reason } = system.run(tick(limit));
    events.push(...system.drain());
    if (reason === 'halted') return events;
    if (reason !== 'event' && reason !== 'stop') throw new Error(`the run came back with ${reason} at ${system.tick}`);
  }
}

/** Runs until an event; false when the machine stopped before. */
export function runUntil(system: System, wanted: (event: SystemEvent) => boolean): boolean {
  system.onEvent = wanted;
  const { reason } = system.run(tick(system.tick + 2_000_000_000));
  system.onEvent = undefined;
  return reason === 'event';
}

/** What enclaves printed and what the host printed, each in order. */
export function printed(events: readonly SystemEvent[]): { enclaves: string; stdout: string; stderr: string } {
  const text = (stream: 'stdout' | 'stderr') =>
    events.map((e) => (e.kind === 'output' && e.stream === stream ? new TextDecoder().decode(e.bytes) : '')).join('');
  const enclaves = events.map((e) => (e.kind === 'console' && e.source !== undefined ? e.text : '')).join('');
  return { enclaves, stdout: text('stdout'), stderr: text('stderr') };
}
