/**
 * Loop-heavy random programs: functions on several pages that call one another, a main program full of loops, and an end that writes
 * what memory and registers have become to the standard output. The same seed and options give the same program.
 */
import { Random } from '../random';
import { randomFloat, randomInteger } from '../values';
import { DEEPEST, DEPTH, Flow } from './flow';
import { bitsOf, Label, layOutParts, type Part } from './layout';
import { KEPT, Ordinary, Place, SP, Values, type Options } from './straight';

const PAGE = 4096;
const WINDOW_BYTES = 2 * PAGE;
/** Bytes that a program writes at its end, behind what it wrote before. */
export const LEFT_BYTES = Values.FCSR + 8 - Values.LEFT_X;
export const DUMP_BYTES = WINDOW_BYTES + LEFT_BYTES;
/** Ticks of the main program, about. */
const TICKS = 400_000;
const FUNCTION_TICKS = 4_000;

/** Far more than any program takes, traps included. */
export const MOST_TICKS = 5_000_000;

export interface LoopProgram {
  readonly seed: number;
  readonly base: number;
  /** At base + Place.CODE. */
  readonly code: Uint8Array;
  /** At base + Place.WINDOW; ends with the page of values. */
  readonly data: Uint8Array;
  /** At base + Place.FUNCTIONS, if it has a space of its own. */
  readonly functions: Uint8Array | undefined;
  /** Addresses of instructions. */
  readonly instructions: readonly number[];
  /** Statements that `without` can leave out. */
  readonly statements: number;
}

const ALL = Array.from({ length: 32 }, (_, i) => i);
/** The register that the end of the program works with. */
const LAST = 9;

class Maker extends Flow {
  private code: Part[] = [];

  make_(seed: number): LoopProgram {
    const { random, base } = this;
    const main = new Label();
    this.jump(main);
    this.flush();
    for (let n = random.between(3, 7); n > 0; n--) this.function();
    this.limit = TICKS;
    this.spent = 0;
    this.begin(64);
    this.parts = [];
    if (random.once(2)) this.pageEnd();
    this.label(main);
    this.prepare();
    // A program of few ticks gets more statements.
    for (let n = 0; n < 14 || (this.spent < TICKS / 2 && n < 50); n++) this.statement();
    this.finish();
    this.flush();
    const { bytes, instructions } = layOutParts(base + Place.CODE, this.code);
    if (bytes.length > Place.WINDOW) throw new Error(`program ${seed} is too long`);
    const functions = this.options.mapping ? this.functionPages() : undefined;
    return { seed, base, code: bytes, data: this.data(), functions, instructions, statements: this.count };
  }

  private flush(): void {
    this.code.push(...this.parts);
    this.parts = [];
  }

  private begin(locals: number, ...locked: readonly number[]): void {
    this.locals = locals;
    this.locked = new Set([...KEPT, ...locked]);
    this.used = new Set();
    this.busy.clear();
    this.exits = [];
  }

  private function(): void {
    const { random } = this;
    const link = random.once(3) ? 5 : 1;
    const recursive = random.once(3);
    const leaf = !recursive && random.once(2);
    const skips = !recursive && random.once(5);
    const callees = this.callees;
    this.begin(leaf ? 0 : random.pick([16, 32, 64]), ...(leaf ? [link] : []));
    this.spent = 0;
    this.limit = recursive ? FUNCTION_TICKS / 20 : FUNCTION_TICKS;
    // What goes down itself must not set anew how deep.
    if (leaf) this.callees = [];
    else if (recursive) this.callees = callees.filter((callee) => !callee.recursive);
    const label = new Label();
    const epilogue = new Label();
    this.parts = [];
    this.block(leaf ? 3 : 5);
    if (recursive) this.recursion(label, link);
    if (!leaf && random.once(6)) this.innerReturn(epilogue);
    const body = this.parts;
    this.callees = callees;
    this.parts = [];
    if (random.once(2)) this.pageEnd();
    this.label(label);
    this.frame(body, epilogue, link, leaf, recursive);
    const tail = callees.find((callee) => callee.link === link && !callee.recursive && callee.skips === skips);
    if (tail !== undefined && random.once(3)) {
      this.jump(tail.label);
      this.spent += tail.cost;
    } else this.return(link, skips);
    this.flush();
    // A recursion calls itself once or twice a level.
    const cost = recursive ? (this.spent + 40) * 2 ** DEEPEST : this.spent;
    callees.push({ label, link, cost, skips, recursive });
  }

  /** The body between what saves registers and what gets them back. */
  private frame(body: readonly Part[], epilogue: Label, link: number, leaf: boolean, recursive: boolean): void {
    const saved = [...this.used, ...(leaf ? [] : [link]), ...(recursive ? [DEPTH] : [])];
    const size = (this.locals + 8 * saved.length + 15) & ~15;
    if (size > 0) this.lines(`addi sp,sp,${-size}`);
    saved.forEach((register, i) => this.onStack('sd', register, this.locals + 8 * i));
    this.parts.push(...body);
    this.label(epilogue);
    saved.forEach((register, i) => this.onStack('ld', register, this.locals + 8 * i));
    if (size > 0) this.lines(`addi sp,sp,${size}`);
  }

  private onStack(name: 'sd' | 'ld', register: number, at: number): void {
    if (this.random.once(2)) return this.lines(`${name} x${register},${at}(sp)`);
    if (name === 'sd') this.bits(bitsOf('c.sdsp', { rs1: SP, rs2: register, imm: at }));
    else this.bits(bitsOf('c.ldsp', { rs1: SP, rd: register, imm: at }));
  }

  private recursion(self: Label, link: number): void {
    const { random } = this;
    const out = new Label();
    this.branch('bge', 0, DEPTH, out);
    this.lines(`addi x${DEPTH},x${DEPTH},-1`);
    for (let n = random.between(1, 2); n > 0; n--) {
      this.jump(self, link);
      if (random.once(2)) this.plain();
    }
    this.label(out);
  }

  /** A call that never comes back: what is called leaves the function by itself. */
  private innerReturn(epilogue: Label): void {
    const { random } = this;
    const [inner, over] = [new Label(), new Label()];
    this.branch(random.pick(['beq', 'blt', 'bgeu']), this.any(), this.any(), over);
    this.jump(inner, 1);
    this.label(over);
    this.plain();
    this.jump(epilogue);
    this.label(inner);
    const { locked } = this;
    this.locked = new Set([...locked, 1]);
    this.plain();
    this.locked = locked;
    if (random.once(2)) this.lines(`addi x${this.target(1)},ra,0`);
    if (random.once(2)) this.bits(bitsOf('c.jr', { rs1: 1 }));
    else this.jump(epilogue);
  }

  private return(link: number, skips: boolean): void {
    const { random } = this;
    if (skips) {
      const by = this.target(link);
      this.lines(`andi x${by},x${this.any()},4`, `add x${link},x${link},x${by}`);
    }
    this.bits(random.once(2) ? bitsOf('c.jr', { rs1: link }) : bitsOf('jalr', { rd: 0, rs1: link, imm: 0 }));
  }

  /** Registers get their first values. */
  private prepare(): void {
    this.address(LAST, this.place(Place.VALUES));
    for (const i of ALL) this.lines(`fld f${i},${Values.F + 8 * i}(x${LAST})`);
    for (const i of ALL.slice(1)) if (i !== LAST) this.lines(`ld x${i},${Values.X + 8 * i}(x${LAST})`);
    this.address(WINDOW_REGISTER, this.place(Place.WINDOW + PAGE));
    this.address(SP, this.place(Place.END - 512));
  }

  /** What memory and registers have become goes to the output, and the program ends. */
  private finish(): void {
    this.address(LAST, this.place(Place.VALUES + Values.LEFT_X));
    for (const i of ALL.slice(1)) if (i !== LAST) this.lines(`sd x${i},${8 * i}(x${LAST})`);
    for (const i of ALL) this.lines(`fsd f${i},${Values.LEFT_F - Values.LEFT_X + 8 * i}(x${LAST})`);
    this.lines('csrrs a0,fcsr,zero', `sd a0,${Values.FCSR - Values.LEFT_X}(x${LAST})`);
    this.lines('addi a7,zero,64', 'addi a0,zero,1', 'lui a2,2');
    this.address(11, this.place(Place.WINDOW));
    this.lines('ecall', 'addi a0,zero,1', `addi a1,x${LAST},0`, `addi a2,zero,${LEFT_BYTES}`, 'ecall');
    this.lines('addi a7,zero,93', 'addi a0,zero,0', 'ecall');
    const end = this.label();
    this.jump(end);
  }

  private data(): Uint8Array {
    const { random } = this;
    const data = new Uint8Array(Place.STACK - Place.WINDOW);
    data.set(random.bytes(WINDOW_BYTES));
    const view = new DataView(data.buffer);
    for (let i = 0; i < 32; i++) {
      const number = (random.word() / 2 ** 32 + 0.25) * random.pick([-3, 1, 2, 10]);
      view.setFloat64(PAGE + Ordinary.DOUBLES + 8 * i, number, true);
      view.setFloat32(PAGE + Ordinary.SINGLES + 4 * i, number, true);
    }
    const values = Place.VALUES - Place.WINDOW;
    this.pointers.forEach(({ address }, i) =>
      view.setBigInt64(values + Values.POINTERS + 8 * i, BigInt(address), true),
    );
    for (const i of ALL) {
      view.setBigUint64(values + Values.X + 8 * i, randomInteger(random), true);
      view.setBigUint64(values + Values.F + 8 * i, randomFloat(random), true);
    }
    return data;
  }
}

const WINDOW_REGISTER = 8;

/** Program `seed`, to stand at `base` (a multiple of 4096). */
export const loopProgram = (seed: number, base: number, options: Options): LoopProgram =>
  new Maker(new Random(seed), base, options).make_(seed);
