/** A launch with commands, and the trace of enclave calls, as a user of the debugger meets them. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Run, sample } from './client';

const HOST = sample('shadow-fork', 'host');
const launch = { program: HOST, pace: 'fast' };

describe('A launch with commands', function () {
  before(function () {
    if (existsSync(HOST)) return;
    console.log('skipped: samples/build is empty; npm run build fills it');
    this.skip();
  });

  it('runs them, stops in main of the first program that is debugged, and traces what enclaves do into a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penglai-commands-'));
    const file = join(folder, 'trace.txt');
    const run = new Run();
    try {
      const commands = ['mount /dev/vda /mnt', './host hello-world 2', './none'];
      const given = { ...launch, commands, stopOnEntry: true, transitions: file };
      assert.equal(await run.prepare(given), undefined);
      await run.start();
      const stop = await run.nextStop();
      assert.equal(stop.reason, 'entry');
      assert.equal((await run.stack(stop.threadId!))[0]!.name, 'main');
      await run.ask('continue', { threadId: stop.threadId });
      assert.equal(await run.ended(), 127);
      assert.equal(await run.gone(), 0);
      assert.match(run.output('stdout'), /host: after exit the thread/);
      assert.match(run.output('stderr'), /^\.\/none: No such file or directory$/m);
      const text = readFileSync(file, 'utf8');
      assert.match(text, /^ +tick +seconds +tid +cost +call$/m);
      assert.equal(text.match(/: exit\(retval=100[12]\) → host/g)?.length, 2);
    } finally {
      run.kill();
      rmSync(folder, { recursive: true });
    }
  });

  it('traces into the Debug Console', async () => {
    const run = new Run();
    try {
      assert.equal(await run.prepare({ ...launch, args: ['hello-world'], transitions: true }), undefined);
      await run.start();
      assert.equal(await run.ended(), 0);
      assert.match(run.output('console'), /ioctl RUN_ENCLAVE\(eid=0x1000 → test-shadow #1/);
    } finally {
      run.kill();
    }
  });

  it('is refused with the line, the cause and the remedy', async () => {
    for (const [given, said] of [
      [{ commands: ['./host | more'] }, /The line "\.\/host \| more" of "commands" cannot be run: \| needs a shell/],
      [{ commands: ['./host'], args: ['x'] }, /Put the arguments into the command/],
      [{ commands: [] }, /"commands" must be/],
    ] as const) {
      const run = new Run();
      try {
        const refused = await run.prepare({ ...launch, ...given });
        assert.match(JSON.stringify(refused), new RegExp(said.source.replaceAll('"', '.{1,2}')));
      } finally {
        run.kill();
      }
    }
  });
});
