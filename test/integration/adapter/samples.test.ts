/** The samples under the adapter over stdio: what is in the manual happens. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type {
  EnclaveItem,
  EnclaveListBody,
  EnclaveOperationBody,
  EnclaveTransitionBody,
} from '../../../debug-adapter/dap/custom';
import { build, folder, markerLine, programSource } from './builds';
import { frameText, root, Run, sample, sampleSource } from './client';

const running: Run[] = [];
async function launch(program: string, args: string[], more: Record<string, unknown> = {}): Promise<Run> {
  const run = new Run();
  running.push(run);
  const refused = await run.prepare({ program, args, ...more });
  assert.equal(refused, undefined, JSON.stringify(refused));
  return run;
}
const chain = (more = {}) => launch(sample('server-chain', 'host'), ['caller', 'server', 'server1'], more);
const source = (file: string) => sampleSource('server-chain', file);
const texts = async (run: Run, threadId: number) => (await run.stack(threadId)).map(frameText);

/** Breakpoints at markers of one file; all of them must be verified, with the path as it was sent. */
async function breakAt(run: Run, file: string, ...markers: string[]): Promise<number[]> {
  const lines = markers.map((marker) => markerLine(file, marker));
  const set = await run.breakpoints(file, lines);
  assert.deepEqual(
    set.map(({ verified, line, source: { path } = {} }) => ({ verified, line, path })),
    lines.map((line) => ({ verified: true, line, path: file })),
  );
  return set.map(({ id }) => id!);
}

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
    assert.equal(run.pollution, '');
  }
});

describe('server-chain under the adapter', () => {
  it('is one stack from the last server to the host, with the locals of every frame', async () => {
    const run = await chain();
    const [id] = await breakAt(run, source('server.c'), 'sum');
    await run.start();
    const stop = await run.nextStop();
    assert.deepEqual([stop.reason, stop.hitBreakpointIds], ['breakpoint', [id]]);
    const frames = await run.stack(stop.threadId!);
    const own = frames
      .filter((frame) => frame.presentationHint !== 'subtle')
      .map((frame) => frameText(frame).replace(/:\d+$/, ''));
    assert.deepEqual(own, [
      ...['serve server.c', 'main server.c', '[call_enclave -> test-server #1]'],
      ...['forward server1.c', 'serve server1.c', 'main server1.c', '[call_enclave -> test-server1 #2]'],
      ...['ask caller.c', 'run_caller caller.c', 'main caller.c', '[PLenclave_run #3]'],
      ...['attest_and_run host.c', 'run_caller host.c', 'main host.c'],
    ]);
    const { threads } = await run.ask<D.ThreadsResponse['body']>('threads');
    assert.deepEqual(
      threads.map(({ name }) => name),
      ['host (1) in test-server #1'],
    );
    const named = (text: string) => frames.find((frame) => frameText(frame).startsWith(text))!.id;
    assert.equal(await run.evaluate('sum,x', named('serve server.c')), '0x19962000');
    assert.equal(await run.evaluate('sum,x', named('serve server1.c')), '0x19961000');
    assert.match(await run.evaluate('server', named('ask caller.c')), /"server1"/);
    assert.equal(await run.evaluate('count', named('main host.c')), '2');
    // The caller handed the area over: it is not the caller's any more, and nothing is invented for it.
    await assert.rejects(run.evaluate('request[0] + 0', named('ask caller.c')), /request\[0\]|memory/);
    assert.equal(await run.evaluate('request[0]', named('serve server.c')), '2');
    await run.ask('continue', { threadId: stop.threadId });
    assert.equal(await run.ended(), 0);
  });

  it('step in on call_enclave stops at the first line of the server, and step out comes back', async () => {
    const run = await chain();
    await breakAt(run, source('caller.c'), 'call');
    await run.start();
    const { threadId } = await run.nextStop();
    const inside = await run.go('stepIn', threadId!);
    assert.equal(inside.reason, 'step');
    const [top] = await texts(run, threadId!);
    assert.equal(top, `main server1.c:${lineOf(source('server1.c'), 'EAPP_RESERVE_REG')}`);
    await run.go('stepOut', threadId!);
    assert.equal((await texts(run, threadId!))[0], `ask caller.c:${markerLine(source('caller.c'), 'call')}`);
  });

  it('step in on PLenclave_run stops at the first line of the enclave', async () => {
    const run = await chain();
    await breakAt(run, source('host.c'), 'run');
    await run.start();
    const { threadId } = await run.nextStop();
    await run.go('stepIn', threadId!);
    const stack = await texts(run, threadId!);
    assert.equal(stack[0], `main caller.c:${lineOf(source('caller.c'), 'EAPP_RESERVE_REG')}`);
    assert.equal(stack[1], '[PLenclave_run #3]');
  });

  it('step over SERVER_RETURN goes on in the caller', async () => {
    const run = await chain();
    await breakAt(run, source('server.c'), 'return');
    await run.start();
    const { threadId } = await run.nextStop();
    await run.go('next', threadId!);
    assert.match((await texts(run, threadId!))[0]!, /^forward server1\.c/);
  });

  it('step over EAPP_RETURN goes on behind PLenclave_run in the host', async () => {
    const run = await chain();
    const line = lineOf(source('caller.c'), 'EAPP_RETURN(status)');
    await run.breakpoints(source('caller.c'), [line]);
    await run.start();
    const { threadId } = await run.nextStop();
    await run.go('next', threadId!);
    assert.match((await texts(run, threadId!))[0]!, /^attest_and_run host\.c/);
  });

  it('step over call_enclave comes back behind it while another host thread runs', async () => {
    const host = await build('host', join(root, 'test', 'fixtures', 'programs', 'busy-chain-host.c'), 'busy/host');
    await build('eapp', join(root, 'test', 'fixtures', 'programs', 'slow-server.c'), 'busy/server');
    copyFileSync(sample('server-chain', 'caller'), join(folder, 'busy', 'caller'));
    const run = await launch(host, ['caller', 'server']);
    await run.breakpoints(source('caller.c'), [markerLine(source('caller.c'), 'call')]);
    await run.start();
    const { threadId } = await run.nextStop();
    const beats = async () =>
      Number(await run.evaluate('beats', (await run.stack(threadId!)).findLast((f) => f.source)!.id));
    const before = await beats();
    const stop = await run.go('next', threadId!);
    assert.deepEqual([stop.reason, stop.threadId], ['step', threadId]);
    assert.match((await texts(run, threadId!))[0]!, /^ask caller\.c/);
    assert.ok((await run.stack(threadId!))[0]!.line > markerLine(source('caller.c'), 'call'));
    assert.ok((await beats()) > before, 'the other thread ran meanwhile');
  });

  it('tells call_enclave and SERVER_RETURN as events with both instances', async () => {
    const run = await chain();
    await run.start();
    assert.equal(await run.ended(), 0);
    const told = run.events('enclave/transition').map(({ body }) => body as EnclaveTransitionBody);
    assert.deepEqual(
      told.map(({ name, from, to }) => `${name}: ${from?.name ?? 'host'} -> ${to?.name ?? 'host'}`),
      [
        ...['run: host -> test-caller', 'call_enclave: test-caller -> test-server1'],
        ...['call_enclave: test-server1 -> test-server', 'SERVER_RETURN: test-server -> test-server1'],
        ...['SERVER_RETURN: test-server1 -> test-caller', 'exit: test-caller -> host'],
      ],
    );
  });
});

describe('shadow-fork under the adapter', () => {
  const enclave = sampleSource('shadow-fork', 'hello-world.c');
  const host = sampleSource('shadow-fork', 'host.c');
  for (const count of [4, 7])
    it(`stops once in each of ${count} instances, with the value the host gave it`, async () => {
      const run = await launch(sample('shadow-fork', 'host'), ['hello-world', String(count)]);
      await breakAt(run, enclave, 'greet');
      assert.equal(run.events('process').length, 0, 'nothing runs yet');
      await run.start();
      const values: string[] = [];
      for (let i = 0; i < count; i++) {
        const stop = await run.nextStop();
        const frames = await run.stack(stop.threadId!);
        const stack = frames.map(frameText);
        assert.equal(stack[0], `greet hello-world.c:${markerLine(enclave, 'greet')}`);
        assert.match(stack[1]!, /^main hello-world\.c:\d+$/);
        assert.match(stack[2]!, /^\[PLenclave_run #\d+\]$/);
        const fork = frames.findIndex((frame) => frame.name === 'fork_instance');
        assert.equal(stack[fork], `fork_instance host.c:${markerLine(host, 'fork')}`);
        const { value } = await run.scope(frames[0]!.id, 'Locals');
        assert.equal(value, await run.evaluate('instance->value', frames[fork]!.id));
        values.push(value!);
        await run.ask('continue', { threadId: stop.threadId });
      }
      assert.equal(await run.ended(), 0);
      assert.deepEqual(
        values.sort(),
        Array.from({ length: count }, (_, i) => String(1001 + i)),
      );
      assert.equal(run.events('stopped').length, count);
    });

  it('does so in code built with -O1 -fomit-frame-pointer', async () => {
    const program = await build('host', host, 'optimised/host');
    await build('eapp', enclave, 'optimised/hello-world', ['-O1', '-fomit-frame-pointer']);
    const run = await launch(program, ['hello-world', '4']);
    const [set] = await run.breakpoints(enclave, [markerLine(enclave, 'greet')]);
    assert.ok(set!.verified, set!.message);
    await run.start();
    const values: string[] = [];
    for (let i = 0; i < 4; i++) {
      const { threadId } = await run.nextStop();
      const frames = await run.stack(threadId!);
      assert.equal(frames[0]!.name, 'greet');
      assert.ok(frames.some((frame) => frame.name === 'fork_instance'));
      values.push(await run.evaluate('value', frames[0]!.id));
      await run.ask('continue', { threadId });
    }
    assert.equal(await run.ended(), 0);
    assert.deepEqual(values.sort(), ['1001', '1002', '1003', '1004']);
  });

  it('tells same-named sources in different folders apart', async () => {
    const twins = join(root, 'test', 'fixtures', 'programs', 'twins');
    const program = await build('host', join(twins, 'host.c'), 'twins/host');
    await build('eapp', join(twins, 'left', 'eapp.c'), 'twins/a');
    await build('eapp', join(twins, 'right', 'eapp.c'), 'twins/b');
    for (const [side, value] of [
      ['left', '1'],
      ['right', '2'],
    ] as const) {
      const run = await launch(program, ['a', 'b']);
      const file = join(twins, side, 'eapp.c');
      await breakAt(run, file, 'twin');
      await run.start();
      const { threadId } = await run.nextStop();
      const [top] = await run.stack(threadId!);
      assert.equal(top!.source!.path, file);
      assert.equal((await run.scope(top!.id, 'Locals'))['side'], value);
      await run.ask('continue', { threadId });
      assert.equal(await run.ended(), 0);
      assert.equal(run.events('stopped').length, 1);
    }
  });
});

describe('stop-resume --wait under the adapter', () => {
  const loop = sampleSource('stop-resume', 'loop.c');
  const waiting = () => launch(sample('stop-resume', 'host'), ['loop', '--wait']);

  async function theLoop(run: Run): Promise<EnclaveItem> {
    for (;;) {
      const hosts = await run.ask<EnclaveListBody>('enclave/list', {});
      for (const host of hosts.items) {
        const parent = { pid: (host as { pid: number }).pid };
        const { items } = await run.ask<EnclaveListBody>('enclave/list', { parent });
        const [item] = items as EnclaveItem[];
        if (item?.tid !== undefined) return item;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The enclave's counter and the host's beats, read at a pause. */
  async function clocks(run: Run): Promise<{ counter: number; beats: number; labels: string[] }> {
    await run.ask('pause', { threadId: 1 });
    const { threadId } = await run.nextStop();
    const { threads } = await run.ask<D.ThreadsResponse['body']>('threads');
    const all = (await Promise.all(threads.map(({ id }) => run.stack(id)))).flat();
    const at = (file: string) => all.find((frame) => frame.source?.name === file)!.id;
    const counter = Number(await run.evaluate('counter', at('loop.c')));
    const beats = Number(await run.evaluate('host_beats', at('host.c')));
    const labels = all.filter(({ presentationHint }) => presentationHint === 'label').map(({ name }) => name);
    await run.ask('continue', { threadId });
    return { counter, beats, labels };
  }

  async function after(run: Run, beats: number) {
    for (;;) {
      const now = await clocks(run);
      if (now.beats >= beats) return now;
    }
  }

  it('stands still while stopped, goes on after resume, and is gone after destroy', async () => {
    const run = await waiting();
    await run.start();
    const { instance } = await theLoop(run);
    const operate = (name: string) => run.ask<EnclaveOperationBody>(`enclave/${name}`, { instance });
    assert.deepEqual(await operate('stop'), { ok: true });
    assert.equal((await theLoop(run)).state, 'STOPPED');
    assert.deepEqual(await operate('stop'), { ok: false, message: 'It is stopped already.' });
    const stopped = await clocks(run);
    assert.deepEqual(stopped.labels, ['stopped', `PLenclave_run #${instance}`]);
    const later = await after(run, stopped.beats + 100); // a beat is a millisecond: 10 M ticks
    assert.equal(later.counter, stopped.counter);
    assert.deepEqual(await operate('resume'), { ok: true });
    const resumed = await after(run, later.beats + 10);
    assert.ok(resumed.counter > later.counter);
    const refused = await operate('resume');
    assert.equal(refused.ok, false);
    assert.match(refused.message!, /\w+/);
    assert.deepEqual(await operate('destroy'), { ok: true });
    assert.equal(await run.ended(), 0);
    assert.match(run.output('stdout'), /host: PLenclave run is finish/);
    assert.equal((await run.request('enclave/stop', { instance })).success, false);
  });

  it('is stopped, resumed and destroyed also while the program is paused', async () => {
    const run = await waiting();
    await breakAt(run, loop, 'count');
    await run.start();
    const { threadId } = await run.nextStop();
    const { instance } = await theLoop(run);
    const before = await texts(run, threadId!);
    assert.deepEqual(await run.ask('enclave/stop', { instance }), { ok: true });
    await run.event('invalidated');
    const stopped = await texts(run, threadId!);
    assert.deepEqual(stopped, ['[stopped]', ...before]);
    assert.deepEqual(await run.ask('enclave/resume', { instance }), { ok: true });
    const from = await run.evaluate('counter', (await run.stack(threadId!)).find((f) => f.source)!.id);
    const again = await run.go('continue', threadId!);
    assert.equal(again.reason, 'breakpoint');
    const counter = await run.evaluate('counter', (await run.stack(threadId!))[0]!.id);
    assert.equal(Number(counter), Number(from) + 1, 'the instruction it was stopped at was executed once');
    assert.deepEqual(await run.ask('enclave/destroy', { instance }), { ok: true });
    await run.ask('continue', { threadId });
    assert.equal(await run.ended(), 0);
  });

  it('is paused in a tight loop, and breakpoints are set and removed while it runs', async () => {
    const run = await waiting();
    await run.start();
    const { instance } = await theLoop(run);
    for (let i = 0; i < 3; i++) {
      const [set] = await run.breakpoints(loop, [markerLine(loop, 'count')]);
      assert.ok(set!.verified);
      const stop = await run.nextStop();
      assert.deepEqual(stop.hitBreakpointIds, [set!.id]);
      await run.breakpoints(loop, []);
      await run.ask('continue', { threadId: stop.threadId });
    }
    await run.ask('enclave/destroy', { instance });
    assert.equal(await run.ended(), 0);
  });
});

describe('A host that never ends', () => {
  it('is paused while it computes, restarted twenty times, and leaves no process behind', async () => {
    const program = await build('host', programSource('spin.c'));
    const run = await launch(program, [], { stopOnEntry: true, sdkFiles: [], pace: 'real' });
    await run.start();
    const entry = await run.nextStop();
    assert.equal(entry.reason, 'entry');
    await run.ask('continue', { threadId: 1 });
    await run.ask('pause', { threadId: 1 });
    const stop = await run.nextStop();
    assert.equal(stop.reason, 'pause');
    assert.match((await texts(run, stop.threadId!))[0]!, /^main spin\.c/);
    for (let i = 0; i < 20; i++) {
      await run.ask('restart', {});
      assert.equal((await run.nextStop()).reason, 'entry');
    }
    await run.ask('disconnect', {});
    assert.equal(await run.gone(), 0);
    assert.throws(() => process.kill(run.pid, 0), /ESRCH/);
  });
});

function lineOf(file: string, text: string): number {
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes(text));
  assert.notEqual(at, -1, text);
  return at + 1;
}
