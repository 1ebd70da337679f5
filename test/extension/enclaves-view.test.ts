import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { PenglaiApi } from '../../extension/extension';
import type { EnclaveNode, Node } from '../../extension/enclaves/node';
import { endAll, launch, Run, samples, setBreakpoint, start, until } from './recorder';

/** One beat of the host's waiting thread is a sleep of a millisecond: 100 000 ticks. */
const BEATS_IN_10M_TICKS = 100;

async function view(): Promise<vscode.TreeDataProvider<Node>> {
  const extension = vscode.extensions.getExtension<PenglaiApi>('penglai-enclave-debugger.penglai-enclave-debugger')!;
  return (await extension.activate()).enclaves;
}

/** All rows of the view, flattened, as the view's own data gives them. */
async function rows(node?: Node): Promise<Node[]> {
  const tree = await view();
  const children = (await tree.getChildren(node)) ?? [];
  const below = await Promise.all(children.map((child) => (child.kind === 'more' ? [] : rows(child))));
  return children.flatMap((child, i) => [child, ...below[i]!]);
}

async function enclave(state?: string): Promise<EnclaveNode> {
  let found: EnclaveNode | undefined;
  let all: Node[] = [];
  for (let i = 0; i < 300 && !found; i++) {
    all = await rows();
    found = all.find((n): n is EnclaveNode => n.kind === 'enclave' && (!state || n.item.state === state));
    if (!found) await new Promise((done) => setTimeout(done, 100));
  }
  assert.ok(found, `no enclave in state ${state}: ${JSON.stringify(all.map((n) => ('item' in n ? n.item : n.kind)))}`);
  return found;
}

/** Pauses, reads the enclave's counter and the host's beats, and goes on. */
async function readClocks(run: Run): Promise<{ counter: number; beats: number }> {
  const stopsBefore = run.stops;
  await run.request('pause', { threadId: 1 });
  await until('the pause', () => (run.stops > stopsBefore ? true : undefined));
  const { threads } = await run.request<DebugProtocol.ThreadsResponse['body']>('threads');
  let counter: number | undefined;
  let beats: number | undefined;
  for (const thread of threads) {
    for (const frame of await run.stack(thread.id)) {
      if (frame.source?.name === 'loop.c') counter ??= Number(await run.evaluate('counter', frame.id));
      if (frame.source?.name === 'host.c') beats ??= Number(await run.evaluate('host_beats', frame.id));
    }
  }
  assert.ok(counter !== undefined && beats !== undefined, `counter ${counter}, beats ${beats}`);
  await run.continue();
  return { counter, beats };
}

async function waitForBeats(run: Run, beats: number): Promise<{ counter: number; beats: number }> {
  for (;;) {
    const now = await readClocks(run);
    if (now.beats >= beats) return now;
    await new Promise((done) => setTimeout(done, 200));
  }
}

describe('the Enclaves view', () => {
  afterEach(endAll);

  it('stops, resumes and destroys the looping enclave of stop-resume --wait', async () => {
    const run = await start(launch('stop-resume/host', ['loop', '--wait']));
    await enclave('RUNNING').catch(() => enclave('RUNNABLE'));
    await waitForBeats(run, 1);

    assert.equal(await vscode.commands.executeCommand('penglai.enclave.stop', await enclave()), true);
    const { refused } = (await enclave('STOPPED')).item;
    assert.deepEqual(Object.keys(refused), ['stop'], 'what is stopped can be resumed and destroyed');
    const stopped = await readClocks(run);
    const later = await waitForBeats(run, stopped.beats + BEATS_IN_10M_TICKS);
    assert.equal(later.counter, stopped.counter, 'the counter stands still for 10 M ticks of the other thread');

    assert.equal(await vscode.commands.executeCommand('penglai.enclave.resume', await enclave('STOPPED')), true);
    const resumed = await waitForBeats(run, later.beats + 10);
    assert.ok(resumed.counter > later.counter, `${resumed.counter} > ${later.counter}`);

    assert.equal(await vscode.commands.executeCommand('penglai.enclave.destroy', await enclave()), true);
    assert.equal(await run.ended(), 0, run.output());
    assert.match(run.output(), /host: PLenclave run is finish/);
    assert.equal((await rows()).length, 0);
  });

  it('executes an operation also while the session is paused, and shows the new state', async () => {
    setBreakpoint(join(samples, 'stop-resume/loop.c'), 'count');
    const run = await start(launch('stop-resume/host', ['loop', '--wait']));
    await run.nextStop();
    assert.equal(await vscode.commands.executeCommand('penglai.enclave.stop', await enclave()), true);
    assert.equal((await enclave('STOPPED')).item.type, 'NORMAL');
    const refusal = (await enclave('STOPPED')).item.refused;
    assert.equal(refusal.resume, undefined);
    assert.equal(await vscode.commands.executeCommand('penglai.enclave.destroy', await enclave()), true);
    await run.continue();
    assert.equal(await run.ended(), 0);
  });

  it('runs two sessions at once, each with its own rows', async () => {
    const [first, second] = [
      await start({ ...launch('stop-resume/host', ['loop', '--wait']), name: 'first' }),
      await start({ ...launch('stop-resume/host', ['loop', '--wait']), name: 'second' }),
    ];
    const both = async () => (await rows()).filter((node): node is EnclaveNode => node.kind === 'enclave');
    for (let i = 0; i < 300 && (await both()).length < 2; i++) await new Promise((done) => setTimeout(done, 100));
    const nodes = await both();
    assert.equal(new Set(nodes.map((node) => node.session.id)).size, 2);
    for (const node of nodes) assert.equal(await vscode.commands.executeCommand('penglai.enclave.destroy', node), true);
    assert.equal(await first.ended(), 0);
    assert.equal(await second.ended(), 0);
  });
});
