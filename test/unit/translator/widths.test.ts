/** What is known of widths holds, and what becomes narrow of it computes the same: one instruction at a time, by the trees' evaluator. */
import assert from 'node:assert/strict';
import { shape, type Shaped } from '../../../emulator/engine/translator/narrow';
import { templateOf, type Template } from '../../../emulator/engine/translator/templates';
import { execute as after, widthsOf, type Widths } from '../../../emulator/engine/translator/widths';
import { writtenX } from '../../../emulator/engine/translator/region-registers';
import { newInstruction, type Instruction } from '../../../emulator/isa/instruction';
import type { Statement } from '../../../emulator/isa/language/ir';
import { eachStatement, everyExpression } from '../../../emulator/isa/language/walk';
import { Op } from '../../../emulator/isa/op';
import { BASE_ROWS } from '../../../emulator/isa/rows';
import { rowLibrary } from '../../../emulator/isa/semantics';
import { execute } from '../../reference/evaluate';
import { random } from '../engine/programs';

type Random = (below: number) => number;

const RD = 3;
const low = (value: bigint): bigint => BigInt.asUintN(64, value);
const word64 = (next: Random): bigint =>
  (BigInt(next(2 ** 16)) << 48n) | (BigInt(next(2 ** 24)) << 24n) | BigInt(next(2 ** 24));

/** A value of so many bits, at its limits every other time. */
function valueOf(width: number, next: Random): bigint {
  const most = (1n << BigInt(width - 1)) - 1n;
  return [most, -most - 1n, 0n, -1n, 1n][next(10)] ?? BigInt.asIntN(width, word64(next));
}

const template = (instruction: Readonly<Instruction>): Template => templateOf(instruction, false)!;

/** Does the evaluator know all of it: no floats, no functions in place? */
function isPlain({ body, usesFloat }: Template): boolean {
  let plain = !usesFloat;
  everyExpression(body, ({ kind }) => (plain &&= kind !== 'block' && kind !== 'call' && kind !== 'host'));
  eachStatement(body, ({ kind }) => (plain &&= kind === 'setRegister'));
  return plain;
}

const ROWS = BASE_ROWS.filter(({ op }) => {
  const found = templateOf({ ...newInstruction(), op }, false);
  return found && (found.control === 'none' || found.control === 'branch') && isPlain(found);
});

/** x3 after these, a branch's decision if the last is one. */
function result(shaped: readonly Shaped[], x: readonly bigint[], loaded: bigint): bigint {
  const hart = {
    x: [...x],
    f: [...x],
    pc: 0x1000n,
    fcsr: 0,
    state: () => 0n,
    load: (_address: bigint, bits: number) => BigInt.asUintN(bits, loaded),
    store: () => undefined,
    host: () => 0n,
  };
  for (const {
    instruction,
    template: { body, condition },
  } of shaped) {
    const decides: Statement[] = condition
      ? [{ kind: 'setRegister', file: 'x', value: { kind: 'unary', type: 'i64', name: 'zext64', operand: condition } }]
      : [];
    execute(rowLibrary(), [...body, ...decides], condition ? { ...instruction, rd: RD } : instruction, hart);
  }
  return hart.x[RD]!;
}

/** Random operands for a few instructions: x1 and x2 with random widths. */
function check(instructions: readonly Readonly<Instruction>[], next: Random): boolean {
  const widths: Widths = new Uint8Array(32).fill(64);
  widths[0] = 1;
  const x = Array.from({ length: 32 }, () => word64(next));
  x[0] = 0n;
  for (const register of [1, 2, RD]) {
    widths[register] = [2, 8, 9, 16, 17, 31, 32, 32, 32, 33, 64][next(11)]!;
    x[register] = low(valueOf(widths[register]!, next));
  }
  const loaded = valueOf(64, next);
  const plain = instructions.map((instruction): Shaped => ({ instruction, template: template(instruction) }));
  const shaped = shape(instructions, template, widths);
  const expected = result(plain, x, loaded);
  const say = (): string => JSON.stringify([instructions, x.slice(1, 4).map(String), [...widths.slice(1, 4)]]);
  assert.equal(result(shaped, x, loaded), expected, say());
  const then = widths.slice();
  for (const each of instructions) after(then, each, template(each).body);
  assert.equal(low(BigInt.asIntN(then[RD]!, expected)), expected, `width ${then[RD]} ${say()}`);
  const bodies = (list: readonly Shaped[]) => list.map((each) => [each.template.body, each.template.condition]);
  return JSON.stringify(bodies(shaped), printed) !== JSON.stringify(bodies(plain), printed);
}

const printed = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

describe('Widths of registers', function () {
  this.timeout(60_000);

  it('hold for what every instruction makes of its operands, and arithmetic made narrow by them computes the same', () => {
    const next = random(1);
    const changed = new Set<string>();
    for (const { op, mnemonic } of ROWS)
      for (let i = 0; i < 150; i++) {
        const isShift = /^(s[lr][la]i|roriw?$|b(set|clr|inv|ext)i)/.test(mnemonic);
        const imm = isShift ? next(mnemonic.endsWith('w') ? 32 : 64) : next(8) ? next(4096) - 2048 : 0;
        const rs2 = next(8) ? 2 : 1 - next(2);
        const wide = op === Op.LUI || op === Op.AUIPC ? imm << 12 : imm;
        const one = { ...newInstruction(), op, rd: RD, rs1: next(8) ? 1 : 0, rs2, imm: wide };
        const sum = { ...one, op: Op.ADDW, rd: 1, rs1: 4, rs2: 5 };
        // What nobody has extended before stays as it is.
        if (check(next(2) ? [one] : [sum, one], next)) changed.add(mnemonic);
      }
    const expected =
      'addiw and andi andn bclri beq bge bgeu binvi blt bltu bne bseti or ori orn slt slti sltiu sltu srai xnor xor xori';
    assert.deepEqual([...changed].sort(), expected.split(' '));
  });

  it('see an extension in two shifts, of whatever registers', () => {
    const next = random(2);
    const register = (): number => [0, 1, 2, RD, RD, RD][next(6)]!;
    let changed = 0;
    for (let i = 0; i < 20_000; i++) {
      const by = [16, 31, 32, 48, 56, 63][next(6)]!;
      const shift = { ...newInstruction(), op: Op.SLLI, rd: register(), rs1: register(), imm: by };
      const back = {
        ...shift,
        op: next(2) ? Op.SRLI : Op.SRAI,
        rd: register(),
        rs1: register(),
        imm: next(5) ? by : 32,
      };
      const others = [Op.ADD, Op.XOR, Op.ADDW, Op.SLTU].map((op) => ({ ...back, op, rs2: register() }));
      const list = [shift, back, others[next(4)]!].slice(0, 2 + next(2));
      if (next(4) === 0) list.splice(1, 0, others[next(4)]!);
      if (check(list, next)) changed++;
    }
    assert.ok(changed > 500, `${changed}`);
  });

  it('are those of the widest way that leads to a block, loops included, and unknown at the entry', () => {
    const one = (op: Op, rd: number, rs1: number, rs2 = 0, imm = 0) => ({ ...newInstruction(), op, rd, rs1, rs2, imm });
    const blocks = [
      [one(Op.ADDI, 5, 0, 0, 7), one(Op.LBU, 6, 1), one(Op.ADDIW, 7, 1), one(Op.ADDI, 8, 0)],
      [one(Op.ADD, 5, 5, 6), one(Op.ADDW, 8, 8, 5), one(Op.ADDI, 9, 6)],
      [one(Op.SLLI, 7, 7, 0, 1)],
    ].map((instructions) => ({ instructions }));
    const [entry, loop, end] = widthsOf(blocks, [[1], [1, 2], []], template);
    assert.deepEqual([...entry!], [1, ...Array<number>(31).fill(64)]);
    // A sum that grows each time round, a byte, what is extended, a word that is added to, what is not written before.
    assert.deepEqual([loop![5], loop![6], loop![7], loop![8], loop![9]], [64, 9, 32, 32, 64]);
    assert.deepEqual([end![5], end![9], end![1]], [64, 9, 64]);
    assert.equal(writtenX(blocks[0]!.instructions[0]!), 5);
  });
});
