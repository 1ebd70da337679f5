import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { buildShadowFork, buildTwins } from './builds';
import {
  clearBreakpoints,
  endAll,
  frameTexts,
  launch,
  markerLine,
  Run,
  samples,
  setBreakpoint,
  sourcePath,
  start,
} from './recorder';

const enclaveSource = join(samples, 'shadow-fork/hello-world.c');
const hostSource = join(samples, 'shadow-fork/host.c');

/** Runs `shadow-fork` with a breakpoint in the enclave's source and checks the stop of every instance. */
async function checkInstances(run: Run, count: number, names: { greet: string; host: string }): Promise<void> {
  const values = new Set<string>();
  for (let i = 0; i < count; i++) {
    const stop = await run.nextStop();
    assert.equal(stop.reason, 'breakpoint');
    const frames = await run.stack(stop.threadId!);
    const texts = frameTexts(frames);
    const greet = frames[0]!;
    assert.equal(texts[0], `greet hello-world.c:${markerLine(names.greet, 'greet') + 1}`);
    assert.match(texts[1]!, /^main hello-world\.c:\d+$/);
    assert.match(texts[2]!, /^\[PLenclave_run #\d+\]$/);
    const host = texts.slice(3);
    const caller = host.findIndex((text) => text.startsWith('fork_instance'));
    assert.equal(host[caller], `fork_instance host.c:${markerLine(names.host, 'fork') + 1}`, texts.join('\n'));
    const variables = await run.variables(greet.id);
    const value = variables.get('value')!;
    // The same number as the host gave this thread's instance, read in the host's own frame.
    assert.equal(value, await run.evaluate('instance->value', frames[3 + caller]!.id));
    assert.equal(await run.evaluate('value', greet.id), value);
    values.add(value);
    await run.continue(stop.threadId);
  }
  assert.equal(values.size, count, `every instance has a value of its own: ${[...values].join(', ')}`);
  assert.equal(await run.ended(), 0, run.output());
  assert.equal(run.stops, count);
}

/** The verified answer came before the machine was started, and before any enclave was told of. */
function checkBoundEarly(run: Run, sourcePath: string): void {
  const bound = run.indexOf(
    (m) =>
      m.type === 'response' &&
      m.command === 'setBreakpoints' &&
      (m.body as DebugProtocol.SetBreakpointsResponse['body']).breakpoints.some(
        (b) => b.verified && b.source?.path === sourcePath,
      ),
  );
  const configured = run.indexOf((m) => m.type === 'request' && m.command === 'configurationDone');
  const firstEnclave = run.indexOf((m) => m.type === 'event' && m.event === 'enclave/transition');
  assert.notEqual(bound, -1, 'a verified setBreakpoints response with the path that was sent');
  assert.ok(bound < configured, `bound at ${bound}, configurationDone at ${configured}`);
  assert.ok(firstEnclave === -1 || configured < firstEnclave);
}

describe('shadow-fork: one enclave file, many instances', () => {
  afterEach(endAll);

  for (const count of [4, 7])
    it(`stops once in each of ${count} instances, with its own value and the host's frames below`, async () => {
      setBreakpoint(enclaveSource, 'greet');
      const run = await start(launch('shadow-fork/host', ['hello-world', String(count)]));
      await checkInstances(run, count, { greet: enclaveSource, host: hostSource });
      checkBoundEarly(run, enclaveSource);
    });

  it('does the same for code built with -O1 -fomit-frame-pointer', async () => {
    const folder = buildShadowFork('optimised', ['-O1', '-fomit-frame-pointer']);
    setBreakpoint(enclaveSource, 'greet');
    const run = await start({ ...launch('', ['hello-world', '4']), program: join(folder, 'host') });
    const stop = await run.nextStop();
    const frames = await run.stack(stop.threadId!);
    // At -O1 the compiler may inline greet into main: the frame is there all the same.
    assert.match(frameTexts(frames)[0]!, /^greet hello-world\.c:\d+$/);
    assert.ok(frameTexts(frames).some((text) => /^\[PLenclave_run #\d+\]$/.test(text)));
    assert.ok(
      frameTexts(frames).some((text) => text.startsWith('fork_instance')),
      frameTexts(frames).join('\n'),
    );
    clearBreakpoints();
    await run.continue(stop.threadId);
    assert.equal(await run.ended(), 0);
  });

  it('tells two enclaves from same-named sources in different folders apart, whatever they are called', async () => {
    const twins = buildTwins();
    for (const side of ['left', 'right'] as const) {
      clearBreakpoints();
      setBreakpoint(twins.source(side), 'twin');
      const run = await start({ ...launch('', ['a', 'b']), program: twins.host, cwd: twins.folder });
      const stop = await run.nextStop();
      const [top] = await run.stack(stop.threadId!);
      assert.equal(sourcePath(top!), twins.source(side));
      assert.equal((await run.variables(top!.id)).get('side'), side === 'left' ? '1' : '2');
      clearBreakpoints();
      await run.continue(stop.threadId);
      assert.equal(await run.ended(), 0);
      assert.equal(run.stops, 1);
      await vscode.debug.stopDebugging();
    }
  });
});
