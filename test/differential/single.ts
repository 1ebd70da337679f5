/**
 * One instruction at a time, in M-mode on the bare machine of an engine and by its row's tree: what programs can't show. Immediates and
 * jumps at their extremes, accesses that fault, reserved rounding modes, FS off, exceptions with their causes and values. Compared:
 * pc, all registers, fcsr, mcause, mepc, mtval and the memory that was accessible.
 */
import { decode } from '../../emulator/isa/decode';
import { newInstruction } from '../../emulator/isa/instruction';
import type { HostName } from '../../emulator/isa/language/ir';
import { rowLibrary, rowSemantics } from '../../emulator/isa/semantics';
import { pairToBigInt } from '../../emulator/hart/registers';
import { HartWord } from '../../emulator/machine/layout';
import { createMachine, type SoftwareMachine } from '../../emulator/machine/machine';
import type { EngineName } from '../../emulator/machine/types';
import { pa, tick, va } from '../../emulator/units';
import { execute, Trap, type ReferenceHart, type Value } from '../reference/evaluate';
import { lengthOf, wordOf, type Shape } from './kinds';
import type { Random } from './random';
import { randomFloat, randomInteger } from './values';

const RAM = 0x80000000n;
const RAM_BYTES = 0x11000;
const PAGE = 4096;
/** The page of data, and the one that code stands in. */
const DATA = RAM + 0x8000n;
const VECTOR = RAM + 0x100n;
const FS = 3n << 13n;
const ILLEGAL = 2n;

/** Below RAM, from here on, there are devices: theirs to say what an access does. */
const FIRST_DEVICE = 0x1000n;

class ElsewhereError extends Error {}

/** What an instruction starts from. */
export interface Start {
  readonly bits: number;
  readonly pc: bigint;
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  readonly fcsr: number;
  readonly floatOn: boolean;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** A random start for a row: addresses near the data, near the ends of RAM, and anywhere. */
export function randomStart(shape: Shape, random: Random): Start | undefined {
  const word = wordOf(shape, {
    rd: random.below(32),
    rs1: random.below(32),
    rs2: random.below(32),
    rs3: random.below(32),
    rm: random.below(8),
    aqrl: random.below(4),
    imm: random.once(3)
      ? random.pick([2047, -2048, -1, 0, 2, -4096, 0xffffe, -0x100000, 0x7ffff000])
      : random.word() | 0,
  });
  if (word === undefined) return undefined;
  const address = (): bigint =>
    random.pick([DATA, DATA + 64n, DATA + 4088n, RAM, RAM + BigInt(RAM_BYTES) - 4n, 0n, 1n << 63n, 0x40000000n]) +
    BigInt(random.between(-16, 16)) * (random.once(2) ? 8n : 1n);
  const x = Array.from({ length: 32 }, () => u64(random.once(2) ? address() : randomInteger(random)));
  x[0] = 0n;
  const near = random.once(4) ? BigInt(PAGE - lengthOf(word.bits)) : BigInt(2 * random.below(2000));
  return {
    bits: word.bits,
    pc: RAM + BigInt(random.pick([0x1000, 0x3000, 0xf000])) + near,
    x,
    f: Array.from({ length: 32 }, () => randomFloat(random)),
    fcsr: random.below(256),
    floatOn: !random.once(6),
  };
}

/** The state after, as lines that can be compared. */
type After = Readonly<Record<string, string>>;

const hex = (value: bigint): string => u64(value).toString(16);

/** The rows' side: memory is the page of data; the rest of RAM may be read too. */
class Plain implements ReferenceHart {
  readonly x: bigint[];
  readonly f: bigint[];
  pc: bigint;
  fcsr: number;

  constructor(
    start: Start,
    private readonly memory: Uint8Array,
    private readonly status: bigint,
  ) {
    this.x = [...start.x];
    this.f = [...start.f];
    this.pc = start.pc;
    this.fcsr = start.fcsr;
  }

  state(name: string): bigint {
    if (name === 'privilege') return 3n;
    return name === 'mstatus' ? this.status : 0n;
  }

  private at(address: bigint, bytes: number, cause: number): number {
    if (address + 8n > FIRST_DEVICE && address < RAM) throw new ElsewhereError();
    const offset = address - RAM;
    if (offset >= 0n && offset + BigInt(bytes) <= BigInt(this.memory.length)) return Number(offset);
    // The part that does not lie in RAM is what faults, as for an access across pages.
    const inside = (place: bigint): boolean => place >= RAM && place < RAM + BigInt(this.memory.length);
    const next = (address | 0xfffn) + 1n;
    throw new Trap(cause, inside(address) && next < address + BigInt(bytes) ? next : address);
  }

  load(address: bigint, bits: number): bigint {
    const at = this.at(address, bits / 8, 5);
    let value = 0n;
    for (let i = bits / 8 - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory[at + i]!);
    return value;
  }

  store(address: bigint, bits: number, value: bigint): void {
    const at = this.at(address, bits / 8, 7);
    for (let i = 0; i < bits / 8; i++) this.memory[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  host(name: HostName, args: readonly Value[]): bigint | undefined {
    const [address = 0n, value = 0n] = args as readonly bigint[];
    const bytes = name.endsWith('64') ? 8 : 4;
    const reserving = name.startsWith('loadReserved');
    if (/^(loadReserved|storeConditional|amoLoad)/.test(name) && address % BigInt(bytes) !== 0n)
      throw new Trap(reserving ? 4 : 6, address);
    switch (name) {
      case 'loadReserved32':
      case 'loadReserved64':
        return this.load(address, 8 * bytes);
      case 'storeConditional32':
      case 'storeConditional64':
        return 1n; // nothing is reserved
      case 'amoLoad32':
      case 'amoLoad64':
        this.at(address, bytes, 7);
        return this.load(address, 8 * bytes);
      case 'amoStore32':
      case 'amoStore64':
        this.store(address, 8 * bytes, value);
        return undefined;
      case 'cacheBlock':
        this.at(address, 1, 7);
        return undefined;
      case 'zeroBlock':
        this.at(address, 1, 7);
        this.memory.fill(0, Number((address & ~63n) - RAM), Number((address & ~63n) - RAM) + 64);
        return undefined;
      case 'fenceInstructions':
      case 'fenceTranslations':
        return undefined;
      default:
        throw new Error(`${name} is not for single steps`);
    }
  }
}

/** Kinds of rows that a single step can be told for here. */
export const steps = ({ kind, base }: Shape): boolean =>
  kind !== 'csr' && !/\b(returnFromTrap|wait)\(/.test(base.semantics ?? '');

/** What the row says becomes of a start, given RAM before; RAM is changed. Undefined when the row alone can't tell. */
export function byTheRow(start: Start, memory: Uint8Array): After | undefined {
  const status = start.floatOn ? FS : 0n;
  const hart = new Plain(start, memory, status);
  const instruction = newInstruction();
  decode(start.bits, instruction);
  const meaning = rowSemantics().get(instruction.op)!;
  let trap: Trap | undefined;
  try {
    if (meaning.usesFloat && !start.floatOn) throw new Trap(Number(ILLEGAL), undefined);
    execute(rowLibrary(), meaning.body, instruction, hart);
  } catch (error) {
    if (error instanceof ElsewhereError) return undefined;
    if (!(error instanceof Trap)) throw error;
    trap = error;
  }
  if (trap === undefined) return after(hart, hart.pc, hart.fcsr, undefined);
  const bits = BigInt(lengthOf(start.bits) === 2 ? start.bits & 0xffff : start.bits >>> 0);
  // An exception leaves nothing but its own marks.
  return after({ x: start.x, f: start.f }, VECTOR, start.fcsr, [BigInt(trap.code), start.pc, trap.value ?? bits]);
}

function after(
  { x, f }: { readonly x: readonly bigint[]; readonly f: readonly bigint[] },
  pc: bigint,
  fcsr: number,
  trap: readonly bigint[] | undefined,
): After {
  const named = (letter: string, values: readonly bigint[]): [string, string][] =>
    values.map((value, i) => [letter + i, hex(value)]);
  return Object.fromEntries([
    ...named('x', x),
    ...named('f', f),
    ['pc', hex(pc)],
    ['fcsr', fcsr.toString(16)],
    ['trap', trap === undefined ? 'none' : trap.map(hex).join(' ')],
  ]);
}

/** The engines' side: one machine for many steps. */
export class Stepper {
  private readonly machine: SoftwareMachine;

  constructor(
    engine: EngineName,
    private readonly before: Uint8Array,
  ) {
    this.machine = createMachine({ ramBytes: RAM_BYTES, engine });
  }

  step(start: Start): { after: After; memory: Uint8Array } {
    const { machine } = this;
    const hart = machine.harts[0]!;
    machine.machinePort.write(pa(Number(RAM)), this.before);
    const code = new Uint8Array(Uint32Array.of(start.bits).buffer).subarray(0, lengthOf(start.bits));
    machine.machinePort.write(pa(Number(start.pc)), code);
    hart.privilege = 3;
    hart.writeCsr(0x300, FS);
    hart.writeCsr(0x003, BigInt(start.fcsr));
    hart.writeCsr(0x300, start.floatOn ? FS : 0n);
    hart.writeCsr(0x305, VECTOR);
    hart.writeCsr(0x342, 0x77n);
    for (let i = 0; i < 32; i++) {
      hart.setX64(i, start.x[i]!);
      hart.setF64(i, start.f[i]!);
    }
    hart.pc = va(Number(start.pc));
    machine.run(tick(machine.tick + 1));
    const cause = hart.readCsr(0x342);
    const trap = cause === 0x77n ? undefined : [cause, hart.readCsr(0x341), hart.readCsr(0x343)];
    const x = Array.from({ length: 32 }, (_, i) => hart.getX64(i));
    const f = Array.from({ length: 32 }, (_, i) => hart.getF64(i));
    // Exact also where it is no canonical address.
    const pc = pairToBigInt(hart.words[HartWord.PC]!, hart.words[HartWord.PC + 1]!);
    const memory = machine.machinePort.read(pa(Number(RAM)), RAM_BYTES);
    return { after: after({ x, f }, pc, Number(hart.readCsr(3)), trap), memory };
  }
}

/** RAM before each step: random, but the instruction is put at its pc. */
export const ramBefore = (random: Random): Uint8Array => random.bytes(RAM_BYTES);

/** RAM with the instruction of a start in it. */
export function withCode(ram: Uint8Array, start: Start): Uint8Array {
  const memory = ram.slice();
  const at = Number(start.pc - RAM);
  for (let i = 0; i < lengthOf(start.bits); i++) memory[at + i] = start.bits >>> (8 * i);
  return memory;
}
