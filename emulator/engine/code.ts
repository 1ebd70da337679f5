/**
 * Decoded instructions: a block per page of RAM that code was executed from, filled an instruction at a time on its first
 * execution. A page with stops gets another block for the space that has them. Nothing here is state.
 *
 * A block has two words per halfword of its page, so that a byte offset in the page is a word offset in the block:
 *   word 0   op (8 bits) | rd << 8 (8) | rs1 << 16 (6) | rs2 << 22 (6) | length << 28 (3)
 *   word 1   the immediate; of floating-point arithmetic rs3 | rm << 8
 * x registers are given as word offsets in the hart's state (2 * number, HartWord.DISCARD for rd = x0), f registers of loads and
 * stores too (2 * number, the base is added by the instruction), of arithmetic as plain numbers.
 * Behind the last halfword stand words that say "next page". Word 0 = 0 means not decoded yet.
 *
 * Code is coherent: a store to a page with decoded code goes through `written`. So fence.i has nothing left to do.
 */
import { decode } from '../isa/decode';
import { newInstruction } from '../isa/instruction';
import { Op } from '../isa/op';
import { Area, HartWord } from '../machine/layout';
import { Mark, type PhysicalMemory } from '../machine/memory';

/** Operations that only decoded code has; 0 is "not decoded". Literals, because the bundler does not compute with `Op.COUNT`. */
export const enum Pseudo {
  /** An illegal instruction; the immediate holds its bits. */
  ILLEGAL = 250,
  NEXT_PAGE = 251,
  /** A 32-bit instruction whose second half lies in the next page. */
  CROSSING = 252,
  STOP = 253,
}
/** The last operation that this engine knows; what stands behind it in op.ts is illegal here. */
const LAST_OP = Op.FMV_D_X;
if ((LAST_OP as number) >= (Pseudo.ILLEGAL as number))
  throw new Error('code: operations overlap those of decoded code');

export const BLOCK_WORDS = 4096 + 4;
/** Block 0 holds one instruction at a time: what lies across pages, behind a stop, or where a page's rights differ. */
export const SINGLE = 0;

const INITIAL_BLOCKS = 256;
const MAX_BLOCKS = 4096;
/** Stores to a page without any decoding in between, after which it is taken for data. */
const DATA_AFTER = 64;

const enum Shape {
  X,
  FP_LOAD,
  FP_STORE,
  FP,
  IMMEDIATE_CSR,
}

function shapeOf(op: number): Shape {
  if (op === Op.FLW || op === Op.FLD) return Shape.FP_LOAD;
  if (op === Op.FSW || op === Op.FSD) return Shape.FP_STORE;
  if (op > Op.FSD || (op > Op.FSW && op < Op.FLD)) return Shape.FP;
  if (op >= Op.CSRRWI && op <= Op.CSRRCI) return Shape.IMMEDIATE_CSR;
  return Shape.X;
}

interface Stopped {
  readonly block: number;
  readonly offsets: ReadonlySet<number>;
}

export class CodeCache {
  words: Int32Array;
  private capacity = INITIAL_BLOCKS;
  private used = 1;
  /** First word of the block of a page of RAM; 0 = none. */
  private readonly blocks: Int32Array;
  /** Page of RAM by block number; -1 for a free one. */
  private pages: Int32Array;
  private free: number[] = [];
  /** Blocks with stops, by page of RAM, space and virtual page; and by block number. */
  private readonly stopped = new Map<string, Stopped>();
  private readonly stopsOf = new Map<number, Stopped>();
  /** Stores to the page since something in it was decoded, by page of RAM. */
  private readonly stores: Uint8Array;
  private readonly instruction = newInstruction();
  /** Blocks were given up: exec translations must go, and an engine must leave its loop. */
  onDrop: () => void = () => undefined;
  /** Bits of the instruction in the single block. */
  singleBits = 0;

  constructor(private readonly memory: PhysicalMemory) {
    this.blocks = new Int32Array(memory.ramPages);
    this.stores = new Uint8Array(memory.ramPages);
    this.words = new Int32Array(INITIAL_BLOCKS * BLOCK_WORDS);
    this.pages = new Int32Array(MAX_BLOCKS).fill(-1);
    this.seal(0);
    this.words[4] = Pseudo.NEXT_PAGE;
    this.words[2] = Pseudo.NEXT_PAGE;
  }

  private seal(start: number): void {
    this.words[start + 4096] = Pseudo.NEXT_PAGE;
    this.words[start + 4098] = Pseudo.NEXT_PAGE;
  }

  /** First word of the block for a page of RAM, made if need be; may replace `words`. */
  blockFor(page: number): number {
    const known = this.blocks[page]!;
    if (known !== 0) return known;
    const block = this.allocate(page);
    this.blocks[page] = block;
    return block;
  }

  /** The same for a page that shows stops at these offsets in one space. */
  stoppedBlockFor(page: number, space: number, virtualPage: number, offsets: ReadonlySet<number>): number {
    const key = `${page}:${space}:${virtualPage}`;
    const known = this.stopped.get(key);
    if (known) return known.block;
    const block = this.allocate(page);
    const entry = { block, offsets };
    this.stopped.set(key, entry);
    this.stopsOf.set(block, entry);
    return block;
  }

  private allocate(page: number): number {
    let number = this.free.pop();
    if (number === undefined && this.used === this.capacity) {
      if (this.capacity === MAX_BLOCKS) this.dropAll();
      else this.enlarge();
    }
    number ??= this.free.pop() ?? this.used++;
    const start = number * BLOCK_WORDS;
    this.words.fill(0, start, start + BLOCK_WORDS);
    this.seal(start);
    this.pages[number] = page;
    this.stores[page] = 0;
    this.memory.mark(page, Mark.CODE);
    return start;
  }

  private enlarge(): void {
    this.capacity *= 2;
    const words = new Int32Array(this.capacity * BLOCK_WORDS);
    words.set(this.words);
    this.words = words;
  }

  /** Gives up every block. */
  dropAll(): void {
    for (let number = 1; number < this.used; number++) {
      const page = this.pages[number]!;
      if (page < 0) continue;
      this.blocks[page] = 0;
      this.memory.unmark(page, Mark.CODE);
      this.pages[number] = -1;
    }
    this.used = 1;
    this.free = [];
    this.stopped.clear();
    this.stopsOf.clear();
    this.onDrop();
  }

  /** Gives up the blocks with stops: the stops have changed. */
  dropStopped(): void {
    for (const { block } of this.stopped.values()) this.release(block);
    this.stopped.clear();
    this.stopsOf.clear();
    this.onDrop();
  }

  private release(start: number): void {
    const number = start / BLOCK_WORDS;
    const page = this.pages[number]!;
    this.pages[number] = -1;
    this.free.push(number);
    if (this.blocks[page] === start) this.blocks[page] = 0;
    if (!this.pages.subarray(0, this.used).includes(page)) this.memory.unmark(page, Mark.CODE);
  }

  /** Bytes [from, to) of a page are about to be written. */
  written(page: number, from: number, to: number): void {
    const block = this.blocks[page]!;
    const whole = from === 0 && to === 4096;
    if (whole || ++this.stores[page]! > DATA_AFTER) return this.dropPage(page);
    // A 32-bit instruction may begin a halfword earlier.
    const first = Math.max(0, (from & ~1) - 2);
    const end = (to + 1) & ~1;
    if (block !== 0) this.words.fill(0, block + first, block + end);
    for (const start of this.stopsOf.keys())
      if (this.pages[start / BLOCK_WORDS] === page) this.words.fill(0, start + first, start + end);
  }

  private dropPage(page: number): void {
    for (const [key, entry] of this.stopped) {
      if (this.pages[entry.block / BLOCK_WORDS] !== page) continue;
      this.stopped.delete(key);
      this.stopsOf.delete(entry.block);
      this.release(entry.block);
    }
    if (this.blocks[page] !== 0) this.release(this.blocks[page]!);
    this.onDrop();
  }

  /** Decodes the instruction that stands at a word of a block other than the single one. */
  decodeAt(at: number): void {
    const number = Math.floor(at / BLOCK_WORDS);
    const start = number * BLOCK_WORDS;
    const offset = at - start;
    const page = this.pages[number]!;
    this.stores[page] = 0;
    if (this.stopsOf.get(start)?.offsets.has(offset)) {
      this.words[at] = Pseudo.STOP;
      return;
    }
    const { u16 } = this.memory;
    const source = (Area.RAM + page * 4096 + offset) / 2;
    const low = u16[source]!;
    if ((low & 3) !== 3) this.place(at, low);
    else if (offset === 4094) this.words[at] = Pseudo.CROSSING;
    else this.place(at, low | (u16[source + 1]! << 16));
  }

  /** Puts an instruction into the single block. */
  single(bits: number): number {
    this.singleBits = bits;
    this.place(SINGLE, bits);
    return SINGLE;
  }

  /** Puts a stop into the single block. */
  singleStop(): number {
    this.words[SINGLE] = Pseudo.STOP;
    return SINGLE;
  }

  /** Bits of the instruction at a word of a block: for mtval. */
  bitsAt(at: number): number {
    if (at < BLOCK_WORDS) return this.singleBits;
    const number = Math.floor(at / BLOCK_WORDS);
    const source = (Area.RAM + this.pages[number]! * 4096 + (at - number * BLOCK_WORDS)) / 2;
    const low = this.memory.u16[source]!;
    return (low & 3) === 3 ? low | (this.memory.u16[source + 1]! << 16) : low;
  }

  private place(at: number, bits: number): void {
    const { instruction } = this;
    decode(bits, instruction);
    const { op, length, rd, rs1, rs2 } = instruction;
    const size = length << 28;
    if (op === Op.ILLEGAL || op > LAST_OP) {
      this.words[at + 1] = length === 2 ? bits & 0xffff : bits;
      this.words[at] = Pseudo.ILLEGAL | size;
      return;
    }
    let [d, s1, s2, immediate] = [rd === 0 ? HartWord.DISCARD : 2 * rd, 2 * rs1, 2 * rs2, instruction.imm];
    switch (shapeOf(op)) {
      case Shape.FP_LOAD:
        d = 2 * rd;
        break;
      case Shape.FP:
        [d, s1, s2, immediate] = [rd, rs1, rs2, instruction.rs3 | (instruction.rm << 8)];
        break;
      case Shape.IMMEDIATE_CSR:
        s1 = rs1;
        break;
    }
    this.words[at + 1] = immediate;
    this.words[at] = op | (d << 8) | (s1 << 16) | (s2 << 22) | size;
  }
}
