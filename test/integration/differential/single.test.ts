import * as assert from 'node:assert/strict';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { SHAPES } from '../../differential/kinds';
import { stepRows } from '../../differential/steps';

describe('One instruction from a random state', function () {
  for (const engine of ENGINE_NAMES)
    it(`does on the ${engine} engine what its row says, exceptions and memory included`, () => {
      const { problems, steps, exceptions } = stepRows(engine, 11, 40);
      assert.deepEqual(problems, []);
      assert.ok(
        steps > 30 * SHAPES.length && exceptions > 4 * SHAPES.length,
        `${steps} steps, ${exceptions} exceptions`,
      );
    });
});
