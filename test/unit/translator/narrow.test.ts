/** Widths and what becomes narrow of them (engine/translator/widths.ts, narrow.ts): loops on all kinds of values, beside the interpreter. */
import assert from 'node:assert/strict';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { pa, tick, va } from '../../../emulator/units';
import { assemble, type Program } from '../assembler';
import { DATA, ORIGIN, TRAP } from '../engine/bare';
import { random } from '../engine/programs';

type Random = (below: number) => number;

const REGISTERS = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 't0', 't1', 't2'];
const THREE =
  `add sub and or xor andn orn xnor addw subw sllw srlw sraw mulw divw remuw slt sltu sll srl sra min maxu rolw rorw
  add.uw sh1add.uw sh2add.uw sh3add.uw sh2add czero.eqz czero.nez mul bset`.split(/\s+/);
const TWO = 'sext.b sext.h zext.h clzw ctzw cpopw clz rev8'.split(' ');
const IMMEDIATE = 'addi addiw andi ori xori slti sltiu'.split(' ');
const SHIFTS = 'slli srli srai slliw srliw sraiw roriw slli.uw bexti'.split(' ');
const LOADS = [['lb', 1], ['lbu', 1], ['lh', 2], ['lhu', 2], ['lw', 4], ['lwu', 4], ['ld', 8], ['ld', 8]] as const; // prettier-ignore
const STORES = [
  ['sb', 1],
  ['sh', 2],
  ['sw', 4],
  ['sd', 8],
] as const;
const BRANCHES = 'beq bne blt bge bltu bgeu'.split(' ');
const CORNERS = [
  0n, 1n, -1n, 0x7fn, 0x80n, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, -0x80000000n,
  -0x80000001n, 0x7fffffffffffffffn, -0x8000000000000000n, 0x123456789abcdef0n, -0x123456789abcdef0n, 0xffffffff00000000n,
]; // prettier-ignore

const pick = <T>(next: Random, list: readonly T[]): T => list[next(list.length)]!;

function line(next: Random): string {
  const register = (): string => (next(12) === 0 ? 'zero' : pick(next, REGISTERS));
  const [rd, rs, rt] = [pick(next, REGISTERS), register(), register()];
  switch (next(9)) {
    case 0:
      return `${pick(next, TWO)} ${rd},${rs}`;
    case 1:
      return `${pick(next, IMMEDIATE)} ${rd},${rs},${next(4) ? next(4096) - 2048 : 0}`;
    case 2:
      return `${pick(next, SHIFTS)} ${rd},${rs},${next(32)}`;
    case 3: {
      // What extends, and what nearly does.
      const by = pick(next, [16, 31, 32, 33, 48, 56, 63]);
      const back = next(5) ? by : pick(next, [16, 32, 48]);
      const between = next(5) ? '' : `addi ${register()},${rs},1`.replace('addi zero', 'addi t2');
      return `slli ${rd},${rs},${by}\n${between}\n${next(2) ? 'srli' : 'srai'} ${next(6) ? rd : rs.replace('zero', 't1')},${rd},${back}`;
    }
    case 4: {
      const [mnemonic, size] = pick(next, LOADS);
      // Misaligned ones are the host's.
      return `${mnemonic} ${rd},${size * next(64) + (next(10) ? 0 : 1)}(s0)`;
    }
    case 5: {
      const [mnemonic, size] = pick(next, STORES);
      return `${mnemonic} ${rs},${256 + size * next(32) + (next(10) ? 0 : 1)}(s0)`;
    }
    case 6:
      return next(3) ? `${pick(next, THREE)} ${rd},${rs},${rt}` : `amoadd.w ${rd},${rs},(s2)`;
    default:
      return `${pick(next, THREE)} ${rd},${rs},${rt}`;
  }
}

/** A loop whose last turn ends in an access fault in its middle. */
function program(next: Random): string {
  const lines: string[] = [];
  const part = (count: number): void => {
    for (let i = 0; i < count; i++) {
      if (next(8) > 0) lines.push(line(next));
      else {
        const label = `over${lines.length}`;
        lines.push(`${pick(next, BRANCHES)} ${pick(next, REGISTERS)},${pick(next, REGISTERS)},${label}`);
        lines.push(line(next), `${label}:`);
      }
    }
  };
  part(20);
  lines.push('sltiu gp,s1,2', 'addi gp,gp,-1', 'and gp,gp,s0', 'lw a3,4(gp)');
  part(20);
  const inner = next(2) ? ['li s3,3', 'inner:', line(next), line(next), 'addiw s3,s3,-1', 'blt zero,s3,inner'] : [];
  return `loop:\n${[...lines, ...inner].join('\n')}\naddi s1,s1,-1\nj loop`;
}

function machineOf({ bytes }: Program, seed: number, engine: EngineName): SoftwareMachine {
  const next = random(seed);
  const machine = createMachine({ ramBytes: 2 ** 20, engine, hotness: 1 });
  machine.machinePort.write(pa(ORIGIN), bytes);
  machine.machinePort.writeU32(pa(TRAP), 0x0000006f);
  machine.machinePort.write(
    pa(DATA),
    Uint8Array.from({ length: 512 }, () => next(256)),
  );
  const hart = machine.harts[0]!;
  hart.writeCsr(0x305, BigInt(TRAP));
  hart.pc = va(ORIGIN);
  for (let i = 5; i < 32; i++) hart.setX64(i, BigInt.asIntN(64, pick(next, CORNERS)));
  hart.setX64(8, BigInt(DATA));
  hart.setX64(9, 40n);
  hart.setX64(18, BigInt(DATA + 384));
  return machine;
}

/** Registers and pc, in a form that a failed test shows. */
const stateOf = ({ harts: [hart] }: SoftwareMachine): string =>
  `pc ${hart!.pc.toString(16)} ${Array.from({ length: 32 }, (_, i) => `x${i} ${BigInt.asUintN(64, hart!.getX64(i)).toString(16)}`).join(' ')}`;

describe('Narrow arithmetic in regions', function () {
  this.timeout(120_000);

  it('leaves all registers as the interpreter does, at any tick, with any values before and faults in the middle', () => {
    let regions = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const next = random(seed);
      const text = program(next);
      const assembled = assemble(ORIGIN, text);
      const [ours, other] = [machineOf(assembled, seed, 'translator'), machineOf(assembled, seed, 'wasm')];
      while (other.harts[0]!.pc !== va(TRAP)) {
        const to = tick(other.tick + 1 + (next(3) ? next(400) : next(5)));
        for (const machine of [ours, other]) machine.run(to);
        assert.equal(stateOf(ours), stateOf(other), `seed ${seed}, tick ${to}\n${text}`);
      }
      assert.equal(ours.hash(), other.hash(), `seed ${seed}`);
      regions += ours.translated!.made;
    }
    assert.ok(regions >= 150, `${regions} regions`);
  });
});
