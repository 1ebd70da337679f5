import * as assert from 'node:assert/strict';
import { cutPrograms } from '../../differential/cuts';

describe('Engines at random stop points', function () {
  for (const regime of ['bare', 'sv39'] as const)
    it(`are in the same state at each, also when the engine changes there (${regime})`, () => {
      let total = 0;
      for (let seed = 1; seed <= 4; seed++) {
        const { problems, cuts } = cutPrograms(seed, 30, regime);
        assert.deepEqual(problems, []);
        total += cuts;
      }
      assert.ok(total > 300, `${total} cuts`);
    });
});
