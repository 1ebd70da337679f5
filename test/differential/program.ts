/**
 * Random programs from the rows. Straight instructions of every row a user program may execute, loads and stores at any alignment inside
 * the window, atomics, LR/SC pairs, rounding modes and flags, forward branches, bounded loops, jumps, functions called through
 * registers, compressed instructions wherever a row is one. Every program ends, traps never, and has at least `LEAST` instructions.
 * The same seed and rows give the same program.
 */
import { MIDDLE, GP, WINDOW, type Program } from './batch';
import { line, type Item } from './items';
import { lengthOf, SHAPES, wordOf, type Kind, type Shape, type Word } from './kinds';
import { Random } from './random';
import { randomFloat, randomInteger } from './values';

export const LEAST = 100;
const DEEPEST = 3;
const ROUNDINGS = [0, 1, 2, 3, 4, 7];

/** Rows by kind, and those without a compressed form of their own kind, from which everything can be reached. */
class Choice {
  private readonly byKind = new Map<Kind, Shape[]>();

  constructor(supported: (shape: Shape) => boolean) {
    for (const shape of SHAPES.filter(supported)) {
      if (!this.byKind.has(shape.kind)) this.byKind.set(shape.kind, []);
      this.byKind.get(shape.kind)!.push(shape);
    }
  }

  of(kind: Kind): readonly Shape[] {
    return this.byKind.get(kind) ?? [];
  }
}

export class ProgramMaker {
  private readonly choice: Choice;
  private random = new Random(0);
  private items: Item[] = [];
  /** Registers known to hold gp plus a distance. */
  private pointers = new Map<number, number>();
  /** Registers that the code being made must not write. */
  private locked = new Set<number>();
  private depth = 0;

  /** @param supported rows that every oracle can execute */
  constructor(supported: (shape: Shape) => boolean) {
    this.choice = new Choice(supported);
  }

  make(seed: number): Program {
    const random = (this.random = new Random(seed));
    this.items = [];
    this.pointers = new Map([[GP, 0]]);
    this.locked = new Set([GP]);
    this.depth = 0;
    while (this.items.length < LEAST) this.step();
    return {
      title: `program ${seed}`,
      items: this.items,
      x: Array.from({ length: 32 }, () => randomInteger(random)),
      f: Array.from({ length: 32 }, () => randomFloat(random)),
      fcsr: random.below(5) * 32 + random.below(32),
      window: this.window(),
    };
  }

  /** Integers and floats of every kind, aligned, so that loads find them. */
  private window(): Uint8Array {
    const bytes = this.random.bytes(WINDOW);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < WINDOW; at += 8)
      if (this.random.once(2))
        view.setBigUint64(at, this.random.once(3) ? randomInteger(this.random) : randomFloat(this.random), true);
    return bytes;
  }

  private emit(bits: number, keep = false): void {
    this.items.push({ bits, keep });
  }

  /** What `make` emits, held back. */
  private apart(make: () => void): Item[] {
    const outer = this.items;
    this.items = [];
    make();
    const made = this.items;
    this.items = outer;
    return made;
  }

  private append(items: readonly Item[]): void {
    for (const item of items) this.items.push(item);
  }

  private step(): void {
    const kind = this.random.below(100);
    if (kind < 52) this.plain();
    else if (kind < 68) this.access();
    else if (kind < 74) this.atomic();
    else if (kind < 77) this.reserved();
    else if (kind < 83) this.control();
    else if (kind < 84) this.append(this.choice.of('fence').map(({ row }) => ({ bits: line(row.mnemonic) })));
    else if (this.depth >= DEEPEST) this.plain();
    else if (kind < 93) this.nested(() => this.branch());
    else if (kind < 95) this.nested(() => this.loop());
    else if (kind < 98) this.nested(() => this.jump());
    else this.nested(() => this.call());
  }

  private nested(make: () => void): void {
    this.depth++;
    make();
    this.depth--;
  }

  private block(most: number): Item[] {
    const steps = this.random.between(1, most);
    return this.apart(() => {
      for (let i = 0; i < steps; i++) this.step();
    });
  }

  /** An integer register that may be written; not x0 when `useful`. */
  private target(useful = true): number {
    for (;;) {
      const register = this.random.below(32);
      if (!this.locked.has(register) && (register !== 0 || !useful)) return register;
    }
  }

  private immediate(): number {
    const { random } = this;
    const kind = random.below(4);
    if (kind === 0) return random.pick([0, 1, -1, 2, 31, 32, 63, 2047, -2048, -4096, 0x7ffff000, -0x80000000]);
    if (kind === 1) return random.below(64);
    return random.word() | 0;
  }

  /** A word of the row with random fields, those given fixed, whose result may be written here. */
  private word(shape: Shape, fixed: Partial<Word['fields']> = {}): Word | undefined {
    const { random } = this;
    for (let tries = 0; tries < 200; tries++) {
      const word = wordOf(shape, {
        rd: random.below(32),
        rs1: random.below(32),
        rs2: random.below(32),
        rs3: random.below(32),
        rm: random.pick(ROUNDINGS),
        aqrl: random.below(4),
        imm: this.immediate(),
        ...fixed,
      });
      if (word === undefined) continue;
      if (shape.result === 'x' && this.locked.has(word.fields.rd)) continue;
      return word;
    }
    return undefined;
  }

  private put(shape: Shape, word: Word | undefined, keep = false): void {
    if (word === undefined) return;
    this.emit(word.bits, keep);
    if (shape.result === 'x') this.pointers.delete(word.fields.rd);
  }

  private plain(): void {
    const shape = this.random.pick(this.choice.of('plain'));
    this.put(shape, this.word(shape));
  }

  /** Makes a register hold gp + offset. */
  private point(register: number, offset: number): void {
    this.emit(line(`addi x${register},gp,${offset}`), true);
    this.pointers.set(register, offset);
  }

  /** A random offset from gp where `size` bytes lie in the window. */
  private place(size: number, align = 1): number {
    const slots = Math.floor((WINDOW - size) / align) + 1;
    return this.random.below(slots) * align - MIDDLE;
  }

  private access(): void {
    const { random } = this;
    const shape = random.pick(this.choice.of(random.once(2) ? 'load' : 'store'));
    for (let tries = 0; tries < 20; tries++) {
      // A base that the encoding can name: what comes back from random fields may be another one (sp, x8 … x15).
      const probe = this.word(shape, random.once(2) ? { rs1: random.pick([...this.pointers.keys()]) } : {});
      if (probe === undefined) return;
      const base = probe.fields.rs1;
      if (base === 0) continue;
      if (!this.pointers.has(base)) {
        if (this.locked.has(base) || random.once(4)) continue;
        const align = random.once(3) ? 1 : shape.size;
        const offset = this.place(shape.size, align) - (shape.row.expansion === undefined ? 0 : probe.fields.imm);
        if (offset < -MIDDLE || offset + shape.size > MIDDLE) continue;
        this.point(base, offset);
      }
      const from = this.pointers.get(base)!;
      const wanted = this.place(shape.size, random.once(3) ? 1 : shape.size) - from;
      const word = shape.row.expansion === undefined ? this.word(shape, { rs1: base, imm: wanted }) : probe;
      if (word === undefined || word.fields.rs1 !== base) continue;
      const at = from + word.fields.imm;
      if (at < -MIDDLE || at + shape.size > MIDDLE) continue;
      return this.put(shape, word);
    }
  }

  private atomic(): void {
    const shapes = this.choice.of('atomic');
    if (shapes.length === 0) return;
    const shape = this.random.pick(shapes);
    const base = this.target();
    this.point(base, this.place(shape.size, shape.size));
    this.put(shape, this.word(shape, { rs1: base }));
  }

  /** A load-reserved, a few instructions, and a store-conditional that succeeds, or fails because it is not the reserved place. */
  private reserved(): void {
    const { random } = this;
    const reserve = random.pick(this.choice.of('reserve'));
    const conditional = random.pick(this.choice.of('conditional').filter(({ size }) => size === reserve.size));
    const base = this.target();
    const offset = this.place(8, 8);
    this.point(base, offset);
    const wasLocked = new Set(this.locked);
    this.locked.add(base);
    if (!random.once(8)) this.put(reserve, this.word(reserve, { rs1: base }), true);
    for (let i = random.below(4); i > 0; i--) this.plain();
    let other = base;
    if (random.once(4)) {
      other = this.target();
      this.point(other, offset === -MIDDLE ? offset + 64 : offset - 8);
    }
    this.put(conditional, this.word(conditional, { rs1: other }), true);
    // The reservation is gone, whether that stored or not.
    if (random.once(3)) this.put(conditional, this.word(conditional, { rs1: base }));
    this.locked = wasLocked;
  }

  /** Reads and writes of fcsr and its fields that leave a valid rounding mode. */
  private control(): void {
    const { random } = this;
    const rd = this.target(false);
    const any = random.below(32);
    const choices = [
      [`csrrwi x${rd},frm,${random.below(5)}`],
      [`csrrs x${rd},fcsr,zero`],
      [`csrrs x${rd},frm,zero`],
      [`csrrs x${rd},fflags,x${any}`],
      [`csrrw x${rd},fflags,x${any}`],
      [`csrrc x${rd},fflags,x${any}`],
      [`csrrsi x${rd},fflags,${any}`],
      [`csrrci x${rd},fflags,${any}`],
      [`csrrwi x${rd},fflags,${any}`],
      [`csrrc x${rd},fcsr,x${any}`],
      [`csrrc x${rd},frm,x${any}`],
      [`csrrsi x${rd},fcsr,${any}`],
      [`csrrwi x${rd},fcsr,${any}`],
      [`csrrci x${rd},frm,${any}`],
    ];
    if (random.once(8)) {
      const value = this.target();
      this.emit(line(`andi x${value},x${any},127`), true);
      this.emit(line(`csrrw x${rd},fcsr,x${value}`), true);
      this.pointers.delete(value);
    } else for (const text of random.pick(choices)) this.emit(line(text));
    this.pointers.delete(rd);
  }

  /** What both ways into a place agree on. */
  private join(before: ReadonlyMap<number, number>): void {
    for (const [register, offset] of [...this.pointers])
      if (before.get(register) !== offset) this.pointers.delete(register);
  }

  private branch(): void {
    const before = new Map(this.pointers);
    const over = this.block(4);
    const distance = bytesOf(over);
    const shape = this.random.pick(this.choice.of('branch'));
    const length = shape.pattern.bits / 8;
    const word = this.word(shape, { imm: distance + length });
    if (word?.fields.imm === distance + length) {
      this.emit(word.bits);
      this.append(over);
      this.join(before);
    } else this.append(over);
  }

  private loop(): void {
    const counter = this.target();
    const wasLocked = new Set(this.locked);
    this.emit(line(`addi x${counter},zero,${this.random.between(1, 6)}`), true);
    this.locked.add(counter);
    this.pointers = new Map([[GP, 0]]);
    const body = this.block(6);
    this.append(body);
    this.emit(line(`addi x${counter},x${counter},-1`), true);
    const distance = -(bytesOf(body) + 4);
    this.emit(line(`bne x${counter},zero,${distance}`), true);
    this.locked = wasLocked;
  }

  /** Over a block that is not executed: by an offset, or through a register. */
  private jump(): void {
    const before = new Map(this.pointers);
    const over = this.block(3);
    this.pointers = before;
    const { random } = this;
    if (random.once(2)) {
      const shape = random.pick(this.choice.of('jump'));
      const imm = bytesOf(over) + shape.pattern.bits / 8;
      const word = this.word(shape, { imm });
      if (word?.fields.imm !== imm) return;
      this.put(shape, word, true);
    } else {
      const shape = random.pick(this.choice.of('jumpRegister'));
      const through = this.target();
      const length = shape.pattern.bits / 8;
      // From the auipc: itself, the addi, the jump, and what it leads over.
      const distance = 8 + length + bytesOf(over);
      const short = random.below(2) * 2 * random.below(32);
      const imm = length === 2 ? 0 : short + random.below(2);
      const word = this.word(shape, { rs1: through, imm });
      if (word?.fields.rs1 !== through || word.fields.imm !== imm) return;
      this.emit(line(`auipc x${through},0`), true);
      this.emit(line(`addi x${through},x${through},${distance - (imm & ~1)}`), true);
      this.pointers.delete(through);
      this.put(shape, word, true);
    }
    this.append(over);
  }

  /** A function and one to three calls of it, the last ones from a loop's distance. */
  private call(): void {
    const link = this.random.pick([1, 5, this.target()].filter((register) => !this.locked.has(register)));
    const wasLocked = new Set(this.locked);
    this.locked.add(link);
    const outside = new Map(this.pointers);
    this.pointers = new Map([[GP, 0]]);
    const body = this.block(5);
    this.pointers = outside;
    this.pointers.clear();
    this.pointers.set(GP, 0);
    const back = this.random.pick(
      this.choice.of('jumpRegister').filter(({ row }) => row.expansion === undefined || row.operands === 'rs1'),
    );
    const ret = wordOf(back, { rd: 0, rs1: link, imm: 0 }) ?? wordOf(this.plainReturn, { rd: 0, rs1: link, imm: 0 })!;
    // A compressed jump and link would overwrite ra, which may be locked or the link itself: return plainly.
    const leave = ret.fields.rd === 0 ? ret.bits : line(`jalr zero,0(x${link})`);
    const size = bytesOf(body) + lengthOf(leave);
    this.emit(line(`jal zero,${4 + size}`), true);
    this.append(body);
    this.emit(leave, true);
    let distance = size;
    for (let i = this.random.between(1, 3); i > 0; i--) {
      this.emit(line(`jal x${link},${-distance}`), true);
      distance += 4;
    }
    this.locked = wasLocked;
  }

  private get plainReturn(): Shape {
    return this.choice.of('jumpRegister').find(({ row }) => row.expansion === undefined)!;
  }
}

export const bytesOf = (items: readonly Item[]): number => items.reduce((sum, { bits }) => sum + lengthOf(bits), 0);
