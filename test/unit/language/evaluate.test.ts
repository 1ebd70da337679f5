import * as assert from 'node:assert/strict';
import { parseLibrary, parseSemantics } from '../../../emulator/isa/language/check';
import { callFunction, execute, Trap, type ReferenceHart } from '../../reference/evaluate';

const FIELDS = new Set(['rd', 'rs1', 'rs2', 'rs3', 'imm', 'rm']);
const NOTHING = parseLibrary([]);

/** Executes a row with x1 and x2 as sources and x3 as destination; returns x3 and the hart. */
function run(text: string, a: bigint, b: bigint, imm = 0, rm = 0): { rd: bigint; hart: ReferenceHart } {
  const none = (): never => {
    throw new Error('not used');
  };
  const x = Array<bigint>(32).fill(0n);
  [x[1], x[2]] = [BigInt.asUintN(64, a), BigInt.asUintN(64, b)];
  const hart: ReferenceHart = { x, f: [...x], pc: 0x1000n, fcsr: 0, state: none, load: none, store: none, host: none };
  const { body } = parseSemantics('row', text, FIELDS, NOTHING);
  execute(NOTHING, body, { rd: 3, rs1: 1, rs2: 2, rs3: 0, rm, imm, length: 4 }, hart);
  return { rd: hart.x[3]!, hart };
}

describe('the reference evaluator', () => {
  it('wraps at the width of the operator', () => {
    assert.equal(run('rd = rs1 + rs2', -1n, 1n).rd, 0n);
    assert.equal(run('rd = sext64(low32(rs1) + low32(rs2))', 0x7fffffffn, 1n).rd, 0xffffffff80000000n);
    assert.equal(run('rd = zext64(low32(rs1) - low32(rs2))', 0n, 1n).rd, 0xffffffffn);
  });

  it('shifts and rotates by the amount modulo the width', () => {
    assert.equal(run('rd = rs1 << rs2', 1n, 65n).rd, 2n);
    assert.equal(run('rd = sext64(low32(rs1) >>s low32(rs2))', 0x80000000n, 33n).rd, 0xffffffffc0000000n);
    assert.equal(run('rd = rotr(rs1, rs2)', 1n, 1n).rd, 1n << 63n);
    assert.equal(run('rd = rotl(rs1, rs2)', 5n, 0n).rd, 5n);
  });

  it('compares by the sign the operator says', () => {
    assert.equal(run('rd = zext64(rs1 <s rs2)', -1n, 1n).rd, 1n);
    assert.equal(run('rd = zext64(rs1 <u rs2)', -1n, 1n).rd, 0n);
    assert.equal(run('rd = zext64(rs1 >=s rs2)', 1n, 1n).rd, 1n);
  });

  it('jumps, or goes to the next instruction', () => {
    assert.equal(run('if (rs1 == rs2) { jump(pc + imm) }', 1n, 1n, -8).hart.pc, 0xff8n);
    assert.equal(run('if (rs1 == rs2) { jump(pc + imm) }', 1n, 2n, -8).hart.pc, 0x1004n);
  });

  it('takes the rounding mode from the instruction, and traps on a reserved one', () => {
    assert.equal(run('rd = sext64(rm)', 0n, 0n, 0, 3).rd, 3n);
    assert.equal(run('rd = sext64(rm)', 0n, 0n, 0, 7).rd, 0n);
    assert.throws(() => run('rd = sext64(rm)', 0n, 0n, 0, 5), Trap);
  });

  it('calls functions with loops, further results and flags', () => {
    const library = parseLibrary([
      {
        title: 'library',
        text: `global rest: i64;
          fn divide(a: i64, b: i64) -> i64 {
            var n: i64 = 0;
            var left = a;
            while (left >=u b) { left = left - b; n = n + 1; }
            rest = left;
            if (left != 0) { raise(1); }
            return n;
          }
          fn both(a: i64, b: i64) -> i64 { let q = divide(a, b); return q * 100 + rest; }`,
      },
    ]);
    assert.deepEqual(callFunction(library, 'both', [17n, 5n]), { result: 302n, fcsr: 1 });
    assert.deepEqual(callFunction(library, 'both', [15n, 5n], 0x60), { result: 300n, fcsr: 0x60 });
  });
});
