/**
 * What a step of a program executes at its privilege level: random loads, stores, atomics, jumps, CSR instructions, environment calls,
 * illegal and privileged instructions. Registers: x5 … x15 are data, x18 … x25 point at data and x26, x27 at pages of returns; x28, x29
 * hold constants, x30 is where a failed jump goes on, x1 where a jump returns to, x17 says MAGIC at the end.
 *
 * Known differences, excluded here: SC without an LR of the same address before it (QEMU 7.2 compares addresses and old values; it checks
 * neither alignment nor rights then); an atomic or misaligned access where there is no memory (the fault of the atomic is a
 * load's in QEMU and a store's by the manual, the tval of the misaligned access is rounded down in QEMU); MPRV while mret or sret goes below M, which clears it ("Memory Privilege in mstatus Register") but not
 * in QEMU 7.2, and mret with MPRV set at all, which leaves stale translations in it.
 */
import { byNumber, CSRS, type CsrFacts } from './csrs';
import type { Code } from './code';
import { MAGIC } from './layout';
import type { Choices } from './choices';

const LOADS = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld'];
const STORES = ['sb', 'sh', 'sw', 'sd'];
const AMOS = ['amoswap', 'amoadd', 'amoxor', 'amoand', 'amoor', 'amomin', 'amomax', 'amominu', 'amomaxu'].flatMap(
  (name) => [`${name}.w`, `${name}.d`],
);
const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };
/** Encodings that neither machine defines, and pairs of compressed ones. */
const ILLEGAL = [0x00000000, 0xffffffff, 0x0000000b, 0x0000707f, 0x30100073, 0x00010002, 0x00019c41, 0x7fff0fff];

export interface PayloadOptions {
  readonly level: 0 | 1 | 3;
  /** May accesses cross from one page into the next? */
  readonly crossing: boolean;
  /** May atomics and misaligned accesses be used: is there memory wherever a translation leads? */
  readonly atomics: boolean;
  /** Bits of mip that may be set. */
  readonly interrupts: bigint;
  /** mstatus.TVM */
  readonly trapsFences: boolean;
  /** Values of satp that keep the code where it is; empty when addresses are physical. */
  readonly satps: readonly bigint[];
  /** An interrupt that ends WFI is pending throughout. */
  readonly wakes: boolean;
}

export class Payload {
  constructor(
    private readonly random: Choices,
    private readonly code: Code,
    private readonly options: PayloadOptions,
  ) {}

  emit(count: number): void {
    for (let i = 0; i < count; i++) this.one();
    this.code.li(17, BigInt(MAGIC));
    this.code.op('ecall');
    this.code.op('jal', { rd: 0, imm: 0 });
  }

  private get data(): number {
    return 5 + this.random.below(11);
  }

  private get pointer(): number {
    return 18 + this.random.below(8);
  }

  /** A pointer for an access at an offset: one to memory where it may be misaligned. */
  private pointerFor(imm: number): number {
    return imm % 8 !== 0 ? this.memoryPointer : this.pointer;
  }

  /** One that leads to memory or to a page fault. Of M-mode's the first three are physical addresses. */
  private get memoryPointer(): number {
    return this.options.level === 3 ? 18 + this.random.below(3) : this.pointer;
  }

  private one(): void {
    const { random, code } = this;
    const kind = random.below(100);
    if (kind < 22) this.load();
    else if (kind < 42) this.store();
    else if (kind < 50 && this.options.atomics) this.atomic();
    else if (kind < 60) this.call();
    else if (kind < 82) this.csr(random.pick(CSRS));
    else if (kind < 84) code.op('ecall');
    else if (kind < 86) code.op('ebreak');
    else if (kind < 89) code.word(random.pick(ILLEGAL));
    else if (kind < 92) this.floating();
    else if (kind < 95) code.op(random.pick(['add', 'xor', 'sub']), { rd: this.data, rs1: this.data, rs2: this.data });
    else this.privileged();
  }

  /** An offset: aligned or not; across pages only where that may be. */
  private offset(bytes: number): number {
    const { random } = this;
    const aligned = random.pick([0, 8, 16, -8]);
    return this.options.crossing && this.options.atomics && random.chance(30) ? aligned + random.below(bytes) : aligned;
  }

  private load(): void {
    const mnemonic = this.random.pick(LOADS);
    const imm = this.offset(SIZES[mnemonic[1]!]!);
    this.code.op(mnemonic, { rd: this.random.chance(5) ? 0 : this.data, rs1: this.pointerFor(imm), imm });
  }

  private store(): void {
    const mnemonic = this.random.pick(STORES);
    const imm = this.offset(SIZES[mnemonic[1]!]!);
    this.code.op(mnemonic, { rs2: this.data, rs1: this.pointerFor(imm), imm });
  }

  private atomic(): void {
    const { random, code } = this;
    const rs1 = this.memoryPointer;
    if (random.chance(60)) {
      // A misaligned one traps: on the way x28 gets the address.
      code.op('addi', { rd: 28, rs1, imm: random.chance(20) ? random.below(8) : 0 });
      return code.op(random.pick(AMOS), { rd: this.data, rs1: 28, rs2: this.data });
    }
    const width = random.pick(['w', 'd']);
    if (random.chance(20)) {
      code.op('addi', { rd: 28, rs1, imm: 1 + random.below(7) });
      return code.op(`lr.${width}`, { rd: this.data, rs1: 28 });
    }
    code.op(`lr.${width}`, { rd: this.data, rs1 });
    code.op(`sc.${width}`, { rd: this.data, rs1, rs2: this.data });
  }

  /** A jump to a page of returns, at its start, in it, or to its last halfword, where an instruction crosses into the next page. */
  private call(): void {
    const { random, code } = this;
    // A stale translation of QEMU's for S tells a fetch from a user page from a load with SUM no more: a fence goes before.
    if (this.options.level === 1 && this.options.trapsFences) return;
    // QEMU fetches for ever from where nothing is, behind the end of a page of memory.
    const across = this.options.crossing && this.options.atomics;
    const imm = random.pick(across ? [0, 2, 4, 0x7f0, 8, 11] : [2, 4, 0x7f0, 8, 11]);
    if (across && random.chance(40)) {
      code.op('lui', { rd: 28, imm: 0x1000 });
      code.op('add', { rd: 28, rs1: 28, rs2: 26 + random.below(2) });
      code.op('addi', { rd: 28, rs1: 28, imm: random.pick([-2, -4, -6]) });
    } else code.op('addi', { rd: 28, rs1: 26 + random.below(2), imm });
    if (this.options.level === 1) code.op('sfence.vma', { rs1: 0, rs2: 0 });
    code.op('auipc', { rd: 30, imm: 0 });
    code.op('addi', { rd: 30, rs1: 30, imm: 12 });
    code.op('jalr', { rd: 1, rs1: 28, imm: 0 });
  }

  /** A value that may be written: only bits in which the machines agree. */
  legal({ number, mask, legal }: CsrFacts): bigint {
    const pending = number === 0x344 || number === 0x144;
    const value = this.random.bits() & mask & (pending ? this.options.interrupts : -1n);
    const bits = BigInt.asUintN(64, value);
    return legal ? legal(bits) : bits;
  }

  private csr(facts: CsrFacts): void {
    const { random, code } = this;
    const { number } = facts;
    const rd = facts.comparable ? this.data : 0;
    const allowed = this.options.level >= ((number >> 8) & 3);
    // What traps may be written with anything.
    if (allowed && (!facts.free || facts.mask === 0n || random.chance(30)))
      return code.op(random.pick(['csrrs', 'csrrc']), { rd, rs1: 0, imm: number });
    const whole = facts.legal !== undefined;
    const immediate = Number(this.legal(facts) & 31n);
    if (random.chance(25) && !whole)
      return code.op(random.pick(['csrrwi', 'csrrsi', 'csrrci']), { rd, rs1: immediate, imm: number });
    const value = this.legal(facts);
    code.li(29, value);
    // A register that holds 0 makes csrrs write in the manual ("CSR Instructions"), which dirties FS, and not in QEMU.
    code.op(whole || value === 0n ? 'csrrw' : random.pick(['csrrw', 'csrrs', 'csrrc']), { rd, rs1: 29, imm: number });
  }

  private floating(): void {
    const { random, code } = this;
    const kind = random.below(6);
    if (kind === 0) return code.op('flw', { rd: random.below(4), rs1: this.pointer, imm: 0 });
    if (kind === 1) return code.op('fld', { rd: random.below(4), rs1: this.pointer, imm: 8 });
    if (kind === 2) return code.op('fsw', { rs2: random.below(4), rs1: this.pointer, imm: 4 });
    if (kind === 3) return code.op('fsd', { rs2: random.below(4), rs1: this.pointer, imm: 0 });
    if (kind === 4) return code.op('fmv.d.x', { rd: random.below(4), rs1: this.data });
    code.op('fmv.x.d', { rd: this.data, rs1: random.below(4) });
  }

  private privileged(): void {
    const { random, code, options } = this;
    const kind = random.below(8);
    if (kind === 0 && options.level < 3) return code.op('mret');
    if (kind === 1 && options.level === 0) return code.op('sret');
    if (kind === 2 && options.level === 1) return this.supervisorReturn();
    if (kind === 3 && options.level === 3) return this.machineReturn();
    if (kind === 4 && (options.wakes || options.level === 0)) return code.op('wfi');
    if (kind === 5) return this.satp();
    if (kind === 6) return code.op(random.pick(['fence', 'fence.i']));
    code.op('sfence.vma', { rs1: random.pick([0, this.pointer]), rs2: random.pick([0, 5]) });
  }

  /** sret behind itself, mostly to S; in U the code is out of reach, which ends the step. */
  private supervisorReturn(): void {
    const { random, code } = this;
    code.op('auipc', { rd: 28, imm: 0 });
    const at = code.here;
    code.op('addi', { rd: 28, rs1: 28, imm: 0 });
    code.li(29, 0x100n);
    code.op(random.chance(85) ? 'csrrs' : 'csrrc', { rd: 0, rs1: 29, imm: 0x100 });
    code.op('csrrw', { rd: 0, rs1: 28, imm: 0x141 });
    code.op('sret');
    this.patch(at, code.here - at + 4);
  }

  /** mret behind itself, to M. */
  private machineReturn(): void {
    const { code } = this;
    code.op('auipc', { rd: 28, imm: 0 });
    const at = code.here;
    code.op('addi', { rd: 28, rs1: 28, imm: 0 });
    // Neither MPRV, nor MIE: an interrupt between here and mret would change MPP.
    code.li(29, 0x20008n);
    code.op('csrrc', { rd: 0, rs1: 29, imm: 0x300 });
    code.li(29, 0x1800n);
    code.op('csrrs', { rd: 0, rs1: 29, imm: 0x300 });
    code.op('csrrw', { rd: 0, rs1: 28, imm: 0x341 });
    code.op('mret');
    this.patch(at, code.here - at + 4);
  }

  /** Sets the distance of an `addi x28,x28` behind an auipc. */
  private patch(at: number, distance: number): void {
    const { code } = this;
    const copy = code.words.splice((at - code.origin) / 4);
    code.op('addi', { rd: 28, rs1: 28, imm: distance });
    code.words.push(...copy.slice(1));
  }

  private satp(): void {
    const { random, code, options } = this;
    if (options.level !== 1 || options.satps.length === 0)
      return options.level === 0 || options.satps.length === 0
        ? code.op('csrrs', { rd: this.data, rs1: 0, imm: 0x180 })
        : this.csr(byNumber.get(0x180)!);
    code.li(29, random.pick(options.satps));
    code.op('csrrw', { rd: this.data, rs1: 29, imm: 0x180 });
  }
}
