/** The drivers of the benchmark with the smallest of counts: they still measure what they say. No time is looked at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { withPrograms } from '../../bench/compiled';
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
        assert.deepEqual([result.exitStatus, result.engine, result.rss.length], [0, engine, 4], result.output);
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
