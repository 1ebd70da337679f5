import * as assert from 'node:assert/strict';
import { compareInstructions, compareRandom } from '../../differential/campaigns';
import { compare } from '../../differential/compare';
import { engines } from '../../differential/engines';
import { runsInPrograms } from '../../differential/instructions';
import { SHAPES } from '../../differential/kinds';
import { minimise, report } from '../../differential/minimise';
import { Model } from '../../differential/model';
import { haveQemu, Qemu, type Oracle } from '../../differential/oracles';
import { ProgramMaker } from '../../differential/program';
import { supportedBy } from '../../differential/support';
import type { Image } from '../../differential/batch';

/** `npm run differential -- instructions` runs all cases. */
const SOME = { most: 2, extra: 8 };

describe('Programs made from the rows', function () {
  const shapes = SHAPES.filter(runsInPrograms);

  it('leave what the rows say, on every engine, whatever the operands', () => {
    const oracles = [new Model(), ...engines()];
    const { differences, instructions } = compareInstructions(shapes, oracles, 1, SOME);
    assert.deepEqual(differences, []);
    assert.ok(instructions > 40 * SHAPES.length, `only ${instructions} cases`);
  });

  it('leave what the rows say when they are long and random', () => {
    const { differences } = compareRandom(new Set(shapes), [new Model(), ...engines()], {
      seed: 7_000_001,
      programs: 60,
    });
    assert.deepEqual(differences, []);
  });

  it('are the same for the same seed, and others for another', () => {
    const maker = new ProgramMaker(runsInPrograms);
    assert.deepEqual(maker.make(5), maker.make(5));
    assert.notDeepEqual(maker.make(5).items, maker.make(6).items);
  });

  it('show a wrong instruction, and the smallest program that has it', () => {
    const good = engines()[0]!;
    const found = compareFirst(good, new OrForXor(good));
    const small = minimise(found);
    assert.ok(small, 'it shows when the program runs alone');
    const text = report(small);
    assert.match(text, /xor/);
    assert.ok(text.split('\n').filter((row) => /^ +[0-9a-f]+: /.test(row)).length <= 6, text);
  });

  describe('against QEMU user mode', () => {
    let qemu: Qemu;
    before(function () {
      if (!haveQemu()) {
        console.log('        skipped: qemu-riscv64 is not installed, programs are not compared with it');
        this.skip();
      }
      qemu = new Qemu();
    });
    after(() => qemu?.close());

    it('leave what QEMU leaves, whatever the operands', () => {
      const oracles: Oracle[] = [qemu, engines().at(-1)!];
      const supported = supportedBy(...oracles);
      assert.ok(supported.size > 200, `QEMU executes only ${supported.size} rows`);
      assert.deepEqual(compareInstructions(supported, oracles, 2, SOME).differences, []);
    });

    it('leave what QEMU leaves after 2,000 random programs of 100 instructions and more', () => {
      const oracles = [qemu, ...engines()];
      const { differences } = compareRandom(supportedBy(...oracles), oracles, { seed: 1, programs: 2000 });
      assert.deepEqual(differences, []);
    });
  });
});

/** Another oracle that does `or` where `xor` stands in the code. */
class OrForXor implements Oracle {
  readonly name = 'or for xor';
  constructor(private readonly inner: Oracle) {}

  run(image: Image): ReturnType<Oracle['run']> {
    const text = image.text.slice();
    const view = new DataView(text.buffer);
    for (let at = image.entries[0]! - 0x80000000; at + 4 <= text.length; at += 2) {
      const word = view.getUint32(at, true);
      if ((word & 0xfe00707f) >>> 0 === 0x00004033) view.setUint32(at, word ^ 0x2000, true);
    }
    return this.inner.run({ ...image, text });
  }
}

function compareFirst(one: Oracle, other: Oracle) {
  const maker = new ProgramMaker((shape) => runsInPrograms(shape));
  for (let seed = 1; seed < 200; seed++) {
    const [found] = compare([maker.make(seed)], [one, other]);
    if (found?.values) return found;
  }
  throw new Error('no difference was found');
}
