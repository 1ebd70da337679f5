/** When a person sees what the program prints. */
import assert from 'node:assert/strict';
import { build, markerLine, programSource } from './builds';
import { Run } from './client';

const source = programSource('speak.c');

describe('A line the host prints', () => {
  let run: Run;
  afterEach(() => run.kill());

  it('is shown when it is printed, not when the program ends: standard output is a terminal', async () => {
    run = new Run();
    assert.equal(await run.prepare({ program: await build('host', source), args: [] }), undefined);
    await run.breakpoints(source, [markerLine(source, 'said')]);
    await run.start();
    await run.nextStop();
    assert.equal(run.output('stdout'), 'said before\n');
    await run.ask('continue', { threadId: 1 });
    await run.ended();
    assert.equal(run.output('stdout'), 'said before\na terminal: 1\n');
    await run.ask('disconnect', {});
    await run.gone();
  });
});
