/** Hazards as a user of the debugger meets them: stops, explanations, the console, and programs that they end. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { build, markerLine, programSource } from './builds';
import { Run, sample } from './client';
import { programFile } from '../../tools/programs';

const SOURCE = programSource('misused.c');
const LINE = markerLine(SOURCE, 'stop');

async function program(): Promise<string> {
  const host = await build('host', SOURCE, 'misused/host');
  copyFileSync(sample('hello-world', 'hello-world'), join(dirname(host), 'hello-world'));
  return host;
}

async function session(
  more: Record<string, unknown>,
  status: number,
  play: (run: Run) => Promise<void>,
  filters?: readonly string[],
): Promise<Run> {
  const run = new Run();
  try {
    assert.equal(await run.prepare({ program: await program(), args: ['hello-world'], ...more }), undefined);
    if (filters) await run.ask('setExceptionBreakpoints', { filters });
    await run.start();
    await play(run);
    assert.equal(await run.ended(), status);
    assert.equal(await run.gone(), 0);
  } finally {
    run.kill();
  }
  return run;
}

const goOn = async (run: Run, stop: D.StoppedEvent['body']): Promise<void> =>
  void (await run.ask('continue', { threadId: stop.threadId }));

describe('A program that does what goes wrong on a device', function () {
  it('stops there, unless told not to, and is explained', async () => {
    const run = await session({}, 3, async (client) => {
      for (let i = 0; i < 2; i++) {
        const stop = await client.nextStop();
        assert.equal(stop.reason, 'exception');
        assert.equal(stop.description, 'Paused on hazard stop-fresh');
        assert.match(stop.text!, /^STOP of enclave 0x1000, which has not been run\.$/);
        const frames = await client.stack(stop.threadId!);
        assert.equal(frames.find(({ name }) => name === 'main')!.line, LINE);
        const info = await client.ask<D.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: stop.threadId });
        assert.deepEqual([info.exceptionId, info.breakMode], ['stop-fresh', 'always']);
        assert.match(info.description!, /On a device the machine hangs.*\nInstead: Stop an enclave only while/s);
        await goOn(client, stop);
      }
    });
    const told = ['console', 'important'].flatMap((category) => run.output(category).split('hazard ').slice(1));
    assert.equal(told.length, 2, 'once per place, with a notice only where it does not stop');
    assert.match(told[0]!, new RegExp(`^stop-fresh at main, misused\\.c:${LINE}: STOP of enclave 0x1000`));
    assert.match(told[1]!, new RegExp(`^gone-handle at main, misused\\.c:${markerLine(SOURCE, 'again')}: DESTROY`));
  });

  it('stops where a call is refused when the client wants that, and nowhere when it wants neither', async () => {
    await session(
      {},
      3,
      async (client) => {
        const stop = await client.nextStop();
        assert.equal(stop.description, 'Paused on hazard gone-handle');
        await goOn(client, stop);
      },
      ['notices'],
    );
    const run = await session({}, 3, async () => undefined, []);
    assert.equal(run.events('stopped').length, 0);
    await session({ noDebug: true }, 3, async () => undefined);
  });

  it('ends there, with the status of a time-out, when the launch says so', async () => {
    const run = await session({ hazards: 'end' }, 124, async () => undefined, []);
    assert.match(run.output('important'), /hazard stop-fresh/);
    assert.match(run.output('important'), /ended by the hazard stop-fresh.*\(ENDED_BY_HAZARD\)/);
    assert.ok(!run.output('important').includes('gone-handle'), 'nothing came after it');
  });

  it('is told on the command line too: once per place, as a table, and as its end', async () => {
    const host = await program();
    const penglai = (...options: string[]) =>
      spawnSync(process.execPath, [programFile('penglai'), 'run', ...options, host, 'hello-world'], {
        ...{ input: '', encoding: 'utf8', cwd: dirname(host) },
      });
    const told = penglai('--hazards');
    assert.equal(told.status, 3);
    assert.equal(told.stderr.split('penglai: hazard stop-fresh at main, misused.c:').length, 2);
    const table = told.stderr.slice(told.stderr.indexOf('penglai: hazards\n')).split('\n');
    assert.match(table[1]!, /^count +hazard +place +on a device$/);
    assert.match(table[2]!, new RegExp(`^2 +stop-fresh \\(fatal\\) +main, misused\\.c:${LINE} +the machine hangs`));
    assert.match(table[3]!, /^1 +gone-handle +main, misused\.c:\d+ +the call fails/);
    const ended = penglai('--end-on-hazard');
    assert.equal(ended.status, 124);
    assert.match(ended.stderr, /penglai: ended by hazard stop-fresh, as a device would be/);
  });
});
