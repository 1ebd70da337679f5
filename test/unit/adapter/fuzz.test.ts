/**
 * Messages no client should send, and some it should, in any order: each request is answered exactly once, none with a defect of
 * ours, and the adapter lives until it is told to go. Seeded, so that a failure repeats; FUZZ_ROUNDS runs longer.
 */
import assert from 'node:assert/strict';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { requests } from '../../../debug-adapter/requests/index';
import { IN_LIST, SOURCE, start } from './in-process';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 30);
const MESSAGES = 80;

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Generator {
  constructor(readonly next: () => number) {}

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  private readonly commands = requests.map(({ command }) => command as string);

  /** Anything JSON can be. */
  junk(depth = 0): unknown {
    const numbers = [0, 1, -1, 2, 3, 1.5, 2 ** 31, 2 ** 53, -(2 ** 60), 1e308, 1000, 65536];
    const texts = [
      '',
      'x',
      SOURCE,
      '/p/tour',
      '\u0000',
      '\ud800',
      '../'.repeat(50),
      'C:\\x',
      '\\\\host\\share',
      'http://x',
      '%00',
      '__proto__',
      'a'.repeat(5000),
    ];
    const kinds = [
      () => this.pick(numbers),
      () => this.pick(texts),
      () => this.chance(0.5),
      () => null,
      () => (depth > 3 ? 0 : Array.from({ length: Math.floor(this.next() * 4) }, () => this.junk(depth + 1))),
      () => (depth > 3 ? '' : this.fields(depth + 1)),
    ];
    return this.pick(kinds)();
  }

  private fields(depth: number): Record<string, unknown> {
    const names = [
      'path',
      'line',
      'source',
      'name',
      'breakpoints',
      'constructor',
      '__proto__',
      'threadId',
      'hex',
      'pid',
      'instance',
    ];
    return Object.fromEntries(Array.from({ length: 3 }, () => [this.pick(names), this.junk(depth)]));
  }

  expression(): string {
    const tokens = [
      'total',
      'first',
      '->',
      '.',
      '[',
      ']',
      '(',
      ')',
      '*',
      '&',
      '+',
      '-',
      '/',
      '%',
      '<<',
      '0',
      '1',
      '0x7fffffffffffffff',
      '1e400',
      'sizeof',
      '(int)',
      '(char *)',
      '$pc',
      '$sp',
      ',x',
      ',100000',
      '"a"',
      "'",
      '?',
      ':',
      '!',
      '~',
      '==',
      '999999999999999999999',
      'struct',
      'node',
      '#',
      ' ',
    ];
    return Array.from({ length: 1 + Math.floor(this.next() * 8) }, () => this.pick(tokens)).join(
      this.chance(0.5) ? ' ' : '',
    );
  }

  /** What a client would send, where there is such a thing. */
  private sensible(command: string): unknown {
    const small = () => Math.floor(this.next() * 6);
    switch (command) {
      case 'launch':
      case 'restart':
        return this.chance(0.7) ? { program: '/p/tour', pace: 'fast', stopOnEntry: this.chance(0.5) } : this.fields(0);
      case 'setBreakpoints':
        return {
          source: { path: SOURCE },
          breakpoints: this.chance(0.7) ? [{ line: IN_LIST }, { line: small() * 30 }] : [],
        };
      case 'breakpointLocations':
        return { source: { path: SOURCE }, line: small(), endLine: 200 };
      case 'stackTrace':
        return { threadId: 1, startFrame: small(), levels: small() };
      case 'scopes':
        return { frameId: small() };
      case 'variables':
        return { variablesReference: small(), start: small(), count: small() };
      case 'evaluate':
        return { expression: this.expression(), frameId: small() };
      default:
        return { threadId: 1, instance: small() };
    }
  }

  message(seq: number): unknown {
    const ends = ['disconnect', 'terminate'];
    let command = this.pick(this.commands);
    if (ends.includes(command) && this.chance(0.95)) command = 'evaluate';
    if (this.chance(0.03)) command = this.pick(['', 'noSuch', 'toString', '__proto__', 'x'.repeat(1000)]);
    const args = this.chance(0.25) ? this.junk() : this.sensible(command);
    // One field of what is right is wrong.
    if (this.chance(0.3) && typeof args === 'object' && args !== null && !Array.isArray(args)) {
      const names = Object.keys(args);
      if (names.length > 0) (args as Record<string, unknown>)[this.pick(names)] = this.junk();
    }
    return { seq, type: 'request', command, ...(this.chance(0.05) ? {} : { arguments: args }) };
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function play(seed: number): Promise<void> {
  const generator = new Generator(random(seed));
  const session = start();
  const { server, all } = session;
  const sent: { seq: number; command: string }[] = [];
  const send = (message: unknown) => {
    const { seq, command } = message as { seq: number; command: string };
    sent.push({ seq, command });
    server.handleMessage(structuredClone(message) as D.ProtocolMessage);
  };
  const opening: [string, unknown][] = [
    ['initialize', { adapterID: 'penglai' }],
    ['launch', { program: '/p/tour', pace: 'fast' }],
    ['setBreakpoints', { source: { path: SOURCE }, breakpoints: [{ line: IN_LIST }] }],
    ['configurationDone', {}],
  ];
  // Most clients come as far as a stop, some break off before.
  const steps = generator.chance(0.8) ? opening.length : Math.floor(generator.next() * opening.length);
  for (const [command, args] of opening.slice(0, steps)) {
    send({ seq: session.nextSeq(), type: 'request', command, arguments: args });
    for (let i = 0; i < 20; i++) await turn();
  }
  for (let i = 0; i < MESSAGES; i++) {
    if (generator.chance(0.05)) server.handleMessage(generator.junk() as D.ProtocolMessage);
    else send(generator.message(session.nextSeq()));
    if (generator.chance(0.7)) for (let turns = 0; turns < 3; turns++) await turn();
  }
  send({ seq: session.nextSeq(), type: 'request', command: 'disconnect', arguments: {} });
  const answers = () => all.filter((one): one is D.Response => one.type === 'response');
  for (let turns = 0; turns < 2000 && answers().length < sent.length; turns++) await turn();
  const counts = new Map<number, number>();
  for (const { request_seq } of answers()) counts.set(request_seq, (counts.get(request_seq) ?? 0) + 1);
  for (const { seq, command } of sent) assert.equal(counts.get(seq), 1, `answers to ${command} (${seq}), seed ${seed}`);
  const defects = answers().filter(({ message }) => message === 'INTERNAL_ERROR');
  assert.deepEqual(
    [
      ...defects.map(({ command, body }) => `${command}: ${JSON.stringify(body)}`),
      ...session.logged.filter((line) => line.startsWith('defect')),
    ],
    [],
    `seed ${seed}`,
  );
  assert.equal(session.exited(), 0);
}

describe('The adapter under a hostile client', () => {
  for (let seed = 1; seed <= ROUNDS; seed++) it(`answers everything once (seed ${seed})`, () => play(seed));
});
