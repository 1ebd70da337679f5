import assert from 'node:assert/strict';
import vectorsText from './golden/float-vectors.txt';
import digestsText from './golden/float-digests.txt';
import { BACKENDS, FUSED_TEMPLATES, QUICKEST, run, TEMPLATES, type Backend } from './backends';
import { digest, digestVectors, haveQemu, Qemu, updateGolden, vectorLine } from './qemu';
import { FLOAT_ROWS, QEMU_ROWS } from './rows';
import { cornerVectors, hasRoundingMode, randomVectors, shape, type Outcome, type Vector } from './vectors';

const lines = vectorsText.trim().split('\n');
const bits = (hex: string): bigint => BigInt('0x' + hex);

function parse(line: string): Vector {
  const [name, rm, a, b, c] = line.split(' ') as [string, string, string, string, string];
  const row = QEMU_ROWS.find(({ mnemonic }) => mnemonic === name)!;
  return { row, rm: Number(rm), operands: [bits(a), bits(b), bits(c)] };
}

for (const backend of [...BACKENDS, TEMPLATES])
  describe(`floating-point rows on ${backend.name}`, function () {
    for (const row of QEMU_ROWS)
      it(`${row.mnemonic} gives the recorded results and flags on corner operands`, () => {
        const mine = lines.filter((line) => line.startsWith(row.mnemonic + ' '));
        assert.ok(mine.length > 10, 'no vectors');
        assert.equal(new Set(mine.map((line) => line.split(' ')[1])).size, hasRoundingMode(row) ? 5 : 1);
        for (const line of mine) {
          const vector = parse(line);
          assert.equal(vectorLine(vector, run(backend, vector)), line);
        }
      });

    it('give the same result when flags have accrued before, and only ever add to them', () => {
      for (const row of FLOAT_ROWS)
        for (const vector of randomVectors(row, backend.quick ? 2000 : 100, 2)) {
          const clear = run(backend, vector);
          for (const before of [1, 31]) {
            const after = run(backend, vector, before);
            if (after.result === clear.result && after.flags === (clear.flags | before)) continue;
            assert.fail(`${vectorLine(vector, clear)}, but ${vectorLine(vector, after)} after flags ${before}`);
          }
        }
    });

    if (backend.quick)
      it('give the recorded digests of results and flags on thousands of random operands per instruction', () => {
        const expected = digestsText.trim().split('\n');
        const actual = QEMU_ROWS.map(
          (row) => `${row.mnemonic} ${digest(digestVectors(row).map((vector) => run(backend, vector)))}`,
        );
        assert.deepEqual(actual, expected);
      });
  });

/** Before and after NX has accrued, when another template is chosen. */
function givesTheSame(backend: Backend, vectors: readonly Vector[]): void {
  for (const vector of vectors)
    for (const before of [0, 1, 30]) {
      const expected = run(QUICKEST, vector, before);
      const actual = run(backend, vector, before);
      if (actual.result === expected.result && actual.flags === expected.flags) continue;
      const told = (outcome: Outcome): string => `${vectorLine(vector, outcome)} after ${before}`;
      assert.equal(told(actual), told(expected));
    }
}

describe('templates of floating-point rows', function () {
  it('give what the rows of Zfa give, which qemu does not have', () => {
    for (const row of FLOAT_ROWS.filter((each) => !QEMU_ROWS.includes(each)))
      givesTheSame(TEMPLATES, [...cornerVectors(row, 500), ...randomVectors(row, 1000, 5)]);
  });

  it('multiply and add as the rows do by an operator of the host that rounds once', function () {
    if (!FUSED_TEMPLATES) {
      console.log('      skipped: this host has no relaxed_madd, or it rounds twice');
      return this.skip();
    }
    const fused = FLOAT_ROWS.filter((row) => shape(row).sources === 3);
    assert.equal(fused.length, 12);
    for (const row of fused)
      givesTheSame(FUSED_TEMPLATES, [...cornerVectors(row, 1000), ...randomVectors(row, 4000, 6)]);
  });
});

describe('floating-point rows beside qemu-riscv64', function () {
  this.timeout(600_000);
  let qemu: Qemu;
  before(function () {
    if (haveQemu) {
      qemu = new Qemu();
      if (process.env['GOLDEN'] === 'write') updateGolden(qemu);
      return;
    }
    console.log(
      '      skipped: qemu-riscv64 or the GNU assembler are not installed; the recorded vectors were checked',
    );
    this.skip();
  });
  after(() => qemu?.close());

  /** FLOAT_ROUNDS multiplies the number of random vectors. */
  const count = (QUICKEST.quick ? 2000 : 100) * Number(process.env['FLOAT_ROUNDS'] ?? 1);
  for (const row of QEMU_ROWS)
    it(`${row.mnemonic} agrees on corner and random operands`, () => {
      const corners = cornerVectors(row, QUICKEST.quick ? 0 : 50);
      const vectors = [...corners, ...randomVectors(row, count, Number(process.env['FLOAT_SEED'] ?? 3))];
      const theirs = qemu.run(vectors);
      vectors.forEach((vector, i) => {
        const mine = run(QUICKEST, vector);
        if (mine.result === theirs[i]!.result && mine.flags === theirs[i]!.flags) return;
        assert.equal(vectorLine(vector, mine), vectorLine(vector, theirs[i]!));
      });
    });
});
