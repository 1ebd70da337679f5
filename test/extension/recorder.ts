/** Starts debug sessions in the running VS Code and records every message between it and the adapter. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';

export const samples = resolve(__dirname, '../../../samples');
const PATIENCE_MS = 60_000;

type Event = DebugProtocol.Event;

export interface Recorded {
  readonly session: vscode.DebugSession;
  /** In order of arrival, both directions. */
  readonly messages: DebugProtocol.ProtocolMessage[];
  /** Exit code of the adapter's process, once it is gone. */
  exit?: { code: number | undefined };
}

const sessions: Recorded[] = [];
const changed = new vscode.EventEmitter<void>();

vscode.debug.registerDebugAdapterTrackerFactory('penglai', {
  createDebugAdapterTracker(session) {
    const recorded: Recorded = { session, messages: [] };
    sessions.push(recorded);
    const take = (message: DebugProtocol.ProtocolMessage) => {
      recorded.messages.push(message);
      changed.fire();
    };
    return {
      onWillReceiveMessage: take,
      onDidSendMessage: take,
      onExit: (code) => {
        recorded.exit = { code };
        changed.fire();
      },
    };
  },
});

/** Waits until `look` returns something; fails with `what` and the state of things otherwise. */
export async function until<T>(what: string, look: () => T | undefined, describe?: () => unknown): Promise<T> {
  const found = look();
  if (found !== undefined) return found;
  return new Promise<T>((done, fail) => {
    const poll = setInterval(check, 100); // for things no message announces
    const subscription = changed.event(check);
    const timer = setTimeout(() => {
      finish();
      fail(new Error(`waited in vain for ${what}${describe ? `; last: ${JSON.stringify(describe())}` : ''}`));
    }, PATIENCE_MS);
    function finish() {
      clearInterval(poll);
      clearTimeout(timer);
      subscription.dispose();
    }
    function check() {
      const value = look();
      if (value === undefined) return;
      finish();
      done(value);
    }
  });
}

/** A session under test. */
export class Run {
  private seenStops = 0;

  constructor(readonly recorded: Recorded) {}

  get session(): vscode.DebugSession {
    return this.recorded.session;
  }

  events<E extends Event>(name: E['event']): E[] {
    return this.recorded.messages.filter((m): m is E => m.type === 'event' && (m as Event).event === name);
  }

  /** Position of the first message that fits; -1 without one. */
  indexOf(fits: (message: DebugProtocol.Request & DebugProtocol.Response & Event) => boolean): number {
    return this.recorded.messages.findIndex((message) => fits(message as never));
  }

  async event<E extends Event>(name: E['event'], fits: (event: E) => boolean = () => true): Promise<E> {
    return until(
      `event ${name}`,
      () => this.events<E>(name).find(fits),
      () => this.recorded.messages.slice(-8),
    );
  }

  /** The next `stopped` event that was not taken yet; fails when the session ends instead. */
  async nextStop(): Promise<DebugProtocol.StoppedEvent['body']> {
    const index = this.seenStops++;
    const found = await until<DebugProtocol.StoppedEvent['body'] | 'ended'>(
      `stop number ${index + 1}`,
      () => this.events<DebugProtocol.StoppedEvent>('stopped')[index]?.body ?? (this.terminated ? 'ended' : undefined),
      () => this.recorded.messages.slice(-8),
    );
    if (found === 'ended') assert.fail(`the session ended before stop number ${index + 1}:\n${this.output()}`);
    return found;
  }

  get terminated(): boolean {
    return this.events('terminated').length > 0;
  }

  get stops(): number {
    return this.events('stopped').length;
  }

  async request<Body = unknown>(command: string, args: object = {}): Promise<Body> {
    return this.session.customRequest(command, args);
  }

  async stack(threadId: number): Promise<DebugProtocol.StackFrame[]> {
    return (await this.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
  }

  /** Name to value of a frame's variables in the scopes that are not registers. */
  async variables(frameId: number): Promise<Map<string, string>> {
    const { scopes } = await this.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
    const values = new Map<string, string>();
    for (const scope of scopes.filter((s) => s.presentationHint !== 'registers')) {
      const { variables } = await this.request<DebugProtocol.VariablesResponse['body']>('variables', {
        variablesReference: scope.variablesReference,
      });
      for (const variable of variables) values.set(variable.name, variable.value);
    }
    return values;
  }

  async evaluate(expression: string, frameId: number): Promise<string> {
    const args = { expression, frameId, context: 'hover' };
    return (await this.request<DebugProtocol.EvaluateResponse['body']>('evaluate', args)).result;
  }

  async continue(threadId = 1): Promise<void> {
    await this.request('continue', { threadId });
  }

  /** Output as a person sees it in the debug console, `telemetry` left out. */
  output(): string {
    return this.events<DebugProtocol.OutputEvent>('output')
      .filter((event) => event.body.category !== 'telemetry')
      .map((event) => event.body.output)
      .join('');
  }

  async ended(): Promise<number | undefined> {
    await this.event('terminated');
    await until('the adapter to be gone', () => this.recorded.exit);
    return this.events<DebugProtocol.ExitedEvent>('exited')[0]?.body.exitCode;
  }
}

export function readConfigurations(): vscode.DebugConfiguration[] {
  const text = readFileSync(join(samples, '.vscode/launch.json'), 'utf8');
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')).configurations;
}

/** Starts a configuration (by name from the samples' launch.json, or as given) and returns its session. */
export async function start(configuration: string | vscode.DebugConfiguration): Promise<Run> {
  const before = sessions.length;
  const folder = vscode.workspace.workspaceFolders?.[0];
  const started = await vscode.debug.startDebugging(folder, configuration);
  assert.ok(started, `VS Code did not start ${JSON.stringify(configuration)}`);
  return new Run(await until('a debug session', () => sessions[before]));
}

export function launch(program: string, args: string[], more: object = {}): vscode.DebugConfiguration {
  return {
    type: 'penglai',
    request: 'launch',
    name: `test ${program}`,
    program: join(samples, 'build', program),
    args,
    ...more,
  };
}

/** Line (from 0) of a `// bp: name` marker. */
export function markerLine(file: string, name: string): number {
  const lines = readFileSync(file, 'utf8').split('\n');
  const line = lines.findIndex((text) => new RegExp(`// bp: ${name}\\b`).test(text));
  assert.notEqual(line, -1, `${file} has no marker ${name}`);
  return line;
}

export function setBreakpoint(file: string, marker: string): vscode.SourceBreakpoint {
  const position = new vscode.Position(markerLine(file, marker), 0);
  const breakpoint = new vscode.SourceBreakpoint(new vscode.Location(vscode.Uri.file(file), position));
  vscode.debug.addBreakpoints([breakpoint]);
  return breakpoint;
}

export function clearBreakpoints(): void {
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
}

/** Ends what a failed test left behind. */
export async function endAll(): Promise<void> {
  clearBreakpoints();
  await vscode.debug.stopDebugging();
  for (const recorded of sessions) await until('every adapter to be gone', () => recorded.exit);
}

/** Frames as short text: `name file:line` or `[label]`. */
export function frameTexts(frames: readonly DebugProtocol.StackFrame[]): string[] {
  return frames.map((frame) =>
    frame.presentationHint === 'label' ? `[${frame.name}]` : `${frame.name} ${frame.source?.name ?? '?'}:${frame.line}`,
  );
}

/** Asks the runner for a picture of the workbench; does nothing where no pictures are taken. */
export async function picture(name: string): Promise<void> {
  const folder = process.env['WORKBENCH_SHOTS'];
  if (!folder) return;
  console.log(`\u2063SHOT ${name}`);
  await until(`picture ${name}`, () => (existsSync(join(folder, `${name}.png`)) ? true : undefined));
}

/** Path of a frame's source: what a custom request returns has been made a URI where the workbench runs in a browser. */
export function sourcePath(frame: DebugProtocol.StackFrame): string {
  const path = frame.source?.path ?? '';
  return path.startsWith('vscode-remote:') ? vscode.Uri.parse(path).path : path;
}
