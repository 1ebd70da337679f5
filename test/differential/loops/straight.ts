/**
 * What the generator of loops puts into loops: straight instructions of every row, accesses of every size at any alignment, runs of float
 * arithmetic whose values stay ordinary, atomics, flags and rounding modes, traps. Knows which registers may be written, and counts how
 * many ticks the code made so far takes at most.
 */
import { line } from '../items';
import { SHAPES, wordOf, type Kind, type Shape, type Word } from '../kinds';
import type { Random } from '../random';
import { Label, shapeOf, type Part } from './layout';

/** Where a program finds things, as distances from its base. */
export const Place = {
  CODE: 0,
  /** Two pages, s0 in their middle. The page behind them is mapped only where programs may not fault. */
  WINDOW: 0x20000,
  /** One page: pointers to code, first values of registers, then what the program leaves. */
  VALUES: 0x23000,
  /** Two pages; sp begins below their end. */
  STACK: 0x24000,
  END: 0x26000,
  /** The code once more. From here on: of address spaces only (mapping.ts). */
  ALIAS: 0x28000,
  /** The page table with the entries of all these places. */
  TABLE: 0x48000,
  /** The page of the CLINT with mtime. */
  CLOCK: 0x49000,
  /** One of the pages of the window. */
  VIEW: 0x4a000,
  /** One of the two pages of functions behind it. */
  TURN: 0x4b000,
  FUNCTIONS: 0x4c000,
  /** The page table with the entry of a page that lies far away. */
  FAR_TABLE: 0x4e000,
  FAR: 0x400000,
} as const;

/** Offsets in the page of values. */
export const Values = {
  POINTERS: 0,
  X: 0x400,
  F: 0x500,
  LEFT_X: 0x800,
  LEFT_F: 0x900,
  FCSR: 0xa00,
  SAVE: 0xc00,
} as const;

/** Distances from s0 to 32 ordinary numbers of each format, and room behind them. */
export const Ordinary = { DOUBLES: -2048, SINGLES: -1536 } as const;

export const SP = 2;
export const WINDOW_POINTER = 8;
/** Counters of loops and pointers that walk: functions save those they use, nothing else writes them. */
export const SAVED: readonly number[] = [9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

/** Never written by random instructions: sp, s0 and how deep a recursion goes (flow.ts). */
export const KEPT: readonly number[] = [SP, WINDOW_POINTER, 4];

/** What a program may do. */
export interface Options {
  /** Rows to choose from. */
  readonly supported: (shape: Shape) => boolean;
  /** Traps, which a handler answers by going on behind the instruction. */
  readonly traps: boolean;
  /** Reads of counters, which only machines in step agree on. */
  readonly counters: boolean;
  /** It runs in M-mode and may touch mstatus.FS. */
  readonly machine: boolean;
  /** It runs in an address space of its own, which it may change. */
  readonly mapping: boolean;
  /** Statements to leave out, by number, for making a program that fails smaller. */
  readonly without?: ReadonlySet<number>;
}

const ROUNDINGS = [0, 1, 2, 3, 4, 7];
const FLOAT_KERNEL = [
  'fadd',
  'fsub',
  'fmul',
  'fmadd',
  'fmsub',
  'fnmadd',
  'fnmsub',
  'fmin',
  'fmax',
  'fsgnj',
  'fdiv',
  'fsqrt',
];

export abstract class Straight {
  protected parts: Part[] = [];
  /** Registers that must not be written now. */
  protected locked = new Set<number>(KEPT);
  /** Ticks that the code made so far takes at most, and may take. */
  protected spent = 0;
  protected limit = 0;
  /** Bytes at sp that belong to the function being made. */
  protected locals = 0;
  private readonly byKind = new Map<Kind, Shape[]>();

  constructor(
    protected readonly random: Random,
    protected readonly base: number,
    protected readonly options: Options,
  ) {
    for (const shape of SHAPES.filter(options.supported)) {
      const list = this.byKind.get(shape.kind) ?? [];
      this.byKind.set(shape.kind, list);
      list.push(shape);
    }
  }

  protected of(kind: Kind): readonly Shape[] {
    return this.byKind.get(kind) ?? [];
  }

  protected put(part: Part): void {
    this.parts.push(part);
    if (part.kind === 'bits' || part.kind === 'branch' || part.kind === 'jal' || part.kind === 'address')
      this.spent += 2;
  }

  protected bits(bits: number): void {
    this.put({ kind: 'bits', bits });
  }

  /** Lines of assembly that name no label. */
  protected lines(...texts: readonly string[]): void {
    for (const text of texts) this.bits(line(text));
  }

  protected label(label = new Label()): Label {
    this.put({ kind: 'label', label });
    return label;
  }

  protected branch(name: string, rs1: number, rs2: number, to: Label): void {
    this.put({ kind: 'branch', name, rs1, rs2, to });
  }

  protected jump(to: Label, rd = 0): void {
    this.put({ kind: 'jal', rd, to });
  }

  protected address(rd: number, to: Label): void {
    this.put({ kind: 'address', rd, to });
  }

  protected constant(rd: number, value: number): void {
    const low = (value << 20) >> 20;
    const high = ((value - low) >>> 12) & 0xfffff;
    if (high === 0) this.lines(`addi x${rd},zero,${low}`);
    else this.lines(`lui x${rd},${high}`, `addiw x${rd},x${rd},${low}`);
  }

  /** An x register that may be written; `others` may not be it. */
  protected target(...others: readonly number[]): number {
    for (;;) {
      const register = 1 + this.random.below(31);
      if (!this.locked.has(register) && !SAVED.includes(register) && !others.includes(register)) return register;
    }
  }

  protected any(): number {
    return this.random.below(32);
  }

  private immediate(): number {
    const { random } = this;
    const kind = random.below(4);
    if (kind === 0) return random.pick([0, 1, -1, 2, 31, 32, 63, 2047, -2048, -4096, 0x7ffff000, -0x80000000]);
    return kind === 1 ? random.below(64) : random.word() | 0;
  }

  private word(shape: Shape, fixed: Partial<Word['fields']> = {}): Word | undefined {
    const { random } = this;
    for (let tries = 0; tries < 60; tries++) {
      const word = wordOf(shape, {
        rd: random.below(32),
        rs1: random.below(32),
        rs2: random.below(32),
        rs3: random.below(32),
        rm: random.once(2) ? 7 : random.pick(ROUNDINGS),
        aqrl: random.below(4),
        imm: this.immediate(),
        ...fixed,
      });
      if (word === undefined) continue;
      const { rd } = word.fields;
      if (shape.result === 'x' && (this.locked.has(rd) || SAVED.includes(rd))) continue;
      return word;
    }
    return undefined;
  }

  protected plain(): void {
    const { random } = this;
    const floats = random.once(4);
    for (;;) {
      const shape = random.pick(this.of('plain'));
      // Rows of floats are the most, and programs are not.
      if (floats !== shape.widths.length > 0) continue;
      const word = this.word(shape);
      if (word !== undefined) this.bits(word.bits);
      return;
    }
  }

  /** A load or store through s0, or through sp in the function's own frame. */
  protected access(): void {
    const { random } = this;
    const shape = random.pick(this.of(random.once(2) ? 'load' : 'store'));
    for (let tries = 0; tries < 20; tries++) {
      const base = random.once(4) ? SP : WINDOW_POINTER;
      const room = base === SP ? this.locals - shape.size : 4095;
      if (room < 0) continue;
      const align = random.once(3) ? 1 : shape.size;
      const offset =
        base === SP ? random.below(Math.floor(room / align) + 1) * align : this.inWindow(shape.size, align);
      const word = this.word(shape, { rs1: base, imm: offset });
      if (word === undefined || word.fields.rs1 !== base) continue;
      const { imm } = word.fields;
      if (base === SP && (imm < 0 || imm + shape.size > this.locals)) continue;
      return this.bits(word.bits);
    }
  }

  /** An offset from s0; now and then one of an access across the end of its page. */
  private inWindow(size: number, align: number): number {
    const { random } = this;
    if (random.once(8)) return -random.between(0, size);
    return (random.below(Math.floor(4088 / align)) * align - 2048) & ~(align - 1);
  }

  /** A load or store through any address register, which walks or is made here. */
  protected accessAt(base: number, most: number): void {
    const { random } = this;
    const shape = random.pick(this.of(random.once(2) ? 'load' : 'store'));
    for (let tries = 0; tries < 20; tries++) {
      const word = this.word(shape, { rs1: base, imm: random.below(most) });
      if (word === undefined || word.fields.rs1 !== base || word.fields.imm < 0 || word.fields.imm >= most) continue;
      return this.bits(word.bits);
    }
  }

  protected atomic(): void {
    const shape = this.random.pick(this.of('atomic'));
    const base = this.target();
    this.lines(`addi x${base},s0,${8 * this.random.between(-250, 250)}`);
    const word = this.word(shape, { rs1: base });
    if (word) this.bits(word.bits);
  }

  /** A load-reserved and its store-conditional, tried until it stores; or one that can't. */
  protected reserved(): void {
    const { random } = this;
    const width = random.pick(['w', 'd']);
    const base = this.target();
    const value = this.target(base);
    const failed = this.target(base, value);
    this.lines(`addi x${base},s0,${8 * random.between(-250, 250)}`);
    const again = this.label();
    this.lines(`lr.${width} x${value},(x${base})`);
    this.lines(random.pick([`addi x${value},x${value},3`, `xor x${value},x${value},x${this.any()}`]));
    const elsewhere = random.once(4);
    if (elsewhere) this.lines(`addi x${base},x${base},8`);
    // Of another width it fails here, and then must not be tried for ever; elsewhere it may store, as in QEMU.
    const other = this.options.traps && random.once(6) ? { w: 'd', d: 'w' }[width] : width;
    this.lines(`sc.${other} x${failed},x${value},(x${base})`);
    // A second time nothing is reserved.
    if (random.once(4)) this.lines(`sc.${width} x${this.target(base, failed)},x${value},(x${base})`);
    if (!elsewhere && other === width) this.branch('bne', failed, 0, again);
  }

  protected flags(): void {
    const { random } = this;
    const rd = random.once(2) ? 0 : this.target();
    const any = this.any();
    const lines = [
      `csrrwi x${rd},frm,${random.below(5)}`,
      `csrrwi x${rd},frm,0`,
      `csrrwi x${rd},frm,0`,
      `csrrs x${rd},fcsr,zero`,
      `csrrs x${rd},frm,zero`,
      `csrrs x${rd},fflags,zero`,
      `csrrw x${rd},fflags,x${any}`,
      `csrrc x${rd},fflags,x${any}`,
      `csrrsi x${rd},fflags,${random.below(32)}`,
      `csrrci x${rd},fflags,${random.below(32)}`,
      `csrrwi x${rd},fcsr,${random.below(32)}`,
    ];
    this.lines(random.pick(lines));
  }

  /** Arithmetic on values that are neither huge nor tiny, with a loop's usual mixture of loads and stores. */
  protected kernel(): void {
    const { random } = this;
    const format = random.once(3) ? 's' : 'd';
    const [load, store, size, from] =
      format === 'd' ? ['fld', 'fsd', 8, Ordinary.DOUBLES] : ['flw', 'fsw', 4, Ordinary.SINGLES];
    const register = (): number => random.below(8);
    for (let i = 0; i < 4; i++) this.lines(`${load} f${i},${random.below(32) * size + from}(s0)`);
    for (let n = random.between(2, 8); n > 0; n--) {
      const name = random.pick(FLOAT_KERNEL);
      const shape = shapeOf(
        name === 'fsgnj' ? `${random.pick(['fsgnj', 'fsgnjn', 'fsgnjx'])}.${format}` : `${name}.${format}`,
      );
      const rm = random.once(6) ? random.pick(ROUNDINGS) : 7;
      const word = this.word(shape, { rd: register(), rs1: register(), rs2: register(), rs3: register(), rm });
      if (word) this.bits(word.bits);
    }
    if (random.once(3)) {
      const compare = random.pick(['feq', 'flt', 'fle']);
      this.lines(`${compare}.${format} x${this.target()},f${register()},f${register()}`);
    }
    if (random.once(2)) this.lines(`${store} f${register()},${random.between(40, 60) * size + from}(s0)`);
  }
}
