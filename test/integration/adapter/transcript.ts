/**
 * A session as text that can be reviewed: what was asked, what was answered, what was told, one line each. Numbers that differ from
 * build to build (addresses, hashes, ticks, places on this machine) are left out; output is gathered between stops, because how it
 * is cut into messages depends on the clock on the wall.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { EnclaveTransitionBody } from '../../../debug-adapter/dap/custom';
import { frameText, root, sample, type Run } from './client';

const writes = process.env['GOLDEN'] === 'write';

export class Transcript {
  private readonly lines: string[] = [];
  private told = 0;
  private output = new Map<string, string>();

  constructor(readonly run: Run) {
    this.told = run.messages.length;
  }

  note(line: string): void {
    this.lines.push(line);
  }

  /** Asks and writes down both, each event where it came. */
  async ask<Body>(
    command: string,
    args: unknown,
    show: string,
    answer: (body: Body) => string = () => '',
  ): Promise<Body> {
    this.catchUp();
    this.note(`-> ${command} ${show}`.trimEnd());
    const body = await this.run.ask<Body>(command, args);
    this.catchUp(command, answer(body));
    return body;
  }

  async breakpoints(path: string, lines: readonly number[]): Promise<void> {
    const args = { source: { path }, breakpoints: lines.map((line) => ({ line })) };
    const show = `${basename(path)}: ${lines.join(', ')}`;
    await this.ask<D.SetBreakpointsResponse['body']>('setBreakpoints', args, show, ({ breakpoints }) =>
      breakpoints.map(({ id, line, verified }) => `${id} at ${line}${verified ? '' : ' not verified'}`).join(', '),
    );
  }

  /** Waits for a stop; writes down the stack, and of its first frame the values of some expressions. */
  async stop(...shown: string[]): Promise<{ threadId: number; frames: D.StackFrame[] }> {
    const { threadId } = await this.run.nextStop();
    this.catchUp();
    const frames = await this.run.stack(threadId!);
    this.told = this.run.messages.length;
    let plumbing = false;
    for (const frame of frames) {
      const hidden = frame.presentationHint === 'subtle';
      if (!hidden) this.note(`     ${frameText(frame)}`);
      else if (!plumbing) this.note('     ~');
      plumbing = hidden;
    }
    const top = frames.find((frame) => frame.source);
    for (const text of top ? shown : []) this.note(`     . ${text} = ${await this.run.evaluate(text, top!.id)}`);
    this.told = this.run.messages.length;
    return { threadId: threadId!, frames };
  }

  async end(): Promise<void> {
    await this.run.ended();
    this.catchUp();
  }

  /**
   * Compares with the golden file; GOLDEN=write writes it instead. Where a step ends in the middle of a line depends on the compiler: a
   * transcript that differs for clang has a file of its own.
   */
  compare(name: string): void {
    const fileFor = (variant: string) =>
      join(root, 'test', 'integration', 'adapter', 'golden', `${name}${variant}.txt`);
    const isClang = readFileSync(sample(name, 'host')).includes('clang version');
    const text = this.lines.join('\n') + '\n';
    const same = existsSync(fileFor('')) && readFileSync(fileFor(''), 'utf8') === text;
    const file = fileFor(isClang && !same && (existsSync(fileFor('.clang')) || writes) ? '.clang' : '');
    if (writes) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    assert.equal(text, readFileSync(file, 'utf8'));
  }

  /** Writes down the events that came since the last time, and the response among them. */
  private catchUp(command?: string, answer = ''): void {
    for (const message of this.run.messages.slice(this.told)) {
      if (message.type === 'event') this.event(message as D.Event);
      else {
        const response = message as D.Response;
        this.note(`<- ${response.command} ${response.command === command ? answer : ''}`.trimEnd());
      }
    }
    this.told = this.run.messages.length;
  }

  private event({ event, body }: D.Event): void {
    if (event === 'output') {
      const { category, output } = body as D.OutputEvent['body'];
      this.output.set(category!, (this.output.get(category!) ?? '') + output);
      return;
    }
    // Sent as often as the clock on the wall allows.
    if (event === 'enclave/changed') return;
    if (event === 'stopped' || event === 'exited') this.printed();
    this.note(`== ${event} ${describe(event, body)}`.trimEnd());
  }

  private printed(): void {
    for (const [category, text] of [...this.output].sort())
      for (const line of text.trimEnd().split('\n')) this.note(`   ${category}| ${line}`);
    this.output = new Map();
  }
}

function describe(event: string, body: unknown): string {
  switch (event) {
    case 'stopped': {
      const { reason, threadId, hitBreakpointIds } = body as D.StoppedEvent['body'];
      return `${reason} thread ${threadId}${hitBreakpointIds ? ` breakpoints ${hitBreakpointIds.join(', ')}` : ''}`;
    }
    case 'module': {
      const { reason, module } = body as D.ModuleEvent['body'];
      return `${reason} ${module.name}: ${module.symbolStatus}`;
    }
    case 'enclave/transition': {
      const { name, from, to, tid } = body as EnclaveTransitionBody;
      const world = (who: typeof from) => (who ? `${who.name} #${who.instance} (${who.eid})` : 'host');
      return `${name} thread ${tid}: ${world(from)} -> ${world(to)}`;
    }
    case 'process':
      return (body as D.ProcessEvent['body']).name;
    case 'thread': {
      const { reason, threadId } = body as D.ThreadEvent['body'];
      return `${threadId} ${reason}`;
    }
    case 'exited':
      return String((body as D.ExitedEvent['body']).exitCode);
    default:
      return '';
  }
}
