/** Runs a program on the host OS with the test firmware, and collects what it told the outside. */
import { createLinux } from '../../../emulator/linux/linux';
import type { LinuxEvent } from '../../../emulator/linux/events';
import type { CharacterDevice } from '../../../emulator/linux/device';
import type { GuestFile, Linux, LinuxOptions } from '../../../emulator/linux/types';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName, MachineExit } from '../../../emulator/machine/types';
import { tick } from '../../../emulator/units';
import { testFirmware, testPageTables, type Counts } from './firmware';

export interface HostOptions {
  readonly program: Uint8Array;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: readonly GuestFile[];
  readonly stdin?: string;
  readonly devices?: readonly CharacterDevice[];
  readonly terminal?: boolean;
  readonly interactive?: boolean;
  readonly quantum?: number;
  readonly vary?: boolean;
  readonly seed?: number;
  readonly ramMiB?: number;
  /** As of createMachine. */
  readonly engine?: EngineName;
  readonly hotness?: number;
  readonly trace?: LinuxOptions['trace'];
  readonly nodes?: LinuxOptions['nodes'];
}

export interface Host {
  readonly machine: SoftwareMachine;
  readonly linux: Linux;
  readonly events: (LinuxEvent & { tick: number; sequence: number })[];
  readonly counts: Counts;
  /** Runs until the machine halts, idles or `until`; collects events. */
  run(until?: number): MachineExit;
  text(stream?: 'stdout' | 'stderr'): string;
}

export function newHost(options: HostOptions): Host {
  const { engine, hotness } = options;
  const machine = createMachine({
    ramBytes: (options.ramMiB ?? 256) * 1024 * 1024,
    ...(engine && { engine }),
    ...(hotness !== undefined && { hotness }),
  });
  const linuxOptions: LinuxOptions = {
    program: '/home/program',
    args: options.args ?? [],
    env: options.env ?? {},
    cwd: '/home',
    files: [{ path: '/home/program', bytes: options.program, mode: 0o755 }, ...(options.files ?? [])],
    devices: options.devices ?? [],
    pageTables: testPageTables,
    clockHz: 100_000_000,
    epoch: 1_700_000_000,
    seed: options.seed ?? 1,
    terminal: options.terminal ?? options.interactive ?? false,
    interactive: options.interactive ?? false,
    quantum: options.quantum ?? 100_000,
    vary: options.vary ?? false,
    ...(options.trace ? { trace: options.trace } : {}),
    ...(options.nodes ? { nodes: options.nodes } : {}),
  };
  const counts: Counts = { writes: 0, entries: 0, timers: 0 };
  const linux = createLinux(machine, linuxOptions);
  machine.personalities.machine = testFirmware(machine, counts);
  machine.personalities.supervisor = linux;
  const events: Host['events'] = [];
  if (options.stdin !== undefined)
    linux.post({ kind: 'stdin', bytes: new TextEncoder().encode(options.stdin), end: true });
  return {
    machine,
    linux,
    events,
    counts,
    run(until = 20_000_000_000) {
      const exit = machine.run(tick(until));
      events.push(...(machine.outbox.drain() as unknown as Host['events']));
      return exit;
    },
    text(stream = 'stdout') {
      const parts = events.flatMap((event) =>
        event.kind === 'output' && event.stream === stream ? [...event.bytes] : [],
      );
      return new TextDecoder().decode(Uint8Array.from(parts));
    },
  };
}
