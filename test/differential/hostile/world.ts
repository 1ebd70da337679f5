/**
 * A small machine full of hostile code, and the means to stir it: memory, registers, CSRs, page tables and PMP entries set to random
 * values. Everything random comes from one seed, so that a second machine with another engine goes through the same.
 */
import { CSR_NAMES } from '../../../emulator/isa/csr';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { MemoryFault } from '../../../emulator/machine/ports';
import type { EngineName, MachineSnapshot } from '../../../emulator/machine/types';
import { pa, va } from '../../../emulator/units';
import { lengthOf, SHAPES, wordOf, type Shape } from '../kinds';
import { Random } from '../random';
import { randomFloat, randomInteger } from '../values';

export const RAM = 0x80000000;
const PAGE = 4096;
/** Not a multiple of 64 KiB: what lies between the end of RAM and of the memory must stay as it is. */
export const RAM_BYTES = 129 * PAGE;
const PAGES = RAM_BYTES / PAGE;
/** Page tables are made in the last pages. */
const TABLES = 12;
/** A handler for traps that goes on behind the instruction that trapped. */
const HANDLER = RAM + (PAGES - TABLES - 1) * PAGE;
const HANDLER_CODE = [
  0x34102ff3, // csrrs t6, mepc, zero
  0x004f8f93, // addi  t6, t6, 4
  0x341f9073, // csrrw zero, mepc, t6
  0x30200073, // mret
];
/** CLINT, PLIC, UART, test finisher, ROM, and nothing at all. */
const DEVICES = [
  0x2000000, 0x2004000, 0x200bff8, 0xc000000, 0xc200000, 0x10000000, 0x100000, 0x1000, 0x40000000, 0x100000000,
];

const Csr = {
  MSTATUS: 0x300, MEDELEG: 0x302, MIDELEG: 0x303, MIE: 0x304, MTVEC: 0x305, STVEC: 0x105, SATP: 0x180, MEPC: 0x341, SEPC: 0x141,
  MCOUNTEREN: 0x306, SCOUNTEREN: 0x106, MENVCFG: 0x30a, SENVCFG: 0x10a, PMPCFG0: 0x3a0, PMPCFG2: 0x3a2, PMPADDR0: 0x3b0,
} as const; // prettier-ignore

export const CSR_NUMBERS: readonly number[] = [...CSR_NAMES.keys()];

export class World {
  readonly machine: SoftwareMachine;
  readonly random: Random;
  private readonly start: MachineSnapshot;

  constructor(
    engine: EngineName,
    seed: number,
    readonly harts: number,
    fill: (world: World, page: number) => void,
  ) {
    this.machine = createMachine({ ramBytes: RAM_BYTES, engine, harts, quantum: 997, hotness: 2 });
    this.random = new Random(seed);
    for (let page = 0; page < PAGES; page++) fill(this, page);
    const handler = new Uint8Array(Uint32Array.from(HANDLER_CODE).buffer);
    this.machine.machinePort.write(pa(HANDLER), handler);
    this.start = this.machine.snapshot();
  }

  /** Back to where it began, but for the random numbers to come: locked PMP entries and a halted machine are no dead end. */
  restart(): void {
    this.machine.restore(this.start);
  }

  /** Where a locked PMP entry forbids the write, the machine begins anew first. */
  write(address: number, bytes: Uint8Array): void {
    try {
      this.machine.machinePort.write(pa(address), bytes);
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
      this.restart();
      this.machine.machinePort.write(pa(address), bytes);
    }
  }

  /** An address in RAM, often near the end of a page. */
  address(align = 1): number {
    const { random } = this;
    const page = RAM + random.below(PAGES) * PAGE;
    const within = random.once(3) ? PAGE - random.between(1, 9) : random.below(PAGE);
    return page + within - (within % align);
  }

  /** A page of code made of these shapes; the immediate of a CSR instruction names a CSR that exists. */
  code(shapes: readonly Shape[]): Uint8Array {
    const { random } = this;
    const bytes = new Uint8Array(PAGE + 4);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < PAGE;) {
      const shape = random.pick(shapes);
      const imm =
        shape.kind === 'csr'
          ? random.pick(CSR_NUMBERS)
          : random.once(2)
            ? random.between(-32, 32) * 2
            : random.word() | 0;
      const word = wordOf(shape, {
        rd: random.below(32),
        rs1: random.below(32),
        rs2: random.below(32),
        rs3: random.below(32),
        rm: random.below(8),
        aqrl: random.below(4),
        imm,
      });
      if (word === undefined) continue;
      view.setUint16(at, word.bits & 0xffff, true);
      if (lengthOf(word.bits) === 4) view.setUint16(at + 2, word.bits >>> 16, true);
      at += lengthOf(word.bits);
    }
    return bytes.subarray(0, PAGE);
  }

  private register(): bigint {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
        return randomInteger(random);
      case 1:
        return BigInt(random.pick(DEVICES) + random.below(32));
      case 2:
        return BigInt.asIntN(39, random.word64());
      case 3:
        return BigInt(random.below(64));
      default:
        return BigInt(this.address(random.once(2) ? 8 : 1));
    }
  }

  /** Registers of every hart. */
  registers(): void {
    for (const hart of this.machine.harts)
      for (let i = 0; i < 32; i++) {
        hart.setX64(i, BigInt.asUintN(64, this.register()));
        hart.setF64(i, randomFloat(this.random));
      }
  }

  /** Random, but open, PMP; trap vectors; delegation; then down to a random privilege level at a random pc. */
  enter(options: { pmp: 'open' | 'random'; satp: bigint; pc?: bigint; privilege?: number }): void {
    const { random } = this;
    for (const hart of this.machine.harts) {
      const privilege = options.privilege ?? random.pick([0, 1, 3]);
      // Through M-mode, where everything may be written.
      hart.privilege = 3;
      if (options.pmp === 'open') {
        hart.writeCsr(Csr.PMPADDR0, (1n << 54n) - 1n);
        hart.writeCsr(Csr.PMPCFG0, 0x1fn);
      } else this.protection(hart);
      const vector = random.once(4) ? BigInt(this.address(4)) : BigInt(HANDLER);
      hart.writeCsr(Csr.MTVEC, vector | BigInt(random.once(4) ? 1 : 0));
      hart.writeCsr(Csr.STVEC, random.once(2) ? BigInt(this.address(4)) : BigInt.asUintN(64, options.pc ?? vector));
      hart.writeCsr(Csr.MEDELEG, random.once(2) ? 0n : random.word64());
      hart.writeCsr(Csr.MIDELEG, random.word64());
      hart.writeCsr(Csr.MIE, random.once(2) ? 0n : random.word64());
      for (const csr of [Csr.MCOUNTEREN, Csr.SCOUNTEREN, Csr.MENVCFG, Csr.SENVCFG]) hart.writeCsr(csr, random.word64());
      hart.writeCsr(Csr.SATP, options.satp);
      // MPP, and at random MPRV, SUM, MXR, TVM, TW, TSR, MPIE, FS.
      const flags = random.word() & random.word() & 0x7e0080;
      hart.writeCsr(Csr.MSTATUS, BigInt(flags | (privilege << 11) | (random.below(4) << 13)));
      hart.mepc = va(Number(BigInt.asIntN(64, options.pc ?? BigInt(this.address(2)))));
      hart.mret();
      hart.sleeping = false;
    }
  }

  private protection(hart: { writeCsr(csr: number, value: bigint): void }): void {
    const { random } = this;
    for (let i = 0; i < 16; i++) {
      const address = BigInt(random.once(8) ? random.pick(DEVICES) : this.address(4)) >> 2n;
      // A range of a size: the address' low bits are ones.
      const size = (1n << BigInt(random.below(random.once(2) ? 12 : 30))) - 1n;
      hart.writeCsr(Csr.PMPADDR0 + i, random.once(3) ? address : address | size);
    }
    const config = (): bigint => {
      let value = 0n;
      for (let i = 0; i < 8; i++) {
        const lock = random.once(24) ? 0x80 : 0;
        value = (value << 8n) | BigInt(lock | (random.once(3) ? 7 : random.below(8)) | (random.below(4) << 3));
      }
      return value;
    };
    hart.writeCsr(Csr.PMPCFG0, config());
    hart.writeCsr(Csr.PMPCFG2, config());
    if (random.once(2)) {
      hart.writeCsr(Csr.PMPADDR0 + 15, (1n << 54n) - 1n);
      hart.writeCsr(Csr.PMPCFG2, 0x1f00000000000000n | (config() & 0xffffffffffffffn));
    }
  }

  /** Fills the pages for tables with entries that point anywhere; returns a satp that names one of them. */
  tables(): bigint {
    const { random } = this;
    const first = PAGES - TABLES;
    for (let table = 0; table < TABLES; table++) {
      if (random.once(2)) continue;
      const bytes = new Uint8Array(PAGE);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < PAGE; at += 8) view.setBigUint64(at, this.entry(first), true);
      this.write(RAM + (first + table) * PAGE, bytes);
    }
    const root = BigInt(RAM / PAGE + first + random.below(TABLES));
    return ((random.once(4) ? 9n : 8n) << 60n) | root | (BigInt(random.below(4)) << 44n);
  }

  private entry(firstTable: number): bigint {
    const { random } = this;
    const inRam = (page: number): bigint => BigInt(RAM / PAGE + page);
    const permissions = (random.once(3) ? random.below(256) : 0xcf | (random.below(2) << 4)) | 1;
    const leaf = (page: bigint): bigint => (page << 10n) | BigInt(permissions);
    switch (random.below(10)) {
      case 0:
        return random.word64();
      case 1:
        return leaf(BigInt(Math.floor(random.pick(DEVICES) / PAGE)));
      case 2:
        return leaf(inRam(firstTable + random.below(TABLES)));
      case 3:
        return leaf(inRam(random.below(PAGES * 2)));
      case 4:
        // A superpage over RAM and what lies behind it.
        return leaf(inRam(0));
      case 5:
      case 6:
        return leaf(inRam(random.below(PAGES)));
      default:
        return (inRam(firstTable + random.below(TABLES)) << 10n) | 1n;
    }
  }
}

/** Shapes by what they do, for code with a purpose. */
export const shapesOf = (...kinds: readonly Shape['kind'][]): readonly Shape[] =>
  SHAPES.filter(({ kind }) => kinds.includes(kind));
