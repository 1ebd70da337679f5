/** A host of several processes: breakpoints in all of them, threads of all of them, variables of each its own. */
import assert from 'node:assert/strict';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { build, markerLine, programSource } from './builds';
import { Run } from './client';

const source = programSource('family.c');
const running: Run[] = [];

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
  }
});

async function launch(markers: readonly string[]): Promise<Run> {
  const run = new Run();
  running.push(run);
  assert.equal(await run.prepare({ program: await build('host', source, 'family/host') }), undefined);
  const set = await run.breakpoints(
    source,
    markers.map((marker) => markerLine(source, marker)),
  );
  assert.ok(set.every(({ verified }) => verified));
  await run.start();
  return run;
}

const threads = async (run: Run): Promise<string[]> =>
  (await run.ask<{ threads: D.Thread[] }>('threads')).threads.map(({ name }) => name);

describe('A host that forks', () => {
  it('stops at a breakpoint in parent and child, each with its own variables, and in what a child executes', async () => {
    const run = await launch(['work', 'waited', 'again', 'end']);
    const seen: string[] = [];
    for (let count = 0; count < 6; count++) {
      const stop = await run.nextStop();
      const [frame, caller] = await run.stack(stop.threadId!);
      const where = frame!.name === 'work' ? `work from ${caller!.name}` : `line ${frame!.line}`;
      seen.push(
        `${stop.threadId} ${where} ${await run.evaluate('value', frame!.id)} of ${(await threads(run)).length}`,
      );
      await run.ask('continue', { threadId: stop.threadId });
    }
    assert.equal(await run.ended(), 0);
    assert.deepEqual(
      seen.toSorted(),
      [
        `1 line ${markerLine(source, 'waited')} 11 of 1`,
        `1 line ${markerLine(source, 'end')} 11 of 1`,
        '1 work from main 11 of 2',
        '2 work from main 21 of 2',
        `3 line ${markerLine(source, 'again')} 41 of 2`,
        '3 work from main 41 of 2',
      ].toSorted(),
    );
    assert.match(run.output('stdout'), /child 2, 22\n[^]*again 3, 11\n/);
    const exits = run.events('thread').filter(({ body }) => body.reason === 'exited');
    assert.deepEqual(
      exits.map(({ body }) => body.threadId),
      [2, 3, 1],
    );
    assert.equal(run.events('process').length, 1);
  });

  it('steps over fork in the parent and stays there', async () => {
    const run = await launch(['waited']);
    const stop = await run.nextStop();
    let at = stop;
    for (let count = 0; count < 2; count++) at = await run.go('next', at.threadId!);
    assert.equal(at.threadId, 1);
    const [frame] = await run.stack(1);
    assert.equal(frame!.name, 'main');
    await run.ask('continue', { threadId: 1 });
    assert.equal(await run.ended(), 0);
  });
});
