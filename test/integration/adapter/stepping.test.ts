/**
 * Steps as a developer of C knows them from other debuggers: each case is a stop at a marker of steps.c, commands, and the markers
 * they lead to. Compared with gdb on qemu-riscv64, which differs in this: it goes on to the next line where a call returns into the
 * middle of one, loses a step at a longjmp, and stops in libraries without source.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnclaveOperationBody } from '../../../debug-adapter/dap/custom';
import { build, compilerKind, folder, markerLine, programSource } from './builds';
import { frameText, Run, sample, sampleSource } from './client';

const source = programSource('steps.c');
const text = readFileSync(source, 'utf8').split('\n');
const running: Run[] = [];

async function launch(program: string, args: string[], more: Record<string, unknown> = {}): Promise<Run> {
  const run = new Run();
  running.push(run);
  assert.equal(await run.prepare({ program, args, ...more }), undefined);
  return run;
}

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
  }
});

const COMMANDS = { n: 'next', i: 'stepIn', o: 'stepOut', c: 'continue' } as const;

/** The marker of the innermost frame's line, `function }` at the end of one, else its text. */
async function where(run: Run, threadId: number): Promise<string> {
  const [top] = await run.stack(threadId);
  const line = text[(top!.line || 1) - 1]!;
  const marker = / bp: (\S+)/.exec(line)?.[1];
  return marker ?? `${top!.name} ${line.trim()}`;
}

/** Plays commands from a stop and says where each led; `exit 0` for the end of the program. */
async function walk(scenario: string, flags: string[], from: string, commands: string, keep: string[] = []) {
  const program = await build('host', source, `steps${flags.join('')}/host`, flags);
  const run = await launch(program, [scenario], { sdkFiles: [] });
  const set = (markers: string[]) =>
    run.breakpoints(
      source,
      markers.map((marker) => markerLine(source, marker)),
    );
  const [first] = await set([from, ...keep]);
  assert.ok(first!.verified, first!.message);
  await run.start();
  let { threadId } = await run.nextStop();
  assert.equal(await where(run, threadId!), from);
  await set(keep);
  const path: string[] = [];
  for (const command of commands) {
    await run.ask(COMMANDS[command as keyof typeof COMMANDS], { threadId });
    const next = await Promise.race([run.nextStop(), run.event('exited').then(() => undefined)]);
    if (!next) {
      path.push('exit');
      break;
    }
    threadId = next.threadId;
    path.push(await where(run, threadId!));
  }
  return path.join(', ');
}

/** Title, scenario, flags, marker, commands, where they lead. */
const O2 = ['-O2'];
const CASES: readonly (readonly [string, string, string[], string, string, string])[] = [
  ['a loop on one line is one line', 'loops', [], 'loops', 'nn', 'one-line-loop, while'],
  ['a loop is gone around', 'loops', [], 'while', 'nnnn', 'while-body, minus, while, while-body'],
  ['statements of one line are one step', 'loops', [], 'three', 'nnn', 'loops-end, loops }, call-loops'],
  ['a recursive call is stepped over', 'recursion', [], 'recurse', 'nnn', 'multiply, factorial }, call-factorial'],
  ['a recursive call is stepped into', 'recursion', [], 'recurse', 'ini', 'factorial, recurse, factorial'],
  [
    'each step out leaves one level',
    'recursion',
    [],
    'deepest',
    'ooooo',
    'recurse, recurse, recurse, recurse, call-factorial',
  ],
  ['switch and goto go where they go', 'switch', [], 'switch', 'nnnn', 'case, goto, label, choose }'],
  ['a call through a pointer is stepped into', 'pointers', [], 'pointer', 'io', 'twice, pointer'],
  [
    'each call of a line is stepped into',
    'pointers',
    [],
    'nested',
    'ioioioi',
    'twice, nested, twice, nested, twice, nested, pointers-end',
  ],
  [
    'a longjmp to the frame that is stepped goes on there',
    'jumps',
    [],
    'jumps-call',
    'nnn',
    'jumps-if, jumped, jumps-end',
  ],
  ['a longjmp out of the frame is followed to its setjmp', 'jumps', [], 'longjmp', 'nn', 'setjmp, jumps-if'],
  ['a step out that ends in a longjmp is followed', 'jumps', [], 'jump', 'oo', 'setjmp, call-jumps'],
  ['a signal handler that runs meanwhile is stepped over', 'signals', [], 'raise', 'nn', 'raised, signals-end'],
  [
    'a step into what raises a signal does not stop in the handler',
    'signals',
    [],
    'raise',
    'in',
    'raised, signals-end',
  ],
  ['a step out of a signal handler comes to what it interrupted', 'signals', [], 'handler', 'o', 'raised'],
  ['a library that calls back is stepped over', 'sort', [], 'qsort', 'n', 'sorted'],
  ['a library without source is not stepped into', 'sort', [], 'qsort', 'i', 'sorted'],
  [
    'a callback of a library ends in what called the library',
    'sort',
    [],
    'compare-y',
    'nnn',
    'compare-end, compare }, sorted',
  ],
  ['a step out of a callback comes there too', 'sort', [], 'compare', 'on', 'sorted, sorts }'],
  ['pthread_join is stepped over while others run', 'threads', [], 'join', 'nnn', 'joined, join-two, threads-end'],
  ['at the end of main the program goes on to its end', 'loops', [], 'main-end', 'nn', 'main }, exit'],
  ['a step out of main goes on to the end', 'loops', [], 'main-end', 'o', 'exit'],
  ['an inlined call is stepped over', 'inline', O2, 'inline-call', 'nnn', 'after-inline, two-inline, stored'],
  ['an inlined call is stepped into', 'inline', O2, 'inline-call', 'in', 'square-store, after-inline'],
  ['an inlined call is stepped out of', 'inline', O2, 'square-store', 'oo', 'after-inline, call-inline'],
  [
    'an inlined call in unoptimised code is stepped over',
    'inline',
    [],
    'inline-call',
    'nn',
    'after-inline, two-inline',
  ],
  [
    'an inlined call in unoptimised code is stepped through',
    'inline',
    [],
    'inlining',
    'ninnnn',
    'inline-call, square, square-store, square-end, inline-call, after-inline',
  ],
  ['an inlined call in unoptimised code is stepped out of', 'inline', [], 'square-store', 'o', 'inline-call'],
  ['a tail call is left to where its caller goes on', 'tail', O2, 'twice-end', 'oo', 'after-tail, call-tail'],
];

describe('A step in a host program:', () => {
  before(async function () {
    // Other compilers write other line tables for the same source.
    if ((await compilerKind()) !== 'gcc') this.skip();
  });

  for (const [title, scenario, flags, from, commands, to] of CASES)
    it(`${title}${flags.length > 0 ? ` (${flags.join(' ')})` : ''}`, async () => {
      assert.equal(await walk(scenario, flags, from, commands), to);
    });

  it('a breakpoint in a recursive call ends the step over it', async () => {
    assert.equal(await walk('recursion', [], 'call-factorial', 'nnn', ['deepest']), 'deepest, factorial }, recurse');
  });

  it('a breakpoint in another thread ends the step, on that thread', async () => {
    assert.equal(await walk('threads', [], 'join', 'nn', ['work']), 'work, worker-end');
  });

  it('a handler is shown above the call that delivered its signal', async () => {
    const program = await build('host', source, 'steps/host');
    const run = await launch(program, ['signals'], { sdkFiles: [] });
    await run.breakpoints(source, [markerLine(source, 'handler')]);
    await run.start();
    const { threadId } = await run.nextStop();
    const frames = (await run.stack(threadId!)).map(frameText);
    const own = frames.filter((frame) => /steps\.c|signal handler/.test(frame));
    assert.deepEqual(own, [
      `handler steps.c:${markerLine(source, 'handler')}`,
      '<signal handler called>',
      `signals steps.c:${markerLine(source, 'raise')}`,
      `main steps.c:${markerLine(source, 'call-signals')}`,
    ]);
  });
});

describe('A step across worlds:', () => {
  const top = async (run: Run, threadId: number) => frameText((await run.stack(threadId))[0]!);

  it('over PLenclave_run of an enclave that faults stops at the fault first, then behind the call', async () => {
    const eapp = programSource('bad-address.c');
    const host = sampleSource('hello-world', 'host.c');
    await build('eapp', eapp, 'stepped-fault/bad-address');
    copyFileSync(sample('hello-world', 'host'), join(folder, 'stepped-fault', 'host'));
    const run = await launch(join(folder, 'stepped-fault', 'host'), ['bad-address', '1']);
    await run.breakpoints(host, [markerLine(host, 'run')]);
    await run.start();
    const { threadId } = await run.nextStop();
    assert.equal((await run.go('next', threadId!)).reason, 'exception');
    assert.equal(await top(run, threadId!), `peek bad-address.c:${markerLine(eapp, 'fault')}`);
    assert.equal((await run.go('next', threadId!)).reason, 'step');
    assert.equal(await top(run, threadId!), `run_to_end host.c:${markerLine(host, 'run')}`);
  });

  it('on a thread in a stopped enclave waits for the resume; a destroy from outside ends it in the host', async () => {
    const loop = sampleSource('stop-resume', 'loop.c');
    const run = await launch(sample('stop-resume', 'host'), ['loop', '--wait']);
    await run.breakpoints(loop, [markerLine(loop, 'count')]);
    await run.start();
    const { threadId } = await run.nextStop();
    await run.breakpoints(loop, []);
    const operate = (name: string) => run.ask<EnclaveOperationBody>(`enclave/${name}`, { instance: 1 });
    assert.deepEqual(await operate('stop'), { ok: true });
    await run.ask('stepOut', { threadId });
    assert.deepEqual(await operate('resume'), { ok: true });
    assert.deepEqual(await operate('stop'), { ok: true });
    assert.equal(run.events('stopped').length, 1, 'the step is not over');
    assert.deepEqual(await operate('destroy'), { ok: true });
    const stop = await run.nextStop();
    assert.deepEqual([stop.reason, stop.threadId], ['step', threadId]);
    assert.match(await top(run, threadId!), /^run_enclave host\.c:/);
    await run.ask('continue', { threadId });
    assert.equal(await run.ended(), 0);
  });
});
