import assert from 'node:assert/strict';
import { FloatUnit } from '../../../emulator/engine/float/unit';
import { Op } from '../../../emulator/isa/op';
import vectorsText from './golden/float-vectors.txt';
import digestsText from './golden/float-digests.txt';
import { digest, digestVectors, haveQemu, Qemu, resultOf, updateGolden, vectorLine } from './qemu';
import { cornerVectors, FLOAT_ROWS, hasRoundingMode, randomVectors, run, SENTINEL, type Vector } from './vectors';

const lines = vectorsText.trim().split('\n');
const rowNamed = (name: string) => FLOAT_ROWS.find(({ mnemonic }) => mnemonic === name)!;

const bits = (hex: string) => BigInt('0x' + hex);

function parse(line: string): Vector {
  const [name, rm, a, b, c] = line.split(' ') as [string, string, string, string, string];
  return {
    row: rowNamed(name),
    rm: Number(rm),
    operands: [bits(a), bits(b), bits(c)],
  };
}

describe('the floating-point unit', function () {
  this.timeout(120_000);

  for (const row of FLOAT_ROWS)
    it(`${row.mnemonic} gives the recorded results and flags on corner operands`, () => {
      const mine = lines.filter((line) => line.startsWith(row.mnemonic + ' '));
      assert.ok(mine.length > 10, 'no vectors');
      assert.equal(new Set(mine.map((line) => line.split(' ')[1])).size, hasRoundingMode(row) ? 5 : 1);
      for (const line of mine) {
        const vector = parse(line);
        assert.equal(vectorLine(vector, run(vector)), line);
      }
    });

  it('gives the recorded digests of results and flags on thousands of random operands per instruction', () => {
    const expected = digestsText.trim().split('\n');
    const actual = FLOAT_ROWS.map(
      (row) => `${row.mnemonic} ${digest(digestVectors(row).map((vector) => run(vector)))}`,
    );
    assert.deepEqual(actual, expected);
  });

  it('gives the same result when flags have accrued before, and only ever adds to them', () => {
    for (const row of FLOAT_ROWS)
      for (const vector of [...cornerVectors(row, 0), ...randomVectors(row, 1000, 2)]) {
        const clear = run(vector);
        for (const before of [1, 31]) {
          const after = run(vector, before);
          if (after.f === clear.f && after.x === clear.x && after.flags === (clear.flags | before)) continue;
          assert.fail(`${vectorLine(vector, clear)}, but ${vectorLine(vector, after)} after flags ${before}`);
        }
      }
  });

  it('writes one destination and never x0', () => {
    const memory = new ArrayBuffer(512);
    const registers = new BigUint64Array(memory);
    const unit = new FloatUnit();
    unit.rebind(memory, 0, 256);
    for (const row of FLOAT_ROWS) {
      registers.fill(0x3ff8000000000000n, 0, 32).fill(7n, 32);
      registers[32] = 0n;
      unit.execute(row.op, 0, 3, 3, 3, 0);
      const changed = [...registers.keys()].filter(
        (i) => registers[i] !== (i < 32 ? 0x3ff8000000000000n : i > 32 ? 7n : 0n),
      );
      assert.ok(
        changed.every((i) => i === 0 && row.operands.startsWith('f')),
        `${row.mnemonic}: ${changed.join()}`,
      );
    }
  });

  it('reads its operands before it writes a destination that is one of them', () => {
    const memory = new ArrayBuffer(512);
    const f = new Float64Array(memory);
    const unit = new FloatUnit();
    unit.rebind(memory, 0, 256);
    f[1] = 3;
    unit.execute(Op.FMADD_D, 1, 1, 1, 1, 0);
    assert.equal(f[1], 12);
    new BigUint64Array(memory)[1] = 0x7ff0000000000001n;
    unit.fadd_d(1, 1, 1, 0);
    assert.equal(new BigUint64Array(memory)[1], 0x7ff8000000000000n);
    assert.equal(unit.flags, 16);
  });

  it('follows its registers to another buffer', () => {
    const unit = new FloatUnit();
    const [first, second] = [new Float64Array(64), new Float64Array(64)];
    unit.rebind(first.buffer, 0, 256);
    first[1] = 1.5;
    unit.rebind(second.buffer, 0, 256);
    second[1] = 2.5;
    unit.fadd_d(2, 1, 1, 0);
    assert.deepEqual([first[2], second[2]], [0, 5]);
  });
});

describe('the floating-point unit beside qemu-riscv64', function () {
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
  const count = 2000 * Number(process.env['FLOAT_ROUNDS'] ?? 1);
  for (const row of FLOAT_ROWS)
    it(`${row.mnemonic} agrees on corner and random operands`, () => {
      const vectors = [...cornerVectors(row, 0), ...randomVectors(row, count, Number(process.env['FLOAT_SEED'] ?? 3))];
      const theirs = qemu.run(vectors);
      vectors.forEach((vector, i) => {
        const mine = run(vector);
        if (mine.f === theirs[i]!.f && mine.x === theirs[i]!.x && mine.flags === theirs[i]!.flags) return;
        assert.equal(vectorLine(vector, mine), vectorLine(vector, theirs[i]!));
        assert.deepEqual(mine, theirs[i]);
      });
      const other = (vector: Vector, i: number) =>
        resultOf(vector, theirs[i]!) === theirs[i]!.f ? theirs[i]!.x : theirs[i]!.f;
      assert.equal(other(vectors[0]!, 0), SENTINEL);
    });
});
