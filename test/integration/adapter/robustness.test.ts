/** What weighs on a debugger: large values, deep stacks, many threads, endless output. Bounded answers, no times asserted. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { build, compilerKind, markerLine, programSource } from './builds';
import { frameText, Run } from './client';

const source = programSource('heavy.c');
const running: Run[] = [];

async function launch(scenario: string): Promise<Run> {
  const run = new Run();
  running.push(run);
  const program = await build('host', source, 'heavy/host');
  assert.equal(await run.prepare({ program, args: [scenario], sdkFiles: [] }), undefined);
  return run;
}

async function stopIn(scenario: string): Promise<{ run: Run; threadId: number }> {
  const run = await launch(scenario);
  const [set] = await run.breakpoints(source, [markerLine(source, scenario)]);
  assert.ok(set!.verified, set!.message);
  await run.start();
  const { threadId } = await run.nextStop();
  return { run, threadId: threadId! };
}

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
  }
});

type Evaluated = D.EvaluateResponse['body'];
type Variables = D.VariablesResponse['body'];

describe('Large values', () => {
  it('an array of 100000 elements is read a page at a time, and no more is answered at once than fits', async () => {
    const { run, threadId } = await stopIn('array');
    const [top] = await run.stack(threadId);
    const big = await run.ask<Evaluated>('evaluate', { expression: 'big', frameId: top!.id });
    assert.equal(big.indexedVariables, 100_000);
    assert.ok(big.result.length < 200);
    const page = (start: number, count?: number) =>
      run.ask<Variables>('variables', { variablesReference: big.variablesReference, start, count });
    const { variables } = await page(99_900, 100);
    assert.deepEqual([variables.length, variables.at(-1)!.name, variables.at(-1)!.value], [100, '[99999]', '299997']);
    assert.equal((await page(99_999, 100)).variables.length, 1);
    assert.equal((await page(2 ** 40, 100)).variables.length, 0);
    assert.ok((await page(0)).variables.length < 100_000);
    assert.ok((await page(0, 100_000)).variables.length < 100_000);
  });

  it('a structure of 100 kB that contains itself is opened member by member', async () => {
    const { run, threadId } = await stopIn('array');
    const [top] = await run.stack(threadId);
    let { variablesReference } = await run.ask<Evaluated>('evaluate', { expression: 'huge', frameId: top!.id });
    for (let i = 0; i < 20; i++) {
      const { variables } = await run.ask<Variables>('variables', { variablesReference });
      assert.deepEqual(
        variables.map(({ name }) => name),
        ['items', 'matrix', 'self', 'many'],
      );
      assert.ok(variables.every(({ value }) => value.length < 500));
      ({ variablesReference } = variables[2]!);
    }
    assert.equal(await run.evaluate('huge.self->self->items[999].name', top!.id), '"item 999"');
  });

  it('memory of the host that nobody has touched yet reads as what it holds', async () => {
    const { run, threadId } = await stopIn('recursion');
    const [top] = await run.stack(threadId);
    assert.equal(await run.evaluate('big[50000]', top!.id), '0');
    assert.equal(await run.evaluate('huge.items[500].number', top!.id), '0');
  });
});

describe('A stack of 100000 frames', () => {
  it('is shown from its top, a page at a time, and stepped', async () => {
    const { run, threadId } = await stopIn('recursion');
    const page = (startFrame: number, levels: number) =>
      run.ask<D.StackTraceResponse['body']>('stackTrace', { threadId, startFrame, levels });
    const first = await page(0, 20);
    assert.deepEqual([first.stackFrames.length, first.totalFrames], [20, 21], 'nobody counted the rest');
    const further = await page(2000, 20);
    assert.equal(further.stackFrames.length, 20);
    assert.equal(frameText(further.stackFrames[19]!), `deep heavy.c:${markerLine(source, 'recursion') + 1}`);
    assert.ok((await page(0, 0)).stackFrames.length <= 1000, 'all of them are not sent at once');
    assert.equal((await run.go('stepOut', threadId)).reason, 'step');
    assert.equal(frameText((await page(0, 1)).stackFrames[0]!), frameText(further.stackFrames[0]!));
  });
});

describe('200 threads', () => {
  it('are listed, and each has its stack', async () => {
    const { run } = await stopIn('threads');
    const { threads } = await run.ask<D.ThreadsResponse['body']>('threads');
    assert.equal(threads.length, 201);
    assert.equal(new Set(threads.map(({ name }) => name)).size, 201);
    // Through code without call frame information: each C library has its own.
    const isKnown = (await compilerKind()) === 'gcc';
    for (const { id } of threads.slice(1)) {
      const frames = await run.stack(id);
      assert.ok(frames.length > 0);
      if (isKnown) assert.ok(frames.some(({ name }) => name === 'wait'));
    }
    await run.go('next', 1);
  });
});

describe('Output', () => {
  const residentMiB = (run: Run): number | undefined => {
    const file = `/proc/${run.pid}/status`;
    return existsSync(file) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))![1]) / 1024 : undefined;
  };

  it('that never ends is bounded, the user is told, and memory stays what it was', async () => {
    const run = await launch('flood');
    await run.breakpoints(source, [markerLine(source, 'end')]);
    await run.start();
    await run.event('output');
    const before = residentMiB(run);
    await run.nextStop();
    const after = residentMiB(run);
    const printed = run.output('stdout');
    assert.match(printed, /^line 0 of very many\nline 1 of very many\n/);
    assert.match(run.output('console'), /\d+ lines of output left out: the program prints faster/);
    const lines = printed.split('\n').length - 1;
    const left = [...run.output('console').matchAll(/(\d+) lines of output/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    assert.ok(lines < 300_000 && lines + left >= 290_000, `${lines} shown, ${left} left out`);
    assert.ok(run.events('output').every(({ body }) => body.output.length <= 32 * 1024));
    if (before !== undefined && after !== undefined)
      assert.ok(after - before < 150, `${before} MiB, then ${after} MiB`);
  });

  it('in one line of two megabytes comes in pieces', async () => {
    const run = await launch('line');
    await run.start();
    assert.equal(await run.ended(), 0);
    assert.match(run.output('stdout'), /^000000000 000000001 /);
    assert.ok(run.events('output').every(({ body }) => body.output.length <= 32 * 1024));
  });

  it('keeps colours, and shows other control characters instead of obeying them', async () => {
    const run = await launch('control');
    await run.start();
    assert.equal(await run.ended(), 0);
    assert.equal(
      run.output('stdout'),
      '\u001b[31mred\u001b[0m ␛[2Jcleared ␛]0;title␇ bell␇ back␈ nul␀ end\r\n' +
        '\ufffd\ufffd bad utf-8 \ufffd(\n\ufffdoverride\n',
    );
  });
});
