/**
 * `penglai run`: runs a host program with its enclaves on the emulated machine and exits with the host's status. Owns how the guest's
 * streams become this process's; time is virtual and never waits for the wall clock.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AdapterError } from '../debug-adapter/errors';
import type { Files } from '../debug-adapter/session/files';
import { describeLaunch, gatherGuest, type Guest } from '../debug-adapter/session/guest';
import { tick } from '../emulator/units';
import { createSystem } from '../monitor/system/system';
import type { System, SystemEvent } from '../monitor/system/types';

/** Ticks between two looks at standard input and signals: some tens of milliseconds. */
const SLICE = 2_000_000;
/** Exit status when nobody reads standard output any more: that of a program which a shell says was ended by SIGPIPE. */
const NOBODY_READS = 128 + 13;
/** Lines of the machine's own messages that are shown; a program in a loop must not fill a disk. */
const MAX_NOTES = 200;

interface RunOptions {
  readonly sdkFile: readonly string[];
  readonly stdin?: string;
  readonly seed?: number;
  readonly limits?: 'memory' | 'device';
}

export function registerRun(program: Command): void {
  program.enablePositionalOptions();
  program
    .command('run')
    .description('run a host program and its enclaves; exits with the host’s status')
    .argument('<host>', 'the host program, a static riscv64 Linux executable')
    .argument('[args...]', 'its arguments')
    .option(
      '--sdk-file <file>',
      'a file or folder the guest sees in /root; instead of everything beside the host',
      collect,
      [],
    )
    .option('--stdin <file>', 'standard input of the host; otherwise that of this command')
    .option('--seed <number>', 'seed of everything random in the machine', integer)
    .addOption(
      new Option('--limits <which>', 'what sizes are limited to: RAM, or the published stack’s limits').choices([
        'memory',
        'device',
      ]),
    )
    .passThroughOptions()
    .action(async (host: string, args: string[], options: RunOptions) => {
      process.exitCode = await run(host, args, options);
    });
}

const collect = (file: string, files: readonly string[]): string[] => [...files, file];

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number from 0 on.');
  return value;
}

/** Reads a file the user named; the error says which and what to do. */
function read(file: string, what: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cause = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `can't be read (${code})`;
    throw new Error(`${what} ${file} ${cause}. Check the path, and that it has been built.`);
  }
}

/** The developer's files as the gathering of the guest's reads them. */
const files: Files = {
  async stat(uri) {
    const found = statSync(fileURLToPath(uri), { throwIfNoEntry: false });
    if (!found) return undefined;
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, size: found.size, modified: found.mtimeMs };
  },
  async read(uri) {
    return new Uint8Array(readFileSync(fileURLToPath(uri)));
  },
  async list(uri) {
    try {
      return readdirSync(fileURLToPath(uri)).sort();
    } catch {
      return [];
    }
  },
};

/** The machine's files are those the debugger would give it, from the same description. */
async function gather(host: string, { sdkFile }: RunOptions): Promise<Guest> {
  const sdkFiles = sdkFile.length > 0 ? sdkFile : undefined;
  try {
    return await gatherGuest(files, { program: host, sdkFiles, cwd: process.cwd() });
  } catch (error) {
    if (error instanceof AdapterError) throw new Error(inCommandLineWords(error.message));
    throw error;
  }
}

/** Launch attributes are options here. */
const inCommandLineWords = (text: string): string =>
  text
    .replaceAll(' of "sdkFiles"', '')
    .replace(/"(sdkFiles|program)" in launch\.json/g, 'the path')
    .replaceAll('"sdkFiles"', '--sdk-file');

/** Runs to the end; the exit status. */
async function run(host: string, args: readonly string[], options: RunOptions): Promise<number> {
  const guest = await gather(host, options);
  const input = options.stdin === undefined ? undefined : read(options.stdin, 'The file for standard input');
  const system = createSystem(
    describeLaunch(
      { args, seed: options.seed, limits: options.limits, terminal: process.stdout.isTTY === true },
      guest,
    ),
  );
  const console = new Console();
  for (const warning of guest.warnings) console.note(inCommandLineWords(warning));
  const outside = new Outside(system, input);
  try {
    for (;;) {
      const { reason } = system.run(tick(system.tick + SLICE));
      for (const event of system.drain()) console.show(event);
      if (!(await console.taken())) return NOBODY_READS;
      if (reason === 'halted') break;
      if (reason === 'idle' && !(await outside.more())) {
        console.note('every thread of the host is blocked and nothing can wake it: standard input has ended.');
        return 1;
      }
      await setImmediate();
    }
  } finally {
    outside.close();
    console.flush();
  }
  return system.exitStatus ?? 1;
}

/** Standard input and Ctrl-C, as inputs of the system. */
class Outside {
  private ended = false;
  private wake: (() => void) | undefined;
  private interrupts = 0;
  private readonly onData = (bytes: Buffer): void => this.put(bytes, false);
  private readonly onEnd = (): void => this.put(new Uint8Array(), true);
  private readonly onInterrupt = (): void => {
    if (this.interrupts++ > 0) process.exit(130);
    this.system.post({ kind: 'signal', signal: 'SIGINT' });
    this.wake?.();
  };

  constructor(
    private readonly system: System,
    input: Uint8Array | undefined,
  ) {
    process.on('SIGINT', this.onInterrupt);
    if (input) this.put(input, true);
    else process.stdin.on('data', this.onData).on('end', this.onEnd).on('error', this.onEnd);
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

  close(): void {
    process.off('SIGINT', this.onInterrupt);
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
