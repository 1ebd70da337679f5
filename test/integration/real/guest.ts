/** The same program on the whole system: machine, monitor, host OS. */
import { prepareImageHash } from '../../../emulator/linux/image-hash';
import { tick } from '../../../emulator/units';
import { createSystem } from '../../../monitor/system/system';
import type { Folder } from './folder';

export interface GuestCommand {
  readonly folders: readonly Folder[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly input?: string;
  /** Typed into the terminal: each piece when everything is blocked, or after so many milliseconds of virtual time. */
  readonly typed?: readonly Typed[];
  readonly memoryMiB?: number;
  /** Of virtual time; every program here ends long before. */
  readonly seconds?: number;
  readonly vary?: boolean;
}
export type Typed = string | { readonly after: number; readonly text: string };

export interface GuestEnding {
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly terminal: string;
  readonly status: number | undefined;
  /** The kernel's log: panics, processes killed for want of memory. */
  readonly log: string;
  readonly missing: readonly string[];
}

const CLOCK_HZ = 100_000_000;
const SLICE = 5_000_000;

export async function onGuest(command: GuestCommand): Promise<GuestEnding> {
  await prepareImageHash();
  const terminal = command.typed !== undefined;
  const system = createSystem({
    program: command.argv[0]!,
    argv0: command.argv[0]!,
    args: command.argv.slice(1),
    env: command.env,
    cwd: command.cwd,
    files: command.folders.flatMap(({ files }) => files),
    nodes: command.folders.flatMap(({ nodes }) => nodes),
    memoryMiB: command.memoryMiB ?? 512,
    terminal,
    interactive: terminal,
    schedule: { vary: command.vary ?? false },
  });
  const bytes = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[], terminal: [] as Uint8Array[] };
  let log = '';
  const missing: string[] = [];
  const type = (text: string, end = false): void =>
    system.post({ kind: 'stdin', bytes: new TextEncoder().encode(text), end });
  if (!terminal) type(command.input ?? '', true);
  const typed = [...(command.typed ?? [])];
  let status: number | undefined;
  let due = 0;
  const limit = (command.seconds ?? 600) * CLOCK_HZ;
  while (system.tick < limit) {
    const next = typed[0];
    const waits = typeof next === 'object';
    const { reason } = system.run(
      tick(waits ? Math.min(system.tick + SLICE, due + next.after * 1e5) : system.tick + SLICE),
    );
    for (const event of system.drain()) {
      if (event.kind === 'output') {
        bytes[event.stream].push(event.bytes);
        bytes.terminal.push(event.bytes);
      } else if (event.kind === 'console') log += event.text;
      else if (event.kind === 'missing-system-call') missing.push(event.name);
    }
    if (reason === 'halted') {
      status = system.exitStatus;
      break;
    }
    const isDue = reason === 'idle' || (waits && system.tick >= due + next.after * 1e5);
    if (isDue && next !== undefined) {
      type(typeof next === 'string' ? next : next.text);
      typed.shift();
      due = system.tick;
    } else if (reason === 'idle') break;
  }
  const text = (stream: keyof typeof bytes): string => Buffer.concat(bytes[stream]).toString('utf8');
  return { stdout: text('stdout'), stderr: text('stderr'), terminal: text('terminal'), status, log, missing };
}
