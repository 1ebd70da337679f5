import assert from 'node:assert/strict';
import { decode, rowOf } from '../../../emulator/isa/decode';
import { encode } from '../../../emulator/isa/encode';
import { newInstruction, type Instruction } from '../../../emulator/isa/instruction';
import { Op } from '../../../emulator/isa/op';
import { BASE_ROWS, ROWS } from '../../../emulator/isa/rows';
import { readEncoding } from '../../../emulator/isa/row';
import { randomWords } from './objdump';

function decoded(bits: number): Instruction {
  const insn = newInstruction();
  decode(bits, insn);
  return insn;
}

describe('the rows', () => {
  it('have one base instruction per operation, fence.tso being a second name of fence', () => {
    const ops = BASE_ROWS.filter(({ mnemonic }) => mnemonic !== 'fence.tso').map(({ op }) => op);
    assert.deepEqual(
      [...ops].sort((a, b) => a - b),
      Array.from({ length: Op.COUNT - 1 }, (_, i) => i + 1),
    );
  });

  it('name every instruction once', () => {
    assert.equal(new Set(ROWS.map(({ mnemonic }) => mnemonic)).size, ROWS.length);
  });

  it('refuse an encoding that is not in the notation or has the wrong width', () => {
    assert.throws(() => readEncoding('0000000 rs2 rs1 000 rd 011001'), /31 bits/);
    assert.throws(() => readEncoding('0000000 rs9 rs1 000 rd 0110011'), /rs9/);
  });

  for (const row of ROWS)
    it(`${row.mnemonic}: what is encoded is decoded again`, () => {
      const random = randomWords(row.op + 99);
      let seen = 0;
      for (let i = 0; i < 300; i++) {
        const [rd, rs1, rs2, rs3, rm, imm, aqrl] = Array.from({ length: 7 }, () => random() | 0);
        const bits = encode(row, { rd: rd!, rs1: rs1!, rs2: rs2!, rs3: rs3!, rm: rm!, imm: imm!, aqrl: aqrl! });
        if (rowOf(bits)?.row !== row) continue; // reserved, or the special case that has a row of its own
        seen++;
        const insn = decoded(bits);
        assert.equal(insn.op, row.op);
        assert.equal(insn.length, (bits & 3) === 3 ? 4 : 2);
        assert.equal(encode(row, insn), bits);
      }
      assert.ok(seen > 0);
    });
});

describe('decode', () => {
  const fields = (insn: Instruction) => [insn.op, insn.rd, insn.rs1, insn.rs2, insn.imm, insn.length];

  it('sign-extends each shape of immediate from its own sign bit', () => {
    assert.deepEqual(fields(decoded(0xfff00093)), [Op.ADDI, 1, 0, 0, -1, 4]); // addi ra,zero,-1
    assert.deepEqual(fields(decoded(0xfe112e23)), [Op.SW, 0, 2, 1, -4, 4]); // sw ra,-4(sp)
    assert.deepEqual(fields(decoded(0x80000063)), [Op.BEQ, 0, 0, 0, -4096, 4]);
    assert.deepEqual(fields(decoded(0x800000ef)), [Op.JAL, 1, 0, 0, -1048576, 4]);
    assert.deepEqual(fields(decoded(0x800000b7)), [Op.LUI, 1, 0, 0, -2147483648, 4]);
    assert.deepEqual(fields(decoded(0x7c0020f3)), [Op.CSRRS, 1, 0, 0, 0x7c0, 4]);
    assert.deepEqual(fields(decoded(0xfff020f3)), [Op.CSRRS, 1, 0, 0, 0xfff, 4]); // a CSR number is not signed
  });

  it('gives compressed instructions as what they expand to, 2 bytes long', () => {
    assert.deepEqual(fields(decoded(0x1141)), [Op.ADDI, 2, 2, 0, -16, 2]); // c.addi sp,-16
    assert.deepEqual(fields(decoded(0x7139)), [Op.ADDI, 2, 2, 0, -64, 2]); // c.addi16sp sp,-64
    assert.deepEqual(fields(decoded(0x737d)), [Op.LUI, 6, 0, 0, -4096, 2]); // c.lui t1,0xfffff
    assert.deepEqual(fields(decoded(0x8082)), [Op.JALR, 0, 1, 0, 0, 2]); // c.jr ra
    assert.deepEqual(fields(decoded(0x852e)), [Op.ADD, 10, 0, 11, 0, 2]); // c.mv a0,a1
    assert.deepEqual(fields(decoded(0x9002)), [Op.EBREAK, 0, 0, 0, 0, 2]);
    assert.deepEqual(fields(decoded(0xe406)), [Op.SD, 0, 2, 1, 8, 2]); // c.sdsp ra,8(sp)
  });

  it('ignores the bits above a compressed instruction', () => {
    assert.deepEqual(decoded(0xdead1141 | 0), decoded(0x1141));
  });

  it('keeps reserved rounding modes and the orderings for the execution', () => {
    assert.equal(decoded(0x02b55553).rm, 5); // fadd.d fa0,fa0,fa1 with rm 5
    assert.equal(decoded(0x02b57553).rm, 7);
    assert.equal(decoded(0x1605a52f).aqrl, 3); // lr.w.aqrl a0,(a1)
  });

  it('takes HINTs as their base instruction', () => {
    assert.deepEqual(fields(decoded(0x0005)), [Op.ADDI, 0, 0, 0, 1, 2]); // c.nop 1
    assert.deepEqual(fields(decoded(0x0082)), [Op.SLLI, 1, 1, 0, 0, 2]); // c.slli ra,0
    assert.deepEqual(fields(decoded(0x6005)), [Op.LUI, 0, 0, 0, 4096, 2]); // c.lui zero,1
    assert.deepEqual(fields(decoded(0x9006)), [Op.ADD, 0, 0, 1, 0, 2]); // c.add zero,ra
  });

  const reserved: Record<string, number> = {
    'the all-zero word': 0x0000,
    'c.addi4spn with 0': 0x0004,
    'c.addiw with rd = x0': 0x2005,
    'c.addi16sp with 0': 0x6101,
    'c.lui with 0': 0x6081,
    'c.lwsp with rd = x0': 0x4002,
    'c.ldsp with rd = x0': 0x6002,
    'c.jr with rs1 = x0': 0x8002,
    'quadrant 0, funct3 100': 0x8000,
    'quadrant 1, the reserved pair beside c.addw': 0x9c41,
    'the all-one word': 0xffffffff,
    'slliw with a 6-bit shift amount': 0x0200901b,
    'ld with funct3 111': 0x00007003,
    'jalr with funct3 001': 0x00001067,
    'ecall with rd = ra': 0x000000f3,
    'mul with an undefined funct7': 0x04000033,
    'a quad-precision addition': 0x06000053,
    'zext.h with rs2 = ra, which is packw': 0x0810403b,
    'clz with rs2 = 3': 0x60301013,
    'fcvtmod.w.d with a mode other than rtz': 0xc2802053,
    'cbo with an undefined operation': 0x0050a00f,
    'cbo.zero with rd = ra': 0x0040a08f,
    'lr.w with rs2 = ra': 0x1010202f,
    'fsqrt.s with rs2 = f1': 0x58100053,
    'fclass.d with funct3 010': 0xe2002053,
    'a 48-bit encoding': 0x0000001f,
  };
  for (const [what, bits] of Object.entries(reserved))
    it(`finds ${what} illegal`, () => {
      assert.deepEqual(decoded(bits), { ...newInstruction(), length: (bits & 3) === 3 ? 4 : 2 });
    });

  it('never throws, overwrites every field, and gives registers and lengths in range', () => {
    const random = randomWords(5);
    const insn = newInstruction();
    for (let i = 0; i < 200_000; i++) {
      const bits = random();
      Object.assign(insn, { op: -1, length: 9, rd: -1, rs1: -1, rs2: -1, rs3: -1, rm: -1, imm: NaN, aqrl: -1 });
      decode(bits, insn);
      assert.ok(insn.op >= 0 && insn.op < Op.COUNT && insn.length === ((bits & 3) === 3 ? 4 : 2));
      for (const field of [insn.rd, insn.rs1, insn.rs2, insn.rs3]) assert.ok(field >= 0 && field < 32);
      assert.ok(insn.rm >= 0 && insn.rm < 8 && insn.aqrl >= 0 && insn.aqrl < 4 && insn.imm === (insn.imm | 0));
    }
  });
});
