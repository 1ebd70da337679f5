/** The drivers of the benchmark with the smallest of counts: they still measure what they say. No time is looked at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { withPrograms } from '../../bench/compiled';
import { JobServer } from '../../bench/jobs';
import { runOnMachine } from '../../bench/machine';
import { measurePauses } from '../../bench/pause';
import { CASES } from '../../bench/rare';
import { runRegions } from '../../bench/regions-run';

describe('drivers of the benchmark', () => {
  it('regions: the same sum on every engine and in any number of places, and a resident set for each quarter', () =>
    withPrograms(async (make) => {
      const program = await make('host', 'guests/regions.c', 'regions', ['-O2']);
      const sums = new Set<string>();
      for (const [engine, places] of [...ENGINE_NAMES.map((name) => [name, 32] as const), ['wasm', 320] as const]) {
        const result = await runRegions({ program, args: ['300', String(places), '20'], engine });
        assert.deepEqual(
          [result.exitStatus, result.engine, result.rss.length, result.collected.length],
          [0, engine, 4, 4],
          result.output,
        );
        sums.add(/^sum [0-9a-f]{16}$/m.exec(result.output)![0]);
      }
      assert.equal(sums.size, 1);
    }));

  it('rare: each case prints the same on every engine', () =>
    withPrograms(async (make) => {
      const image = readFileSync(await make('host', 'guests/rare.c', 'rare', ['-O2']));
      for (const name of Object.keys(CASES)) {
        const results = ENGINE_NAMES.map((engine) => runOnMachine(image, { rounds: 0, args: [name, '3000'], engine }));
        for (const { exitStatus, output } of results)
          assert.deepEqual([exitStatus, output], [0, results[0]!.output], name);
        assert.match(results[0]!.output, /^[0-9a-f]+\n$/);
      }
    }));

  it('hosts: a runtime that gave up waiting for a job asks again, and gets the next one', async () => {
    const jobs = new JobServer('');
    try {
      const address = await jobs.listen();
      const ended = new Promise(() => undefined);
      const impatient = new AbortController();
      const asked = fetch(`${address}/job/one?about=it`, { signal: impatient.signal });
      await jobs.ready('one', ended);
      impatient.abort();
      await assert.rejects(asked);
      await setTimeout(100); // The server is told that the connection is closed.
      const done = jobs.do('one', { image: 'an image', run: { rounds: 7 } });
      const again = fetch(`${address}/job/one?about=it`);
      assert.deepEqual(await (await again).json(), { image: 'an image', run: { rounds: 7 } });
      await fetch(`${address}/result/one`, { method: 'POST', body: JSON.stringify({ output: 'done' }) });
      assert.deepEqual(await done, { output: 'done' });
    } finally {
      jobs.close();
    }
  });

  it('pause: each request is followed by a stop, and the guest goes on after it', async () => {
    const lines: string[] = [];
    const { rows, count } = await measurePauses({ count: 3, only: ['loop'] }, (line) => lines.push(line));
    assert.equal(count, 3);
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['a loop'],
    );
    assert.ok(rows[0]!.pauses.max >= rows[0]!.pauses.median && rows[0]!.pauses.median > 0);
    assert.ok(lines.some((line) => line.startsWith('a loop')));
  });
});
