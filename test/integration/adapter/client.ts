/**
 * A client of the adapter over standard input and output, as an editor is one. Keeps every message, so that a test can wait for
 * what has already come. Waits have a generous end: they say that something never came, not how fast it was.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { programFile } from '../../tools/programs';

/** Longer than anything takes on a slow machine. */
const NEVER_MS = 60_000;

export const root = process.cwd();
export const adapterProgram = programFile('debug-adapter');
export const sample = (name: string, file = '') => join(root, 'samples', 'build', name, file);
export const sampleSource = (name: string, file: string) => join(root, 'samples', name, file);

export type Message = D.Event | D.Response;

export class Client {
  readonly messages: Message[] = [];
  /** Exit code, once the process is gone. */
  exitCode: number | null | undefined;
  stderr = '';
  private readonly process: ChildProcessWithoutNullStreams;
  private received = Buffer.alloc(0);
  private seq = 0;
  private waiting: (() => void)[] = [];
  /** What came on standard output and is no message. */
  pollution = '';

  constructor(args: readonly string[] = []) {
    if (!existsSync(adapterProgram)) throw new Error(`${adapterProgram} does not exist: run \`npm run bundle\` first`);
    this.process = spawn(process.execPath, [adapterProgram, ...args]);
    this.process.stdout.on('data', (bytes: Buffer) => this.receive(bytes));
    this.process.stderr.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()));
    this.process.on('exit', (code) => {
      this.exitCode = code;
      this.wake();
    });
    this.process.stdin.on('error', () => undefined);
  }

  get pid(): number {
    return this.process.pid!;
  }

  request(command: string, args?: unknown): Promise<D.Response> {
    const seq = ++this.seq;
    this.write({ seq, type: 'request', command, arguments: args });
    return this.find<D.Response>(
      (message) => message.type === 'response' && (message as D.Response).request_seq === seq,
      `the response to ${command}`,
    );
  }

  /** As `request`, and throws when it was refused. */
  async ask<Body = Record<string, never>>(command: string, args?: unknown): Promise<Body> {
    const response = await this.request(command, args);
    if (!response.success) throw new Error(`${command}: ${errorText(response)}`);
    return response.body as Body;
  }

  write(message: unknown): void {
    const text = JSON.stringify(message);
    this.writeRaw(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  writeRaw(text: string): void {
    this.process.stdin.write(text);
  }

  /** As a client does that vanishes. */
  closeInput(): void {
    this.process.stdin.end();
  }

  kill(): void {
    if (this.exitCode === undefined) this.process.kill('SIGKILL');
  }

  /** The first event of a name after message number `from`. */
  event<Event extends D.Event = D.Event>(name: string, from = 0): Promise<Event> {
    return this.find<Event>(
      (message) => message.type === 'event' && (message as D.Event).event === name,
      `the event ${name}`,
      from,
    );
  }

  /** Waits for the process to end by itself. */
  async gone(): Promise<number | null> {
    await this.until(() => this.exitCode !== undefined, 'the end of the adapter');
    return this.exitCode!;
  }

  events(name: string): D.Event[] {
    return this.messages.filter(
      (message): message is D.Event => message.type === 'event' && (message as D.Event).event === name,
    );
  }

  /** Everything that was printed, by category. */
  output(...categories: string[]): string {
    return this.events('output')
      .filter(({ body }) => categories.length === 0 || categories.includes(body.category))
      .map(({ body }) => body.output as string)
      .join('');
  }

  private async find<T extends Message>(wanted: (message: Message) => boolean, what: string, from = 0): Promise<T> {
    const search = () => this.messages.slice(from).find(wanted);
    await this.until(() => search() !== undefined || this.exitCode !== undefined, what);
    const found = search();
    if (!found) throw new Error(`the adapter ended (${this.exitCode}) before ${what} came. ${this.stderr}`);
    return found as T;
  }

  private async until(done: () => boolean, what: string): Promise<void> {
    const end = Date.now() + NEVER_MS;
    while (!done()) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}. ${this.stderr}\n${this.summary()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  private summary(): string {
    return this.messages
      .slice(-10)
      .map((message) => JSON.stringify(message).slice(0, 200))
      .join('\n');
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const one of waiting) one();
  }

  private receive(bytes: Buffer): void {
    this.received = Buffer.concat([this.received, bytes]);
    for (;;) {
      const header = this.received.indexOf('\r\n\r\n');
      if (header < 0) break;
      const length = /^Content-Length: (\d+)$/.exec(this.received.subarray(0, header).toString())?.[1];
      if (length === undefined) {
        this.pollution += this.received.toString();
        break;
      }
      const end = header + 4 + Number(length);
      if (this.received.length < end) break;
      this.messages.push(JSON.parse(this.received.subarray(header + 4, end).toString()) as Message);
      this.received = this.received.subarray(end);
    }
    this.wake();
  }
}

export function errorText(response: D.Response): string {
  const { error } = (response as D.ErrorResponse).body;
  return error
    ? error.format.replace(/\{(\w+)\}/g, (_, name: string) => error.variables?.[name] ?? '')
    : response.message!;
}

const CLIENT = {
  ...{ clientID: 'test', adapterID: 'penglai', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' },
  ...{ supportsInvalidatedEvent: true },
};

/** One session from launch to its end, with the steps a test repeats. */
export class Run extends Client {
  /** Where the wait for the next stop begins. */
  private seen = 0;

  /** Sends initialize and launch; resolves when the adapter is ready for breakpoints, or has refused. */
  async prepare(launch: Record<string, unknown>): Promise<D.Response | undefined> {
    await this.ask('initialize', CLIENT);
    const answer = this.request('launch', { pace: 'fast', ...launch });
    const first = await Promise.race([answer, this.event('initialized').then(() => undefined)]);
    void answer.catch(() => undefined);
    return first;
  }

  async breakpoints(path: string, lines: readonly number[]): Promise<D.Breakpoint[]> {
    const body = await this.ask<D.SetBreakpointsResponse['body']>('setBreakpoints', {
      source: { path },
      breakpoints: lines.map((line) => ({ line })),
    });
    return body.breakpoints;
  }

  async start(): Promise<void> {
    await this.ask('configurationDone');
  }

  async nextStop(): Promise<D.StoppedEvent['body']> {
    const stopped = await this.event<D.StoppedEvent>('stopped', this.seen);
    this.seen = this.messages.indexOf(stopped) + 1;
    return stopped.body;
  }

  /** continue, next, stepIn or stepOut, and where it stopped. */
  async go(command: 'continue' | 'next' | 'stepIn' | 'stepOut', threadId: number): Promise<D.StoppedEvent['body']> {
    await this.ask(command, { threadId });
    return this.nextStop();
  }

  async stack(threadId: number): Promise<D.StackFrame[]> {
    return (await this.ask<D.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
  }

  async evaluate(expression: string, frameId: number): Promise<string> {
    return (await this.ask<D.EvaluateResponse['body']>('evaluate', { expression, frameId, context: 'watch' })).result;
  }

  /** Variables of a scope of a frame, name to value. */
  async scope(frameId: number, name: string): Promise<Record<string, string>> {
    const { scopes } = await this.ask<D.ScopesResponse['body']>('scopes', { frameId });
    const reference = scopes.find((scope) => scope.name === name)!.variablesReference;
    const { variables } = await this.ask<D.VariablesResponse['body']>('variables', { variablesReference: reference });
    return Object.fromEntries(variables.map((variable) => [variable.name, variable.value]));
  }

  /** Exit code of the program, once the session has ended. */
  async ended(): Promise<number> {
    const { body } = await this.event<D.ExitedEvent>('exited');
    await this.event('terminated');
    return body.exitCode;
  }
}

/** `serve server.c:38`, and labels as `[call_enclave -> test-server #1]`. */
export function frameText(frame: D.StackFrame): string {
  if (frame.presentationHint === 'label') return `[${frame.name}]`;
  return frame.source ? `${frame.name} ${frame.source.name}:${frame.line}` : frame.name;
}
