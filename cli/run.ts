/**
 * `penglai run`: runs a host program with its enclaves on the emulated machine and exits with the host's status. Owns how the guest's
 * streams become this process's; time is virtual and never waits for the wall clock.
 */
import { prepareImageHash, useImageHash } from '../emulator/linux/image-hash';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { Hazards } from './hazards';
import { describeLaunch, gatherGuest, type Guest } from '../debug-adapter/session/guest';
import { attestationSettings, type AttestationChoice } from '../debug-adapter/session/keys';
import type { Stamped } from '../emulator/machine/outbox';
import type { MachineExit } from '../emulator/machine/types';
import { tick } from '../emulator/units';
import { createSystem } from '../monitor/system/system';
import type { System, SystemEvent } from '../monitor/system/types';
import { attestationOption } from './attestation-options';
import { files, inCommandLineWords, inOwnWords, read } from './files';
import { OptimisationLater, withLateOptimisation } from './late-optimisation';
import { ReportFiles } from './reports';
import { SystemCallLog } from './strace';

/** Ticks between two looks at standard input and signals: some tens of milliseconds. */
const SLICE = 2_000_000;
/** Ticks between two looks at whether the program still is a short one. */
const PIECE = 100_000;
/** From so many bytes on a file is worth the faster way to hash. */
const LARGE_FILE = 2 ** 20;
/** Exit status when nobody reads standard output any more: that of a program which a shell says was ended by SIGPIPE. */
const NOBODY_READS = 128 + 13;
/** Lines of the machine's own messages that are shown; a program in a loop must not fill a disk. */
const MAX_NOTES = 200;

export interface RunOptions extends AttestationChoice {
  readonly sdkFile?: readonly string[];
  readonly root?: string;
  readonly mount?: Readonly<Record<string, string>>;
  readonly out?: Readonly<Record<string, string>>;
  readonly strace?: boolean;
  readonly straceFile?: string;
  readonly command?: readonly string[];
  readonly stdin?: string;
  readonly seed?: number;
  readonly limits?: 'memory' | 'device';
  readonly reports?: string;
  readonly hazards?: boolean;
  readonly endOnHazard?: boolean;
}

/** Sees every event of the machine. */
export interface EventLog {
  take(event: Stamped<SystemEvent>): void;
  close(): void;
}

export function registerRun(program: Command): void {
  program.enablePositionalOptions();
  const command = program
    .command('run')
    .description('run a host program and its enclaves; exits with the host’s status');
  withRunOptions(command).action(async (host: string, args: string[], options: RunOptions) => {
    process.exitCode = await run(host, args, options);
  });
}

/** What every command that runs a host program takes. */
export function withRunOptions(command: Command): Command {
  return command
    .argument('<host>', 'the host program, a riscv64 Linux executable; a dynamic one with --root or --mount')
    .argument('[args...]', 'its arguments')
    .option(
      '--sdk-file <file>',
      'a file or folder the guest sees in /root; instead of everything beside the host',
      collect,
    )
    .option('--root <folder>', 'the folder that becomes / of the machine')
    .option('--mount <place=path>', 'a folder or file that shows at a place of the machine', pair)
    .option('--out <place=path>', 'a file of the machine that is written to a path at the end', pair)
    .option('--strace', 'print every system call on standard error')
    .option('--strace-file <file>', 'write every system call into a file')
    .option('--command <line>', 'a line to execute instead of the host; may be given several times', collect)
    .option('--stdin <file>', 'standard input of the host; otherwise that of this command')
    .option('--seed <number>', 'seed of everything random in the machine', integer)
    .addOption(
      new Option('--limits <which>', 'what sizes are limited to: RAM, or the published stack’s limits').choices([
        'memory',
        'device',
      ]),
    )
    .addOption(attestationOption())
    .addOption(
      new Option('--keys <which>', 'simulated keys of the folder, or a machine without').choices(['generated', 'none']),
    )
    .addOption(
      new Option('--root-key <which>', 'what get_key derives from: the published test key, or the folder’s').choices([
        'published',
        'generated',
      ]),
    )
    .option('--reports <folder>', 'write every attestation report into files there')
    .option('--hazards', 'list at the end what the program did that goes wrong on a device')
    .option('--end-on-hazard', 'end the program when it does what a device would not survive')
    .passThroughOptions();
}

const collect = (file: string, files: readonly string[] = []): string[] => [...files, file];

/** `place=path`, added to those given before. */
function pair(text: string, known: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const cut = text.indexOf('=');
  if (cut < 1 || !text.startsWith('/') || cut === text.length - 1)
    throw new InvalidArgumentError('give a place in the machine, =, and a path here: /lib=./lib.');
  return { ...known, [text.slice(0, cut)]: text.slice(cut + 1) };
}

export function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number from 0 on.');
  return value;
}

/** The machine's files are those the debugger would give it, from the same description. */
async function gather(host: string, args: readonly string[], options: RunOptions): Promise<Guest> {
  const { sdkFile: sdkFiles, root, mount: mounts, command: commands } = options;
  return inOwnWords(gatherGuest(files, { program: host, args, commands, sdkFiles, root, mounts, cwd: process.cwd() }));
}

/** Runs to the end; the exit status. With a trace, that tells the system calls too if they are asked for. */
export async function run(
  host: string,
  args: readonly string[],
  options: RunOptions,
  trace?: (system: System) => EventLog,
): Promise<number> {
  useImageHash((bytes) => createHash('sha256').update(bytes).digest('hex'));
  const guest = await gather(host, args, options);
  const input = options.stdin === undefined ? undefined : read(options.stdin, 'The file for standard input');
  // Compiling it takes longer than hashing less with the other library.
  if (guest.files.some(({ bytes }) => bytes.length > LARGE_FILE)) await prepareImageHash();
  const attestation = await inOwnWords(attestationSettings(files, resolve(host), options));
  const reports = options.reports === undefined ? undefined : new ReportFiles(options.reports);
  const { seed, limits } = options;
  const systemCalls = options.strace === true || options.straceFile !== undefined;
  const logged = options.straceFile !== undefined || (systemCalls && !trace);
  const transitions = trace !== undefined;
  const policy = options.endOnHazard ? 'end' : 'explain';
  const terminal = process.stdout.isTTY === true;
  const interactive = terminal && input === undefined && process.stdin.isTTY;
  const later = new OptimisationLater();
  const system = withLateOptimisation(() =>
    createSystem(
      describeLaunch(
        { args, seed, limits, attestation, hazards: policy, terminal, interactive, systemCalls, transitions },
        guest,
      ),
    ),
  );
  const logs: EventLog[] = [
    ...(logged ? [new SystemCallLog(options.straceFile)] : []),
    ...(trace ? [trace(system)] : []),
  ];
  const hazards = new Hazards(system, guest.files);
  const console = new Console();
  for (const warning of guest.warnings) console.note(inCommandLineWords(warning));
  const outside = new Outside(system, input, interactive);
  try {
    for (;;) {
      const { reason } = runSlice(system, later);
      // Opening standard input takes time that a short program has no use for.
      if (reason !== 'halted') outside.open();
      for (const event of system.drain()) {
        console.show(event);
        const hazard = hazards.take(event);
        if (hazard !== undefined) console.note(hazard);
        reports?.take(event);
        for (const log of logs) log.take(event);
      }
      if (!(await console.taken())) return NOBODY_READS;
      if (reason === 'halted') break;
      if (reason === 'idle' && !(await outside.more())) {
        console.note('every thread of the host is blocked and nothing can wake it: standard input has ended.');
        return 1;
      }
      await setImmediate();
    }
  } finally {
    later.done();
    outside.close();
    console.flush();
    for (const log of logs) log.close();
    if (system.endedBy !== undefined)
      process.stderr.write(`penglai: ended by hazard ${system.endedBy}, as a device would be (--end-on-hazard)\n`);
    if (options.hazards) process.stderr.write(`penglai: hazards\n${hazards.table() || 'none'}\n`);
  }
  for (const [place, path] of Object.entries(options.out ?? {})) writeOut(system, place, path);
  return system.exitStatus ?? 1;
}

function runSlice(system: System, later: OptimisationLater): MachineExit {
  const end = tick(system.tick + SLICE);
  for (;;) {
    later.look();
    const exit = system.run(later.waiting ? tick(Math.min(system.tick + PIECE, end)) : end);
    if (exit.reason !== 'until' || system.tick >= end) return exit;
  }
}

/** Copies a file of the machine to a path here. */
function writeOut(system: System, place: string, path: string): void {
  const bytes = system.file(place);
  if (!bytes) throw new Error(`The machine has no file ${place} at its end. Check the place given with --out.`);
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new Error(
      `${path} can't be written (${(error as NodeJS.ErrnoException).code}). Check the folder given with --out.`,
    );
  }
}

/** Typed in the terminal of an interactive run: ends it whatever the guest does, as Ctrl-C is the guest's. */
const ESCAPE = 0x1d;

/** Standard input and Ctrl-C, as inputs of the system. From a terminal every key goes to the guest's terminal, which echoes and edits. */
class Outside {
  private ended = false;
  private opened = false;
  private wake: (() => void) | undefined;
  private interrupts = 0;
  private readonly onData = (bytes: Buffer): void => {
    if (this.interactive && bytes.includes(ESCAPE)) this.leave();
    this.put(bytes, false);
  };
  private readonly onEnd = (): void => this.put(new Uint8Array(), true);
  private readonly onInterrupt = (): void => {
    if (this.interrupts++ > 0) process.exit(130);
    this.system.post({ kind: 'signal', signal: 'SIGINT' });
    this.wake?.();
  };

  constructor(
    private readonly system: System,
    input: Uint8Array | undefined,
    private readonly interactive: boolean,
  ) {
    process.on('SIGINT', this.onInterrupt);
    if (input) this.put(input, true);
  }

  /** Standard input is read from now on. */
  open(): void {
    if (this.opened || this.ended) return;
    this.opened = true;
    if (this.interactive) process.stdin.setRawMode(true);
    process.stdin.on('data', this.onData).on('end', this.onEnd).on('error', this.onEnd);
  }

  private put(bytes: Uint8Array, end: boolean): void {
    if (this.ended) return;
    this.ended = end;
    this.system.post({ kind: 'stdin', bytes: new Uint8Array(bytes), end });
    this.wake?.();
  }

  /** Waits for something from outside; false when nothing can come any more. */
  async more(): Promise<boolean> {
    if (this.ended) return false;
    await new Promise<void>((done) => (this.wake = done));
    this.wake = undefined;
    return true;
  }

  private leave(): never {
    process.stdin.setRawMode(false);
    process.exit(130);
  }

  close(): void {
    process.off('SIGINT', this.onInterrupt);
    if (!this.opened) return;
    if (this.interactive) process.stdin.setRawMode(false);
    process.stdin.off('data', this.onData).off('end', this.onEnd).off('error', this.onEnd);
    if (!process.stdin.destroyed) process.stdin.destroy();
  }
}

/** What the guest prints: the host's streams as they are, enclaves' text line by line, the machine's own words on stderr. */
class Console {
  private readonly lines = new Map<string, string>();
  private notes = 0;
  private broken = false;
  private wake: (() => void) | undefined;

  constructor() {
    for (const stream of [process.stdout, process.stderr])
      stream.on('error', () => {
        this.broken = true;
        this.wake?.();
      });
    process.stdout.on('drain', () => this.wake?.());
  }

  /** Waits until a slow reader has caught up, so that nothing piles up here; false when there is no reader any more. */
  async taken(): Promise<boolean> {
    if (process.stdout.writableNeedDrain && !this.broken) await new Promise<void>((done) => (this.wake = done));
    this.wake = undefined;
    return !this.broken;
  }

  show(event: SystemEvent): void {
    switch (event.kind) {
      case 'output':
        (event.stream === 'stdout' ? process.stdout : process.stderr).write(event.bytes);
        break;
      case 'console':
        this.text(event.text, event.source);
        break;
      case 'enclave-fault':
        this.note(`enclave #${event.instance} is killed: ${event.what}`);
        break;
      case 'process-fault':
        this.note(`the host is killed by ${event.signal} (address 0x${(event.address >>> 0).toString(16)})`);
        break;
      case 'missing-system-call':
        this.note(`the host called ${event.name} (${event.number}), which this host OS does not have: it got ENOSYS.`);
        break;
      case 'monitor-log':
        this.note(event.text);
        break;
    }
  }

  /** Enclaves print in pieces: lines of several of them must not mix. */
  private text(text: string, source: unknown): void {
    if (source === undefined) return this.note(text.trimEnd());
    const key = JSON.stringify(source);
    const lines = ((this.lines.get(key) ?? '') + text).split('\n');
    const rest = lines.pop()!;
    for (const line of lines) process.stdout.write(line + '\n');
    if (rest === '') this.lines.delete(key);
    else this.lines.set(key, rest);
  }

  note(text: string): void {
    if (++this.notes <= MAX_NOTES) process.stderr.write(`penglai: ${text}\n`);
    else if (this.notes === MAX_NOTES + 1)
      process.stderr.write('penglai: (more messages of the machine are not shown)\n');
  }

  flush(): void {
    for (const rest of this.lines.values()) process.stdout.write(rest + '\n');
    this.lines.clear();
  }
}
