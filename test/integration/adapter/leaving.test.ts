/** Steps that leave an enclave from deep inside it. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, folder, markerLine, programSource } from './builds';
import { frameText, Run, sample, sampleSource } from './client';

const deepExit = programSource('deep-exit.c');
const deepServer = programSource('deep-server.c');
const running: Run[] = [];

async function launch(program: string, args: string[]): Promise<Run> {
  const run = new Run();
  running.push(run);
  assert.equal(await run.prepare({ program, args }), undefined);
  return run;
}

/** Starts it and waits for the stop at a marker; the thread that stopped. */
async function stopAt(run: Run, file: string, marker: string): Promise<number> {
  await run.breakpoints(file, [markerLine(file, marker)]);
  await run.start();
  const { threadId } = await run.nextStop();
  assert.match(await top(run, threadId!), new RegExp(`:${markerLine(file, marker)}$`));
  return threadId!;
}

const top = async (run: Run, threadId: number) => frameText((await run.stack(threadId))[0]!);
const at = (name: string, marker: string, file = deepExit) =>
  `${name} ${file.slice(file.lastIndexOf('/') + 1)}:${markerLine(file, marker)}`;

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
  }
});

describe('a step in a function called by another one of the enclave', () => {
  async function enclave(marker: string): Promise<[Run, number]> {
    await build('eapp', deepExit, 'deep/deep-exit');
    const host = join(folder, 'deep', 'host');
    copyFileSync(sample('hello-world', 'host'), host);
    const run = await launch(host, ['deep-exit']);
    return [run, await stopAt(run, deepExit, marker)];
  }

  for (const kind of ['next', 'stepOut'] as const)
    it(`${kind} on EAPP_RETURN goes on in the host`, async () => {
      const [run, threadId] = await enclave('exit');
      assert.equal((await run.go(kind, threadId)).reason, 'step');
      assert.match(await top(run, threadId), /^\w+ host\.c:/);
    });

  it('next over a hand-over of the relay page comes back behind it, the host having run between', async () => {
    const [run, threadId] = await enclave('lend');
    await run.go('next', threadId);
    assert.equal(await top(run, threadId), at('lend', 'after-lend'));
  });

  it('stepOut of a function that hands over the relay page comes back to its caller', async () => {
    const [run, threadId] = await enclave('before-lend');
    await run.go('stepOut', threadId);
    assert.equal(await top(run, threadId), at('work', 'work'));
  });

  it('next on SERVER_RETURN goes on in the caller, and in no frame of the server', async () => {
    await build('eapp', deepServer, 'deep-chain/server');
    for (const name of ['host', 'caller']) copyFileSync(sample('server-chain', name), join(folder, 'deep-chain', name));
    const run = await launch(join(folder, 'deep-chain', 'host'), ['caller', 'server']);
    const threadId = await stopAt(run, deepServer, 'answer');
    await run.go('next', threadId);
    const caller = sampleSource('server-chain', 'caller.c');
    assert.match(await top(run, threadId), /^ask caller\.c:/);
    assert.ok((await run.stack(threadId))[0]!.line > markerLine(caller, 'call') - 1);
  });
});

describe('a step that ends its thread', () => {
  it('lets the program run on, to a breakpoint in another thread', async () => {
    const file = programSource('thread-exit.c');
    const run = await launch(await build('host', file), []);
    await run.breakpoints(file, [markerLine(file, 'leave'), markerLine(file, 'joined')]);
    await run.start();
    const { threadId } = await run.nextStop();
    const stop = await run.go('next', threadId!);
    assert.deepEqual([stop.reason, stop.threadId === threadId], ['breakpoint', false]);
    assert.equal(await top(run, stop.threadId!), at('main', 'joined', file));
    const outer = (await run.stack(stop.threadId!)).slice(1).map(({ name, instructionPointerReference }) => ({
      offset: Number(/\+(\d+)$/.exec(name)?.[1]),
      pc: Number(instructionPointerReference),
    }));
    assert.ok(outer.length > 0);
    for (const { offset } of outer) assert.equal(offset % 2, 0, 'a return address is that of an instruction');
  });
});
