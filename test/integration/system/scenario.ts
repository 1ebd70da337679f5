/** Runs of samples with inputs at fixed ticks, whole or cut in two: what the tests of cut runs and their child process share. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { tick, type Tick } from '../../../emulator/units';
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

const typed = (text: string, end = false): ExternalInput => ({
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

/** Runs to `until` at most (the end when absent), posting the inputs that lie ahead; what was printed is returned. */
export function advance(system: System, scenario: Scenario, until = Infinity): string[] {
  const printed: string[] = [];
  const collect = () => {
    for (const event of system.drain()) {
      const at = `${event.tick}/${event.sequence}`;
      if (event.kind === 'output') printed.push(`${at} ${event.stream} ${new TextDecoder().decode(event.bytes)}`);
      if (event.kind === 'console') printed.push(`${at} console ${event.text}`);
    }
  };
  const ahead = scenario.inputs.filter(({ at }) => at >= system.tick && at < until);
  for (const { at, input } of ahead) {
    if (runTo(system, tick(at))) break;
    system.post(input);
  }
  runTo(system, tick(Math.min(until, system.tick + 2_000_000_000)));
  collect();
  return printed;
}

/** True when the machine halted before `until`. */
function runTo(system: System, until: Tick): boolean {
  while (system.tick < until) {
    const { reason } = system.run(until);
    if (reason === 'halted') return true;
    if (reason !== 'until') throw new Error(`the run of ${basename(system.constructor.name)} came back with ${reason}`);
  }
  return false;
}

export function outcome(system: System, printed: readonly string[]): Outcome {
  return { hash: system.hash(), tick: system.tick, exitStatus: system.exitStatus, printed };
}
