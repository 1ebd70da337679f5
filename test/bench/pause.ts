/**
 * `npm run bench -- --pause`: how long it takes from the request to pause until the adapter says that the program has stopped, at random moments
 * of guests that leave it little time. The adapter is the process that the editor starts, over standard input and output. What the computer itself
 * delays is in those times; so an idle process is asked for an answer over the same kind of pipes before each pause, and a second idle one tells how
 * late its timers were.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { setTimeout } from 'node:timers/promises';
import { Run } from '../integration/adapter/client';
import { withPrograms, type Make } from './compiled';
import { median, quantile } from './timed';

const MIB = 2 ** 20;
/** Milliseconds. */
const LONGEST = 30;
const LONGEST_CREATING = 50;
const PAUSES = 100;
/** Between going on and the next pause: at random up to so many milliseconds. */
const APART = 60;

export interface Times {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

export interface PauseRow {
  readonly name: string;
  readonly limit: number;
  readonly pauses: Times;
  /** An idle process, asked in the same minutes. */
  readonly idle: Times;
}

export interface PauseReport {
  readonly count: number;
  readonly rows: readonly PauseRow[];
  /** How late timers of an idle process were meanwhile. */
  readonly timers: Times;
}

interface Guest {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** What else the program finds in its folder. */
  readonly sdkFiles: readonly string[];
  readonly limit: number;
}

const timesOf = (values: readonly number[]): Times => ({
  median: median(values),
  p99: quantile(values, 0.99),
  max: Math.max(...values),
});

/** Answers each byte. */
class Echo {
  private readonly process: ChildProcessWithoutNullStreams = spawn(process.execPath, [
    '-e',
    'process.stdin.on("data", (data) => process.stdout.write(data))',
  ]);
  private answer: (() => void) | undefined;

  constructor() {
    this.process.stdout.on('data', () => this.answer?.());
  }

  /** Milliseconds until the answer was here. */
  async asked(): Promise<number> {
    const began = performance.now();
    const came = new Promise<void>((done) => (this.answer = done));
    this.process.stdin.write('.');
    await came;
    return performance.now() - began;
  }

  end(): void {
    this.process.kill();
  }
}

/** An idle process whose timers are 5 ms apart; says how late they were when its input ends. */
function timerWatch(): () => Promise<Times> {
  const script = `const late = []; let due = performance.now() + 5;
    const tick = () => { late.push(performance.now() - due); due = performance.now() + 5; timer = setTimeout(tick, 5); };
    let timer = setTimeout(tick, 5);
    process.stdin.on('end', () => { clearTimeout(timer); process.stdout.write(JSON.stringify(late)); }).resume();`;
  const child = spawn(process.execPath, ['-e', script]);
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  return async () => {
    const ended = new Promise((done) => child.once('close', done));
    child.stdin.end();
    await ended;
    return timesOf(JSON.parse(text) as number[]);
  };
}

async function guests(make: Make): Promise<Guest[]> {
  const program = await make('host', 'guests/pause.c', 'pause', ['-O1']);
  const host = await make('host', 'scale/host.c', 'host');
  const big = await make('eapp', 'scale/instance.c', 'big', [`-DSIZE=${64 * MIB}`, '-DENDS']);
  const plain: Readonly<Record<string, string>> = {
    loop: 'a loop',
    float: 'subnormal floats',
    pages: 'touching new pages',
    calls: 'system calls',
    forks: 'a storm of forks',
  };
  return [
    ...Object.entries(plain).map(([what, name]) => ({ name, program, args: [what], sdkFiles: [], limit: LONGEST })),
    {
      name: 'creating enclaves of 64 MiB',
      program: host,
      args: ['cycles', 'big', '1000000'],
      sdkFiles: [big],
      limit: LONGEST_CREATING,
    },
  ];
}

/** Milliseconds of each pause of a guest, and of what the idle process was asked before. */
async function pausesOf({ program, args, sdkFiles }: Guest, count: number, echo: Echo): Promise<[number[], number[]]> {
  const run = new Run();
  const [times, idle]: [number[], number[]] = [[], []];
  try {
    const refused = await run.prepare({ program, args, sdkFiles });
    if (refused) throw new Error(JSON.stringify(refused));
    await run.start();
    await setTimeout(500);
    for (let i = 0; i < count; i++) {
      await setTimeout(APART * Math.random());
      idle.push(await echo.asked());
      const from = run.messages.length;
      const began = performance.now();
      const asked = run.ask('pause', { threadId: 1 });
      const stopped = await run.event<D.StoppedEvent>('stopped', from);
      times.push(performance.now() - began);
      await asked;
      await run.ask('continue', { threadId: stopped.body.threadId ?? 1 });
      // Old ones would only be searched again.
      run.messages.splice(0);
    }
  } finally {
    run.kill();
  }
  return [times, idle];
}

const cells = ({ median, p99, max }: Times): string =>
  [median, p99, max].map((ms) => ms.toFixed(1).padStart(8)).join('');

/** Measures and tells. */
export function measurePauses(
  { count = PAUSES, only = [] }: { readonly count?: number; readonly only?: readonly string[] },
  say: (line: string) => void,
): Promise<PauseReport> {
  return withPrograms(async (make) => {
    const echo = new Echo();
    const timers = timerWatch();
    const rows: PauseRow[] = [];
    try {
      say(`${count} pauses each, milliseconds: median, 99th per cent, longest.`);
      say(`${'guest'.padEnd(30)}${'pause'.padStart(24)}${'an idle process'.padStart(24)}`);
      for (const guest of await guests(make)) {
        if (only.length > 0 && !guest.args.some((arg) => only.includes(arg))) continue;
        const [times, idle] = await pausesOf(guest, count, echo);
        const row = { name: guest.name, limit: guest.limit, pauses: timesOf(times), idle: timesOf(idle) };
        rows.push(row);
        const verdict = row.pauses.max <= row.limit ? 'yes' : 'NO';
        say(`${row.name.padEnd(30)}${cells(row.pauses)}${cells(row.idle)}  wanted at most ${row.limit}: ${verdict}`);
      }
    } finally {
      echo.end();
    }
    const late = await timers();
    say(`Timers of an idle process were late by ${cells(late)} ms.`);
    return { count, rows, timers: late };
  });
}
