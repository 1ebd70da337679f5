import assert from 'node:assert/strict';
import { pa, va } from '../../../emulator/units';
import { bare, DATA, ORIGIN } from './bare';
import { random } from './programs';
import { eachEngine } from './engines';

const MASK = 2n ** 64n - 1n;
const u64 = (value: bigint): bigint => value & MASK;
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const bool = (value: boolean): bigint => (value ? 1n : 0n);

const CORNERS = [
  0n, 1n, 2n, 3n, 7n, 31n, 32n, 33n, 63n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x123456789abcdef0n,
  0xfffffffffffffn, 0x10000000000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0x8000000000000001n, MASK - 1n, MASK,
]; // prettier-ignore
const IMMEDIATES = [0n, 1n, 2047n, -1n, -2048n, 1365n];

type Binary = (a: bigint, b: bigint) => bigint;

/** Division as the table of the specification has it. */
const divide = (a: bigint, b: bigint, bits: number): bigint => (b === 0n ? -1n : BigInt.asIntN(bits, a / b));
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);

const REGISTER: Readonly<Record<string, Binary>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  slt: (a, b) => bool(s64(a) < s64(b)),
  sltu: (a, b) => bool(a < b),
  xor: (a, b) => a ^ b,
  srl: (a, b) => a >> (b & 63n),
  sra: (a, b) => s64(a) >> (b & 63n),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a << (b & 31n)),
  srlw: (a, b) => s32(u32(a) >> (b & 31n)),
  sraw: (a, b) => s32(a) >> (b & 31n),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  div: (a, b) => divide(s64(a), s64(b), 64),
  divu: (a, b) => (b === 0n ? MASK : a / b),
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: (a, b) => remainder(a, b),
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => divide(s32(a), s32(b), 32),
  divuw: (a, b) => s32(u32(b) === 0n ? -1n : u32(a) / u32(b)),
  remw: (a, b) => remainder(s32(a), s32(b)),
  remuw: (a, b) => s32(remainder(u32(a), u32(b))),
};

const IMMEDIATE: Readonly<Record<string, Binary>> = {
  addi: REGISTER['add']!,
  slti: REGISTER['slt']!,
  sltiu: (a, b) => bool(a < u64(b)),
  xori: REGISTER['xor']!,
  ori: REGISTER['or']!,
  andi: REGISTER['and']!,
  addiw: REGISTER['addw']!,
};

const SHIFTS: Readonly<Record<string, readonly [Binary, number]>> = {
  slli: [REGISTER['sll']!, 64],
  srli: [REGISTER['srl']!, 64],
  srai: [REGISTER['sra']!, 64],
  slliw: [REGISTER['sllw']!, 32],
  srliw: [REGISTER['srlw']!, 32],
  sraiw: [REGISTER['sraw']!, 32],
};

const BRANCHES: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => s64(a) < s64(b),
  bge: (a, b) => s64(a) >= s64(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
};

/** Checks one instruction with all pairs of corners, for separate and for shared registers. */
function checkPairs(line: string, expected: Binary, pairs: readonly (readonly [bigint, bigint])[]): void {
  const { machine, x, run } = bare(line);
  const hart = machine.harts[0]!;
  for (const [a, b] of pairs) {
    hart.pc = va(ORIGIN);
    hart.setX64(10, a);
    hart.setX64(11, b);
    run(1);
    assert.equal(x(12), u64(expected(a, b)), `${line} with 0x${a.toString(16)}, 0x${b.toString(16)}`);
  }
}

const PAIRS = CORNERS.flatMap((a) => CORNERS.map((b) => [a, b] as const));

eachEngine('Integer instructions', () => {
  for (const [name, expected] of Object.entries(REGISTER)) {
    it(`${name} gives what the specification says for every pair of corner operands`, () => {
      checkPairs(`${name} a2,a0,a1`, expected, PAIRS);
    });
    it(`${name} may write the register it reads`, () => {
      const { machine, x, run } = bare(`${name} a0,a0,a1`);
      for (const [a, b] of PAIRS) {
        machine.harts[0]!.pc = va(ORIGIN);
        machine.harts[0]!.setX64(10, a);
        machine.harts[0]!.setX64(11, b);
        run(1);
        assert.equal(x(10), u64(expected(a, b)));
      }
    });
  }
  for (const [name, expected] of Object.entries(IMMEDIATE))
    it(`${name} sign-extends its immediate`, () => {
      for (const immediate of IMMEDIATES)
        checkPairs(`${name} a2,a0,${immediate}`, (a) => expected(a, immediate), PAIRS.slice(0, 441));
    });
  for (const [name, [expected, width]] of Object.entries(SHIFTS))
    it(`${name} shifts by every amount from 0 to ${width - 1}`, () => {
      for (let by = 0; by < width; by++)
        checkPairs(
          `${name} a2,a0,${by}`,
          (a) => expected(a, BigInt(by)),
          CORNERS.map((a) => [a, 0n] as const),
        );
    });
  for (const [name, taken] of Object.entries(BRANCHES))
    it(`${name} is taken exactly when its condition holds`, () => {
      const { machine, x, run } = bare(`addi a2,zero,0\n${name} a0,a1,${ORIGIN + 12}\naddi a2,zero,1\nnop`);
      for (const [a, b] of PAIRS) {
        machine.harts[0]!.pc = va(ORIGIN);
        machine.harts[0]!.setX64(10, a);
        machine.harts[0]!.setX64(11, b);
        run(3);
        assert.equal(x(12) === 0n, taken(a, b), `${name} ${a}, ${b}`);
      }
    });

  it('a write to x0 is discarded, x0 reads as zero', () => {
    const { x, run } = bare('addi x0,zero,5\nlui x0,1\njal x0,0x8000000c\nadd a0,x0,x0\nld x0,0(a1)', {
      10: 9n,
      11: BigInt(ORIGIN),
    });
    run(5);
    assert.deepEqual([x(0), x(10)], [0n, 0n]);
  });

  it('lui and auipc sign-extend bit 31', () => {
    const { x, run } = bare('lui a0,0x80000\nauipc a1,0x80000\nauipc a2,1');
    run(3);
    assert.equal(x(10), 0xffffffff80000000n);
    assert.equal(x(11), u64(BigInt(ORIGIN + 4) - 0x80000000n));
    assert.equal(x(12), BigInt(ORIGIN + 8 + 4096));
  });

  it('jalr clears bit 0 of its target and may link into the register it jumps by', () => {
    const { machine, x, run } = bare('jalr a0,9(a0)', { 10: BigInt(ORIGIN + 0x100) });
    run(1);
    assert.equal(machine.harts[0]!.pc, ORIGIN + 0x108);
    assert.equal(x(10), BigInt(ORIGIN + 4));
  });

  it('a compressed jump links the address two bytes on', () => {
    const { machine, x, run } = bare('c.jalr a0', { 10: BigInt(ORIGIN + 0x200) });
    run(1);
    assert.equal(machine.harts[0]!.pc, ORIGIN + 0x200);
    assert.equal(x(1), BigInt(ORIGIN + 2));
  });
});

eachEngine('Loads and stores', () => {
  const PATTERN = 0x8182838485868788n;
  const widths: readonly (readonly [string, string, number, boolean])[] = [
    ['lb', 'sb', 1, true], ['lbu', 'sb', 1, false], ['lh', 'sh', 2, true], ['lhu', 'sh', 2, false],
    ['lw', 'sw', 4, true], ['lwu', 'sw', 4, false], ['ld', 'sd', 8, true],
  ]; // prettier-ignore
  for (const [load, store, size, signed] of widths)
    it(`${store} and ${load} move ${size} bytes at every alignment, across pages too`, () => {
      for (let offset = 0; offset <= 8; offset++) {
        const address = DATA + 4096 - offset;
        // Twice, so that both the first access and the one through the translations are seen.
        const { machine, x, run } = bare(`${store} a0,0(a1)\n${load} a2,0(a1)\n${store} a3,0(a1)\n${load} a4,0(a1)`, {
          10: PATTERN,
          11: BigInt(address),
          13: 0x7172737475767778n,
        });
        run(4);
        const cut = (value: bigint): bigint =>
          u64(signed ? BigInt.asIntN(8 * size, value) : BigInt.asUintN(8 * size, value));
        assert.equal(x(12), cut(PATTERN), `first ${load} at -${offset}`);
        assert.equal(x(14), cut(0x7172737475767778n), `second ${load} at -${offset}`);
        assert.equal(machine.tick, 4);
      }
    });

  it('a store changes only its own bytes', () => {
    const { machine, run } = bare('sd a0,0(a1)\nsb a2,3(a1)\nsh a2,6(a1)', {
      10: MASK,
      11: BigInt(DATA),
      12: 0n,
    });
    run(3);
    assert.equal(machine.machinePort.readU64(DATA as never), 0x0000ffff00ffffffn);
  });
});

eachEngine('Atomic instructions', () => {
  const amo: Readonly<Record<string, Binary>> = {
    amoswap: (_, b) => b,
    amoadd: (a, b) => a + b,
    amoxor: (a, b) => a ^ b,
    amoand: (a, b) => a & b,
    amoor: (a, b) => a | b,
    amomin: (a, b) => (a < b ? a : b),
    amomax: (a, b) => (a > b ? a : b),
    amominu: (a, b) => (u64(a) < u64(b) ? a : b),
    amomaxu: (a, b) => (u64(a) > u64(b) ? a : b),
  };
  for (const [name, combine] of Object.entries(amo))
    for (const [width, bits] of [
      ['w', 32],
      ['d', 64],
    ] as const)
      // prettier-ignore
      it(`${name}.${width} returns the old value, sign-extended, and stores the combined one`, () => {
        const { machine, x, run } = bare(`${name}.${width}.aqrl a2,a1,(a0)`, { 10: BigInt(DATA) });
        const hart = machine.harts[0]!;
        for (const [old, operand] of PAIRS) {
          machine.machinePort.writeU64(DATA as never, old);
          hart.setX64(11, operand);
          hart.pc = va(ORIGIN);
          run(1);
          const cut = (value: bigint): bigint => BigInt.asIntN(bits, value);
          const stored = BigInt.asUintN(bits, combine(cut(old), cut(operand)));
          const rest = bits === 64 ? 0n : (old >> 32n) << 32n;
          assert.equal(x(12), u64(cut(old)));
          assert.equal(machine.machinePort.readU64(DATA as never), rest | stored);
        }
      });

  it('sc succeeds after lr to the same address, and only once', () => {
    const { machine, x, run } = bare('lr.d a1,(a0)\nsc.d a2,a3,(a0)\nsc.d a4,a0,(a0)', { 10: BigInt(DATA), 13: 77n });
    run(3);
    assert.deepEqual([x(12), x(14)], [0n, 1n]);
    assert.equal(machine.machinePort.readU64(DATA as never), 77n);
  });

  it('sc fails at another address, and with another width', () => {
    const { x, run } = bare('lr.d a1,(a0)\nsc.d a2,a3,(a5)\nlr.d a1,(a0)\nsc.w a4,a3,(a0)', {
      10: BigInt(DATA),
      15: BigInt(DATA + 8),
    });
    run(4);
    assert.deepEqual([x(12), x(14)], [1n, 1n]);
  });

  it('a trap in between makes sc fail', () => {
    const { machine, x, run } = bare('lr.d a1,(a0)\necall\nsc.d a2,a3,(a0)', { 10: BigInt(DATA) });
    run(2);
    machine.harts[0]!.mepc = va(ORIGIN + 8);
    machine.harts[0]!.mret();
    run(1);
    assert.equal(x(12), 1n);
  });
});

eachEngine('64-bit division and multiplication', () => {
  it('agree with exact arithmetic on random operands of every size', function () {
    const next = random(5);
    const names = ['divu', 'remu', 'div', 'rem', 'mulhu', 'mulh', 'mulhsu'] as const;
    const { machine, x, run } = bare(names.map((name, i) => `${name} x${i + 12},a0,a1`).join('\n'));
    const hart = machine.harts[0]!;
    const operand = (): bigint =>
      BigInt.asUintN(
        64,
        ((BigInt(next(2 ** 31)) << 33n) | (BigInt(next(2 ** 31)) << 2n) | BigInt(next(4))) >> BigInt(next(64)),
      ) - BigInt(next(2));
    for (let i = 0; i < 20_000; i++) {
      const a = u64(operand());
      // Often close to a multiple, where an estimate is most likely to be one off.
      const b = u64(operand()) || 1n;
      const near = next(2) ? u64((a / b) * b - BigInt(next(2))) : a;
      hart.pc = va(ORIGIN);
      hart.setX64(10, near);
      hart.setX64(11, b);
      run(names.length);
      names.forEach((name, at) =>
        assert.equal(x(at + 12), u64(REGISTER[name]!(near, b)), `${name} 0x${near.toString(16)}, 0x${b.toString(16)}`),
      );
    }
  });
});

eachEngine('An instruction that overwrites itself', () => {
  it('an AMO sets rd, and goes on behind itself', () => {
    const { machine, x, run } = bare('amoswap.w a1,a2,(a0)\naddi a3,zero,7', { 10: BigInt(ORIGIN), 12: 0x13n });
    const old = BigInt(machine.machinePort.readI32(pa(ORIGIN)));
    run(2);
    assert.deepEqual([x(0), x(11), x(13)], [0n, u64(old), 7n]);
    assert.equal(machine.machinePort.readU32(pa(ORIGIN)), 0x13);
  });

  it('a store goes on behind itself, whatever it made of itself', () => {
    const { machine, x, run } = bare('sw a2,0(a0)\naddi a3,a3,1', { 10: BigInt(ORIGIN), 12: 0x00168693n });
    run(2);
    assert.equal(x(13), 1n);
    machine.harts[0]!.pc = va(ORIGIN);
    run(2);
    assert.equal(x(13), 3n); // it was `addi a3,a3,1` now
  });
});
