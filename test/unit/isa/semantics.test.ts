// What the rows of integer instructions compute, against the manual's definitions written once more over BigInts, on corner operands.
// Floating point is checked by the tests of its library and beside QEMU.
import assert from 'node:assert/strict';
import { encode } from '../../../emulator/isa/encode';
import { decode } from '../../../emulator/isa/decode';
import { newInstruction, type Instruction } from '../../../emulator/isa/instruction';
import { ROWS } from '../../../emulator/isa/rows';
import { rowLibrary, rowSemantics } from '../../../emulator/isa/semantics';
import { execute, Trap, type ReferenceHart } from '../../reference/evaluate';

const ALL = 2n ** 64n - 1n;
const signed = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value);
const low = (bits: number, value: bigint): bigint => BigInt.asUintN(bits, value);
const word = (value: bigint): bigint => signed(32, value);
const rowOf = (mnemonic: string) => ROWS.find((row) => row.mnemonic === mnemonic)!;

/** Decodes the encoded row and executes it with rs1 = x1, rs2 = x2, rd = x3. Says which x3 and pc result, and the calls of the host. */
function run(mnemonic: string, fields: Partial<Instruction>, a = 0n, b = 0n, state: Record<string, bigint> = {}) {
  const x = Array<bigint>(32).fill(0n);
  [x[1], x[2]] = [low(64, a), low(64, b)];
  const calls: string[] = [];
  const hart: ReferenceHart = {
    x,
    f: [...x],
    pc: 0x1000n,
    fcsr: 0,
    state: (name) => state[name] ?? 0n,
    load: () => 0n,
    store: () => undefined,
    host: (name, args) => {
      calls.push(`${name}(${args.join()})`);
      return 0x55n;
    },
  };
  const insn = newInstruction();
  decode(encode(rowOf(mnemonic), { rd: 3, rs1: 1, rs2: 2, ...fields }), insn);
  execute(rowLibrary(), rowSemantics().get(insn.op)!.body, insn, hart);
  return { rd: x[3]!, pc: hart.pc, calls };
}

function carryless(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if ((b >> i) & 1n) product ^= a << i;
  return product;
}

const bits = (value: bigint, width: number): string => value.toString(2).padStart(width, '0');
const zeros = (text: string): bigint => BigInt(text.length - text.replace(/^0+/, '').length);
const reversed = (text: string): string => [...text].reverse().join('');
const ones = (value: bigint): bigint => BigInt(bits(value, 1).replace(/0/g, '').length);
const bytes = (value: bigint): bigint[] => Array.from({ length: 8 }, (_, i) => (value >> BigInt(8 * i)) & 0xffn);
const fromBytes = (list: readonly bigint[]): bigint => list.reduce((sum, byte, i) => sum | (byte << BigInt(8 * i)), 0n);
const rotated = (width: bigint, value: bigint, n: bigint): bigint =>
  low(Number(width), (value << (n % width)) | (value >> (width - (n % width))));
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);
const s = (value: bigint): bigint => signed(64, value);

/** Unsigned 64-bit operands to a result of which the low 64 bits count. */
type Definition = (a: bigint, b: bigint) => bigint;
const THREE: Readonly<Record<string, Definition>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  srl: (a, b) => a >> (b & 63n),
  sra: (a, b) => s(a) >> (b & 63n),
  slt: (a, b) => BigInt(s(a) < s(b)),
  sltu: (a, b) => BigInt(a < b),
  xor: (a, b) => a ^ b,
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => word(a + b),
  subw: (a, b) => word(a - b),
  sllw: (a, b) => word(a << (b & 31n)),
  srlw: (a, b) => word(low(32, a) >> (b & 31n)),
  sraw: (a, b) => word(a) >> (b & 31n),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s(a) * s(b)) >> 64n,
  mulhsu: (a, b) => (s(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  div: (a, b) => quotient(s(a), s(b)),
  divu: (a, b) => quotient(a, b),
  rem: (a, b) => remainder(s(a), s(b)),
  remu: (a, b) => remainder(a, b),
  mulw: (a, b) => word(a * b),
  divw: (a, b) => word(quotient(word(a), word(b))),
  divuw: (a, b) => word(quotient(low(32, a), low(32, b))),
  remw: (a, b) => word(remainder(word(a), word(b))),
  remuw: (a, b) => word(remainder(low(32, a), low(32, b))),
  'add.uw': (a, b) => low(32, a) + b,
  sh1add: (a, b) => 2n * a + b,
  sh2add: (a, b) => 4n * a + b,
  sh3add: (a, b) => 8n * a + b,
  'sh1add.uw': (a, b) => 2n * low(32, a) + b,
  'sh2add.uw': (a, b) => 4n * low(32, a) + b,
  'sh3add.uw': (a, b) => 8n * low(32, a) + b,
  andn: (a, b) => a & (b ^ ALL),
  orn: (a, b) => a | (b ^ ALL),
  xnor: (a, b) => a ^ b ^ ALL,
  max: (a, b) => (s(a) > s(b) ? a : b),
  maxu: (a, b) => (a > b ? a : b),
  min: (a, b) => (s(a) < s(b) ? a : b),
  minu: (a, b) => (a < b ? a : b),
  rol: (a, b) => rotated(64n, a, b),
  ror: (a, b) => rotated(64n, a, 64n - (b & 63n)),
  rolw: (a, b) => word(rotated(32n, low(32, a), b)),
  rorw: (a, b) => word(rotated(32n, low(32, a), 32n - (b & 31n))),
  clmul: carryless,
  clmulh: (a, b) => carryless(a, b) >> 64n,
  clmulr: (a, b) => carryless(a, b) >> 63n,
  bclr: (a, b) => a & ~(1n << (b & 63n)),
  bext: (a, b) => (a >> (b & 63n)) & 1n,
  binv: (a, b) => a ^ (1n << (b & 63n)),
  bset: (a, b) => a | (1n << (b & 63n)),
  'czero.eqz': (a, b) => (b === 0n ? 0n : a),
  'czero.nez': (a, b) => (b === 0n ? a : 0n),
};

const TWO: Readonly<Record<string, (a: bigint) => bigint>> = {
  clz: (a) => zeros(bits(a, 64)),
  clzw: (a) => zeros(bits(low(32, a), 32)),
  ctz: (a) => zeros(reversed(bits(a, 64))),
  ctzw: (a) => zeros(reversed(bits(low(32, a), 32))),
  cpop: ones,
  cpopw: (a) => ones(low(32, a)),
  'sext.b': (a) => signed(8, a),
  'sext.h': (a) => signed(16, a),
  'zext.h': (a) => low(16, a),
  'orc.b': (a) => fromBytes(bytes(a).map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (a) => fromBytes(bytes(a).reverse()),
};

/** Immediate forms, by the three-register one that says what they do; `slli.uw` has none. */
const WITH_IMMEDIATE: Readonly<Record<string, Definition>> = {
  'slli.uw': (a, b) => low(32, a) << b,
  ...Object.fromEntries(
    'addi slti sltiu xori ori andi slli srli srai addiw slliw srliw sraiw rori roriw bclri bexti binvi bseti'
      .split(' ')
      .map((name) => [name, THREE[name.replace(/i(u?w?)$/, '$1')]!]),
  ),
};

/** Corner values, and some in between. */
const OPERANDS: readonly bigint[] = [
  ...[0n, 1n, 2n, 5n, 31n, 32n, 33n, 63n, 64n, -1n, -2n, -64n, 0x7fn, 0x80n, 0x8000n, 0x7fffffffn, 0x80000000n],
  ...[0xffffffffn, 0x100000000n, -0x80000000n, 2n ** 63n - 1n, 2n ** 63n, 0x00ff00ff00ff00ffn, 0x0123456789abcdefn],
  ...[0xfedcba9876543210n, 0x8000000180000001n, 0x5555555555555555n, 0x0100008000000700n],
].map((value) => low(64, value));

describe('the rows of integer instructions', () => {
  for (const [mnemonic, meaning] of Object.entries(THREE))
    it(`${mnemonic} gives what the manual defines`, () => {
      for (const a of OPERANDS)
        for (const b of OPERANDS)
          assert.equal(run(mnemonic, {}, a, b).rd, low(64, meaning(a, b)), `${mnemonic} ${a} ${b}`);
    });

  for (const [mnemonic, meaning] of Object.entries(TWO))
    it(`${mnemonic} gives what the manual defines`, () => {
      for (const a of OPERANDS) assert.equal(run(mnemonic, {}, a).rd, low(64, meaning(a)), `${mnemonic} ${a}`);
    });

  for (const [mnemonic, meaning] of Object.entries(WITH_IMMEDIATE))
    it(`${mnemonic} does with its immediate what the form with registers does`, () => {
      const isShift = rowOf(mnemonic).encoding.includes('shamt');
      const immediates = !isShift ? [0, 1, -1, 2047, -2048] : mnemonic.endsWith('iw') ? [0, 1, 31] : [0, 1, 31, 32, 63];
      for (const a of OPERANDS)
        for (const imm of immediates)
          assert.equal(run(mnemonic, { imm }, a).rd, low(64, meaning(a, low(64, BigInt(imm)))), `${a} ${imm}`);
    });

  it('are all here but for those that touch memory, pc or privileged state', () => {
    const here = new Set([...Object.keys(THREE), ...Object.keys(TWO), ...Object.keys(WITH_IMMEDIATE)]);
    const others = /\b(load\w*|store\w*|amo\w*|jump|pc|trap|illegal|readCsr|frd|frs[123])\b/;
    const missing = ROWS.filter(
      ({ semantics, mnemonic }) => semantics && !others.test(semantics) && !here.has(mnemonic),
    );
    assert.deepEqual(
      missing.map(({ mnemonic }) => mnemonic),
      ['lui', 'fence.i'],
    );
  });

  it('lui, auipc, jal and jalr place the upper immediate, the pc and the return address', () => {
    assert.equal(run('lui', { imm: -4096 }).rd, low(64, -4096n));
    assert.equal(run('auipc', { imm: -4096 }).rd, 0n);
    assert.deepEqual(run('jal', { imm: -2048 }), { rd: 0x1004n, pc: 0x800n, calls: [] });
    assert.deepEqual(run('jalr', { imm: 2 }, 0x2001n), { rd: 0x1004n, pc: 0x2002n, calls: [] });
    assert.equal(run('c.jalr', {}, 0x2000n).pc, 0x2000n);
  });
});

const [U, S, M] = [0n, 1n, 3n];
const [TVM, TW, TSR] = [1n << 20n, 1n << 21n, 1n << 22n];

function illegal(mnemonic: string, state: Record<string, bigint>): boolean {
  try {
    run(mnemonic, {}, 0x80000040n, 0n, state);
    return false;
  } catch (error) {
    if (error instanceof Trap && error.code === 2) return true;
    throw error;
  }
}

describe('the rows of privileged instructions', () => {
  const allowed: Record<string, Record<string, boolean>> = {
    mret: { 'U ': false, 'S ': false, 'M ': true, 'M TVM TW TSR': true },
    sret: { 'U ': false, 'S ': true, 'S TSR': false, 'S TVM TW': true, 'M TSR': true },
    wfi: { 'U ': false, 'S ': true, 'S TW': false, 'S TVM TSR': true, 'M TW': true },
    'sfence.vma': { 'U ': false, 'S ': true, 'S TVM': false, 'S TW TSR': true, 'M TVM': true },
  };
  for (const [mnemonic, cases] of Object.entries(allowed))
    for (const [where, may] of Object.entries(cases))
      it(`${mnemonic} in ${where}is ${may ? 'executed' : 'illegal'}`, () => {
        const mstatus = (/TVM/.test(where) ? TVM : 0n) | (/TW/.test(where) ? TW : 0n) | (/TSR/.test(where) ? TSR : 0n);
        const privilege = { U, S, M }[where[0] as 'U' | 'S' | 'M'];
        assert.equal(illegal(mnemonic, { privilege, mstatus }), !may);
      });

  for (const [privilege, code] of [
    [U, 8],
    [S, 9],
    [M, 11],
  ] as const)
    it(`ecall at privilege ${privilege} is exception ${code} with tval 0`, () => {
      assert.throws(
        () => run('ecall', {}, 0n, 0n, { privilege }),
        (error) => error instanceof Trap && error.code === code && (error.value ?? 0n) === 0n,
      );
    });

  it('csrrs and csrrc with x0, csrrsi and csrrci with 0, only read', () => {
    assert.deepEqual(run('csrrs', { rs1: 0, imm: 0x340 }).calls, ['readCsr(832,0)']);
    assert.deepEqual(run('csrrci', { rs1: 0, imm: 0x340 }).calls, ['readCsr(832,0)']);
    assert.deepEqual(run('csrrw', { rs1: 0, imm: 0x340 }).calls, ['readCsr(832,1)', 'writeCsr(832,0)']);
    assert.deepEqual(run('csrrc', { imm: 0x340 }, 0x11n).calls, ['readCsr(832,1)', `writeCsr(832,${0x44})`]);
    assert.deepEqual(run('csrrsi', { rs1: 8, imm: 0x340 }).calls, ['readCsr(832,1)', `writeCsr(832,${0x5d})`]);
  });
});

describe('the rows of cache-block operations', () => {
  const [CBIE_FLUSH, CBIE_INVALIDATE, CBCFE, CBZE] = [1n << 4n, 3n << 4n, 1n << 6n, 1n << 7n];
  const enables: Record<string, bigint[]> = {
    'cbo.inval': [CBIE_FLUSH, CBIE_INVALIDATE],
    'cbo.clean': [CBCFE],
    'cbo.flush': [CBCFE],
    'cbo.zero': [CBZE],
  };
  for (const [mnemonic, fields] of Object.entries(enables))
    it(`${mnemonic} needs its own field in menvcfg below M, and in senvcfg too in U`, () => {
      for (const field of fields) {
        const other = 0xf0n & ~CBIE_INVALIDATE & ~field;
        assert.equal(illegal(mnemonic, { privilege: M }), false);
        for (const menvcfg of [0n, field, other])
          for (const senvcfg of [0n, field, other]) {
            assert.equal(illegal(mnemonic, { privilege: S, menvcfg, senvcfg }), menvcfg !== field);
            const both = menvcfg === field && senvcfg === field;
            assert.equal(illegal(mnemonic, { privilege: U, menvcfg, senvcfg }), !both);
          }
      }
    });
});
