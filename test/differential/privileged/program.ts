/**
 * One random program: a few steps, each of which sets the hart up in M-mode at random and then runs a payload at a random level; at the end
 * registers, CSRs, the log of all traps and the memory are what is compared.
 */
import { Code } from './code';
import { CSRS, FETCH_FAULT, MEDELEG, MSTATUS, RESULT_CSRS } from './csrs';
import { VECTOR_BYTES } from './harness';
import { LOG_RECORD, Pages, regionOf, SAVE, Saved } from './layout';
import { Payload } from './payload';
import { randomProtection, writeProtection, type Shape } from './protection';
import { Choices } from './choices';
import { Tables } from './tables';

const EBREAK = 0x00100073;
const SRET = 0x10200073;
const C_JR_RA = 0x8082;
/** Low half of `jalr x0,0(ra)`, whose high half is 0. */
const JALR_LOW = 0x8067;
const MPP = 0x1800n;
const MIE = 1n << 3n;
const MPRV = 1n << 17n;
const TVM = 1n << 20n;

/** Sets of interrupts among which QEMU 7.2, which takes the lowest number first, agrees with the manual's order. */
const INTERRUPTS = [0n, 0x22n, 0x200n, 0x2n, 0x20n];

export interface Pieces {
  readonly address: number;
  readonly bytes: Uint8Array;
}

const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

export class Program {
  private readonly random: Choices;
  private readonly region: number;
  private readonly tables: Tables;
  private readonly machine: Code;
  private readonly supervisor: Code;
  private readonly user: Code;
  private readonly interrupts: bigint;
  /** Programs have atomics or pointers to where nothing is. */
  private readonly atomics: boolean;
  private wakes = false;

  /** @param next where the program goes at its end */
  constructor(
    seed: number,
    index: number,
    private readonly shape: Shape,
    private readonly next: number,
  ) {
    this.random = new Choices(seed);
    this.region = regionOf(index);
    this.atomics = this.random.chance(50);
    this.tables = new Tables(this.random, this.region, !this.atomics);
    this.machine = new Code(this.region);
    this.supervisor = new Code(this.page(Pages.SUPERVISOR_CODE));
    this.user = new Code(this.page(Pages.USER_CODE));
    for (let i = 0; i < VECTOR_BYTES / 4; i++) this.supervisor.word(EBREAK);
    this.supervisor.word(SRET);
    this.interrupts = this.random.pick(INTERRUPTS);
  }

  private page({ from }: { from: number }): number {
    return this.region + 4096 * from;
  }

  /** All that lies in the region when the program begins. */
  generate(): Pieces[] {
    this.reset();
    const steps = 2 + this.random.below(3);
    const epilogueAt: number[] = [];
    this.address(Saved.EPILOGUE, epilogueAt);
    this.protect();
    for (let i = 0; i < steps; i++) this.step(i);
    this.fix(epilogueAt, this.machine.here);
    this.epilogue();
    if (this.machine.words.length > 4096) throw new Error('a program is too long');
    if (Math.max(this.supervisor.words.length, this.user.words.length) > 1024) throw new Error('a payload is too long');
    return [
      { address: this.region, bytes: bytesOf(this.machine.words) },
      { address: this.supervisor.origin, bytes: bytesOf(this.supervisor.words) },
      { address: this.user.origin, bytes: bytesOf(this.user.words) },
      { address: this.page(Pages.RETURNS), bytes: this.returns() },
      { address: this.page(Pages.TABLES), bytes: new Uint8Array(this.tables.entries.buffer) },
      { address: this.page(Pages.DATA), bytes: this.data() },
    ];
  }

  private returns(): Uint8Array {
    const halves = new Uint16Array(2048 * Pages.RETURNS.count).fill(C_JR_RA);
    for (let page = 0; page < Pages.RETURNS.count; page++) {
      halves[2048 * page] = 0;
      halves[2048 * page + 2047] = JALR_LOW;
    }
    return new Uint8Array(halves.buffer);
  }

  private data(): Uint8Array {
    const words = new Uint32Array(1024 * Pages.DATA.count);
    for (let i = 0; i < words.length; i += 2)
      if (i % 1024 < 16 || i % 1024 > 1004 || i % 512 > 496)
        [words[i], words[i + 1]] = [this.random.word(), this.random.word()];
    return new Uint8Array(words.buffer);
  }

  /** Stores an address that is not known yet at a place of the harness's data: two words to be fixed. */
  private address(place: number, at: number[]): void {
    const { machine } = this;
    machine.li(28, BigInt(SAVE));
    at.push(machine.words.length);
    machine.op('auipc', { rd: 29, imm: 0 });
    machine.op('addi', { rd: 29, rs1: 29, imm: 0 });
    machine.op('sd', { rs1: 28, rs2: 29, imm: place });
  }

  private fix([at]: readonly number[], target: number): void {
    const from = this.region + 4 * at!;
    const code = new Code(from);
    const distance = target - from;
    const low = ((distance & 0xfff) << 20) >> 20;
    code.op('auipc', { rd: 29, imm: distance - low });
    code.op('addi', { rd: 29, rs1: 29, imm: low });
    [this.machine.words[at!], this.machine.words[at! + 1]] = code.words as [number, number];
  }

  /** Everything that a program before may have left. */
  private reset(): void {
    const { machine, random } = this;
    for (const number of [0x180, 0x304, 0x344, 0x302, 0x303, 0x106, 0x306, 0x10a, 0x30a, 0x320, 0x140, 0x141, 0x142])
      machine.csrw(number, 0);
    for (const number of [0x143, 0x341, 0x342, 0x343, 0x105]) machine.csrw(number, 0);
    machine.csrSet(0x300, 0x6000n);
    machine.csrw(0x003, 0);
    for (let f = 0; f < 4; f++) machine.op('fmv.d.x', { rd: f, rs1: 0 });
    machine.csrw(0x300, 0);
    machine.op('sfence.vma', { rs1: 0, rs2: 0 });
    // Ends a reservation.
    machine.li(28, BigInt(SAVE + 512));
    machine.op('sc.w', { rd: 0, rs1: 28, rs2: 0 });
    machine.poke(SAVE + Saved.LOG, BigInt(this.page(Pages.LOG)));
    machine.poke(SAVE + Saved.LOG_END, BigInt(this.page(Pages.LOG) + 4096 * Pages.LOG.count - LOG_RECORD));
    for (let x = 1; x <= 27; x++) machine.li(x, x >= 5 && x <= 15 ? random.bits() : 0n);
  }

  private protect(): void {
    writeProtection(this.machine, randomProtection(this.random, this.region, this.shape));
  }

  private step(index: number): void {
    const { machine, random } = this;
    if (random.chance(40)) this.battery();
    if (index > 0 && random.chance(35)) this.protect();
    if (index > 0 && random.chance(50)) this.remap();
    const paging = random.chance(80);
    const root = random.below(2);
    machine.csrSet(0x180, paging ? this.tables.satp(root) : 0n);
    machine.op('sfence.vma', { rs1: 0, rs2: 0 });
    for (const number of [0x303, 0x106, 0x306, 0x10a, 0x30a]) this.setRandom(number);
    machine.csrSet(0x302, random.bits() & (this.shape === 'open' ? MEDELEG | FETCH_FAULT : MEDELEG));
    this.prepareInterrupts();
    this.enter(paging);
  }

  private setRandom(number: number): void {
    const { mask, legal } = CSRS.find((facts) => facts.number === number) ?? { mask: 0x222n, legal: undefined };
    const value = this.random.bits() & mask;
    this.machine.csrSet(number, legal ? legal(value) : value);
  }

  private prepareInterrupts(): void {
    const { machine, random } = this;
    machine.csrSet(0x304, random.bits() & 0x222n);
    machine.csrSet(0x344, random.bits() & this.interrupts);
    this.wakes = false;
  }

  /** Writes CSRs and reads them back, M's own and the harness's included. */
  private battery(): void {
    const { machine, random } = this;
    const payload = this.payload(machine, 3, false);
    for (let i = 0; i < 4; i++) {
      const facts = random.pick(CSRS.filter(({ mask, comparable }) => mask !== 0n && comparable));
      machine.csrr(28, facts.number);
      machine.li(29, payload.legal(facts));
      machine.csrw(facts.number, 29);
      machine.csrr(5 + random.below(11), facts.number);
      machine.csrw(facts.number, 28);
    }
    // satp takes no mode it does not know: then nothing is written at all.
    const mode = random.pick([0n, 1n, 8n, 9n, 7n, 11n, 15n]);
    machine.csrSet(0x180, (random.bits() & ((1n << 60n) - 1n)) | (mode << 60n));
    machine.csrr(5 + random.below(11), 0x180);
    machine.csrw(0x180, 0);
    machine.op('sfence.vma', { rs1: 0, rs2: 0 });
  }

  /** Changes leaf entries. */
  private remap(): void {
    const { machine, random } = this;
    for (let i = 0; i < 3; i++) {
      const { use, leaves, physical, level } = random.pick(this.tables.mappings);
      if (leaves.length === 0 || use === 'supervisor' || use === 'user') continue;
      machine.poke(random.pick(leaves), this.tables.leaf(use, physical, level));
    }
    machine.op('sfence.vma', { rs1: 0, rs2: 0 });
  }

  private pointers(paging: boolean, level: number): void {
    const { machine, random } = this;
    const pick = (use: 'data' | 'returns'): bigint => {
      const mapping = random.pick(this.tables.mappings.filter((candidate) => candidate.use === use));
      return paging || (!this.atomics && random.chance(10)) ? mapping.virtual : BigInt(mapping.physical);
    };
    const physicals = paging && (level === 3 || random.chance(30));
    for (let x = 18; x <= 25; x++)
      machine.li(x, physicals && x < 21 ? BigInt(this.tables.mappings[x - 16]!.physical) : pick('data'));
    for (let x = 26; x <= 27; x++) machine.li(x, pick('returns'));
    machine.li(17, 0n);
  }

  private payload(code: Code, level: 0 | 1 | 3, paging: boolean, status = 0n): Payload {
    return new Payload(this.random, code, {
      level,
      atomics: this.atomics,
      crossing: this.shape === 'coarse' || this.shape === 'open',
      interrupts: this.interrupts,
      trapsFences: (status & TVM) !== 0n,
      satps: paging ? [this.tables.satp(0), this.tables.satp(1)] : [],
      wakes: this.wakes,
    });
  }

  private enter(paging: boolean): void {
    const { machine, random } = this;
    const level = random.pick([0, 0, 1, 1, 1, 3] as const);
    this.pointers(paging, level);
    const code = level === 0 ? this.user : level === 1 ? this.supervisor : undefined;
    const mapping = (use: string): number | bigint => this.tables.mappings.find((one) => one.use === use)!.virtual;
    const handler = paging ? BigInt(mapping('supervisor')) : BigInt(this.supervisor.origin);
    machine.csrSet(0x105, handler | (random.chance(40) ? 1n : 0n));
    machine.poke(SAVE + Saved.HANDLER, handler);
    const after: number[] = [];
    this.address(Saved.NEXT, after);
    // An interrupt between here and mret would change MPP.
    const status = (random.bits() & MSTATUS & ~MPP & ~MIE & ~(level < 3 ? MPRV : 0n)) | (BigInt(level) << 11n);
    const here: number[] = [];
    if (code) {
      const start = paging ? BigInt(mapping(level === 0 ? 'user' : 'supervisor')) : BigInt(code.origin);
      machine.csrSet(0x341, start + BigInt(code.here - code.origin));
    } else {
      machine.li(28, BigInt(SAVE));
      here.push(machine.words.length);
      machine.op('auipc', { rd: 29, imm: 0 });
      machine.op('addi', { rd: 29, rs1: 29, imm: 0 });
      machine.csrw(0x341, 29);
    }
    machine.csrSet(0x300, status);
    machine.op('mret');
    if (!code) this.fix(here, machine.here);
    this.payload(code ?? machine, level, paging, status).emit(6 + random.below(14));
    this.fix(after, machine.here);
  }

  private epilogue(): void {
    const { machine } = this;
    machine.csrw(0x304, 0);
    machine.li(28, BigInt(this.page(Pages.RESULT)));
    for (let x = 1; x <= 27; x++) machine.op('sd', { rs1: 28, rs2: x, imm: 8 * x });
    RESULT_CSRS.forEach((number, i) => {
      machine.csrr(29, number);
      machine.op('sd', { rs1: 28, rs2: 29, imm: 256 + 8 * i });
    });
    machine.csrSet(0x300, 0x6000n);
    machine.csrr(29, 0x003);
    machine.op('sd', { rs1: 28, rs2: 29, imm: 1024 });
    for (let f = 0; f < 4; f++) machine.op('fsd', { rs1: 28, rs2: f, imm: 1032 + 8 * f });
    machine.jump(this.next);
  }
}
