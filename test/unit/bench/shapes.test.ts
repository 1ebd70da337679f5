import assert from 'node:assert/strict';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { chartOf } from '../../bench/chart';
import { runOnMachine } from '../../bench/machine';
import { SHAPES } from '../../bench/shapes';
import { median, quantile } from '../../bench/timed';

describe('parts of the benchmark', () => {
  for (const [name, shape] of Object.entries(SHAPES))
    it(`the shape ${name} has about as many instructions as asked for, the same on every engine`, () => {
      const image = shape(100_000);
      const [first, ...others] = ENGINE_NAMES.map((engine) => runOnMachine(image, { rounds: 1, engine }));
      assert.equal(first!.exitStatus, 0);
      assert.ok(Math.abs(first!.instructions - 100_000) < 10_000, String(first!.instructions));
      for (const other of others)
        assert.deepEqual({ ...other, engine: first!.engine, translated: first!.translated }, first);
    });

  it('median and quantile are of the sorted values', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(quantile([5, 1, 4, 2, 3], 1), 5);
    assert.equal(quantile([5, 1, 4, 2, 3], 0.2), 1);
  });

  it('a chart has a bar for each ratio there is, and a line at each power of two', () => {
    const none = { vsQemuUser: null, vsQemuSystem: null };
    const row = { name: 'sieve', kind: 'integer', instructions: 1, memoryMiB: 1 } as const;
    const svg = chartOf({
      workloads: [{ ...row, vsQemuUser: 0.3, vsQemuSystem: 3 }],
      geomeans: { integer: { vsQemuUser: 0.3, vsQemuSystem: null }, float: none, fma: none, all: none },
    });
    // Two of the legend, two of the workload, one of the mean.
    assert.equal(svg.match(/<rect /g)!.length, 5);
    const labels = [...svg.matchAll(/>([0-9/]+)x<\/text>/g)].map(([, label]) => label);
    assert.deepEqual(labels, ['1/4', '1/2', '1', '2', '4']);
  });
});
