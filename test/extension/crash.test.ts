import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { endAll, launch, start, until } from './recorder';

/** Processes that run the adapter, by the command lines in /proc. */
function adapters(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words.some((word) => word.endsWith('dist/debug-adapter.js'));
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number);
}

describe('an adapter that dies', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  afterEach(endAll);

  it('ends its session, and leaves no process behind', async () => {
    const before = new Set(adapters());
    const run = await start(launch('stop-resume/host', ['loop', '--wait']));
    await run.event('process');
    const mine = adapters().filter((pid) => !before.has(pid));
    assert.equal(mine.length, 1);
    const ended = new Promise<void>((done) => {
      vscode.debug.onDidTerminateDebugSession((session) => session.id === run.session.id && done());
    });
    process.kill(mine[0]!, 'SIGKILL');
    await ended;
    await until('the adapter to be gone', () => run.recorded.exit);
    assert.deepEqual(
      adapters().filter((pid) => !before.has(pid)),
      [],
    );
  });
});
