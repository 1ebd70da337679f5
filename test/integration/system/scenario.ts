/** Runs of samples with inputs at fixed ticks, whole or cut in two: what the tests of cut runs and their child process share. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tick } from '../../../emulator/units';
import type { ExternalInput, LaunchDescription, System } from '../../../monitor/system/types';

const build = resolve(__dirname, '../../../../samples/build');

export interface Scenario {
  readonly launch: LaunchDescription;
  /** Inputs by tick, ascending. */
  readonly inputs: readonly { readonly at: number; readonly input: ExternalInput }[];
}

/** A system saved at a tick, as it travels to another process. */
export interface Cut {
  readonly scenario: Scenario;
  /** Number of inputs that were posted before. */
  readonly posted: number;
  readonly saved: unknown;
}

export interface Outcome {
  readonly hash: string;
  readonly tick: number;
  readonly exitStatus: number | undefined;
  /** Everything printed, in order, each piece with its tick and number. */
  readonly printed: readonly string[];
}

function sample(name: string, args: readonly string[]): LaunchDescription {
  const folder = join(build, name);
  const files = readdirSync(folder).map((file) => ({
    path: `/root/${file}`,
    bytes: new Uint8Array(readFileSync(join(folder, file))),
    mode: 0o755,
  }));
  return { program: '/root/host', argv0: './host', args, cwd: '/root', files, memoryMiB: 256, seed: 7 };
}

export const typed = (text: string, end = false): ExternalInput => ({
  kind: 'stdin',
  bytes: new TextEncoder().encode(text),
  end,
});

export const SCENARIOS: Readonly<Record<string, () => Scenario>> = {
  'stop-resume': () => ({
    launch: sample('stop-resume', ['loop', '--input']),
    inputs: [
      { at: 6_000_000, input: typed('stop\n') },
      { at: 9_000_000, input: typed('resu') },
      { at: 9_500_000, input: typed('me\n') },
      { at: 13_000_000, input: typed('destroy\n', true) },
    ],
  }),
  'server-chain': () => ({ launch: sample('server-chain', ['caller', 'server', 'server1']), inputs: [] }),
};

/**
 * Runs to `until` at most (the end when absent), from the input number `posted` on. An input is due at its tick, or earlier when the
 * machine sleeps and nothing else can wake it.
 */
export function advance(system: System, scenario: Scenario, posted = 0, until = Infinity) {
  let next = posted;
  for (; next < scenario.inputs.length && scenario.inputs[next]!.at < until; next++) {
    if (runTo(system, scenario.inputs[next]!.at) === 'halted') break;
    system.post(scenario.inputs[next]!.input);
  }
  runTo(system, Math.min(until, system.tick + LONGEST));
  return { printed: printedBy(system), posted: next };
}

/** More ticks than any of the samples takes. */
const LONGEST = 2_000_000_000;

function printedBy(system: System): string[] {
  return system.drain().flatMap((event) => {
    const at = `${event.tick}/${event.sequence}`;
    if (event.kind === 'output') return [`${at} ${event.stream} ${new TextDecoder().decode(event.bytes)}`];
    return event.kind === 'console' ? [`${at} console ${event.text}`] : [];
  });
}

function runTo(system: System, until: number): 'until' | 'idle' | 'halted' {
  while (system.tick < until) {
    const { reason } = system.run(tick(until));
    if (reason === 'halted' || reason === 'idle') return reason;
    if (reason !== 'until') throw new Error(`the run came back with ${reason}`);
  }
  return 'until';
}

export function outcome(system: System, printed: readonly string[]): Outcome {
  return { hash: system.hash(), tick: system.tick, exitStatus: system.exitStatus, printed };
}
