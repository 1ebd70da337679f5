/**
 * Decoded instructions: a block of records (record.ts) per page of RAM that code was executed from, filled an instruction at a time on
 * its first execution. A page with stops gets another block for the space that has them. Blocks lie in the machine's memory
 * (Area.CODE), for every engine alike; they are a cache, not state.
 *
 * Code is coherent: a store to an instruction that was decoded goes through `written`. So fence.i has nothing left to do. Which bytes of a
 * page are such is told by the bits of the page's own block (record.ts, BITS), which every page with a block of any kind has.
 */
import { decode } from '../isa/decode';
import { newInstruction } from '../isa/instruction';
import { Op } from '../isa/op';
import { Area } from '../machine/layout';
import { Mark, type PhysicalMemory } from '../machine/memory';
import { OPERANDS, Operands } from './operands';
import {
  BITS,
  BLOCK_BYTES,
  DISCARD_SLOT,
  F_SLOTS,
  Field,
  HOT,
  NEAR,
  Pseudo,
  RECORD_BYTES,
  RECORD_SHIFT,
} from './record';

/** Block 0 holds one instruction at a time: what lies across pages, behind a stop, or where a page's rights differ. */
export const SINGLE: number = Area.CODE;
const MAX_BLOCKS = Math.floor((Area.RAM - Area.CODE) / BLOCK_BYTES);
/** Bytes of the records of a page, without those behind its last halfword. */
const PAGE_RECORDS = 4096 << RECORD_SHIFT;
/**
 * Decoded records of a block that are remembered, so that they can be undone alone when the block is used again: a guest may run through
 * more pages than there are blocks with an instruction in each. Zeroing a block took 2.4 µs each time.
 */
const REMEMBERED = 32;
/** Stores to code of a page without any decoding in between, after which it is taken for data; and if there is no code left in it. */
const DATA_AFTER = 64;
const DATA_WITHOUT_CODE = 8;

/** A block of a page that shows stops at offsets in it, in one space. */
export interface Stopped {
  readonly block: number;
  readonly offsets: ReadonlySet<number>;
}

/** What translated regions must know of the code they were made from. */
export interface CodeListener {
  /** Bytes [from, to) of a page with a block are about to be written, instructions among them. */
  written(page: number, from: number, to: number): void;
  /** A page has lost its block. Nobody is told of stores to it any more. */
  released(page: number): void;
  /** The instruction of a record was decoded: it has no SLOT yet. */
  decoded(at: number, page: number, offset: number): void;
}

const NOBODY: CodeListener = { written() {}, released() {}, decoded() {} };

/** Blocks and records are named by their byte offset in the machine's memory. */
export class CodeCache {
  private used = 1;
  /** Page of RAM by block number; -1 for a free one. */
  private readonly pages = new Int32Array(MAX_BLOCKS).fill(-1);
  private free: number[] = [];
  /** By block number: offsets in the page that were decoded, and how many; more than REMEMBERED: any. */
  private readonly decoded = new Uint16Array(MAX_BLOCKS * REMEMBERED);
  private readonly counts = new Uint8Array(MAX_BLOCKS);
  /** Blocks with stops, by page of RAM, space and virtual page; and by block. */
  private readonly stopped = new Map<string, Stopped>();
  private readonly stopsOf = new Map<number, Stopped>();
  /** Stores to code of the page since something in it was decoded, by page of RAM. */
  private readonly stores: Uint8Array;
  private readonly instruction = newInstruction();
  /** Blocks were given up: exec translations must go, and an engine must leave its loop. */
  onDrop: () => void = () => undefined;
  listener = NOBODY;
  /** Bits of the instruction in the single block. */
  private singleBits = 0;
  /** SLOT and HEAT of a record that is decoded anew. */
  private unlinked = 0;

  constructor(private readonly memory: PhysicalMemory) {
    this.stores = new Uint8Array(memory.ramPages);
    this.nextPage(SINGLE + RECORD_BYTES);
    this.nextPage(SINGLE + 2 * RECORD_BYTES);
  }

  /** Jumps to a record until the translator is told of it: 1 … HOT. Changes nothing but speed; holds for what is decoded from now on. */
  set hotness(jumps: number) {
    this.unlinked = (HOT - jumps) << 16;
  }

  private nextPage(at: number): void {
    this.memory.u16[at >> 1] = Pseudo.NEXT_PAGE;
  }

  /** The block for a page of RAM, made if need be. */
  blockFor(page: number): number {
    const known = this.plainBlock(page);
    if (known !== 0) return known;
    const block = this.allocate(page);
    this.setBlock(page, block);
    this.memory.mark(page, Mark.CODE);
    return block;
  }

  private setBlock(page: number, block: number): void {
    this.memory.i32[Area.BLOCKS / 4 + page] = block;
  }

  /** The same for a page that shows stops at these offsets in one space. */
  stoppedBlockFor(page: number, space: number, virtualPage: number, offsets: ReadonlySet<number>): number {
    const key = `${page}:${space}:${virtualPage}`;
    const known = this.stopped.get(key);
    if (known) return known.block;
    this.blockFor(page);
    const block = this.allocate(page);
    // It is gone again where there was no room for both.
    this.blockFor(page);
    const entry = { block, offsets };
    this.stopped.set(key, entry);
    this.stopsOf.set(block, entry);
    return block;
  }

  /** The block of a page that has one, without stops; else 0. */
  plainBlock(page: number): number {
    return this.memory.i32[Area.BLOCKS / 4 + page]!;
  }

  /** The blocks of a page that show stops. */
  *stoppedBlocks(page: number): Generator<Stopped> {
    for (const stopped of this.stopsOf.values()) if (this.pages[this.numberOf(stopped.block)] === page) yield stopped;
  }

  /** The stops that a block shows. */
  stopsIn(block: number): ReadonlySet<number> | undefined {
    return this.stopsOf.get(block)?.offsets;
  }

  /** Page of RAM and offset in it of a record; undefined for one that stands for no halfword of a page. */
  placeOf(at: number): { readonly page: number; readonly offset: number } | undefined {
    const number = this.numberOf(at);
    const page = this.pages[number]!;
    const offset = (at - Area.CODE - number * BLOCK_BYTES) >> RECORD_SHIFT;
    return page < 0 || offset >= 4096 ? undefined : { page, offset };
  }

  private allocate(page: number): number {
    if (this.free.length === 0 && this.used === MAX_BLOCKS) this.dropAll();
    const number = this.free.pop() ?? this.used++;
    const block = Area.CODE + number * BLOCK_BYTES;
    this.clear(number, block);
    this.nextPage(block + PAGE_RECORDS);
    this.nextPage(block + PAGE_RECORDS + RECORD_BYTES);
    this.pages[number] = page;
    this.stores[page] = 0;
    return block;
  }

  /** No record of the block is decoded. */
  private clear(number: number, block: number): void {
    const count = this.counts[number]!;
    if (count > REMEMBERED) this.memory.u8.fill(0, block, block + BLOCK_BYTES);
    else
      for (let i = number * REMEMBERED; i < number * REMEMBERED + count; i++) {
        const at = block + (this.decoded[i]! << RECORD_SHIFT);
        this.forget(at, at + RECORD_BYTES);
      }
    this.memory.u8.fill(0, block + BITS, block + BLOCK_BYTES);
    this.counts[number] = 0;
  }

  private numberOf(at: number): number {
    return Math.floor((at - Area.CODE) / BLOCK_BYTES);
  }

  /** How often every block was given up. */
  drops = 0;

  /** Gives up every block. */
  dropAll(): void {
    this.drops++;
    for (let number = 1; number < this.used; number++) {
      const page = this.pages[number]!;
      if (page < 0) continue;
      this.pages[number] = -1;
      if (this.plainBlock(page) === 0) continue;
      this.setBlock(page, 0);
      this.memory.unmark(page, Mark.CODE);
      this.listener.released(page);
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

  private release(block: number): void {
    const number = this.numberOf(block);
    const page = this.pages[number]!;
    this.pages[number] = -1;
    this.free.push(number);
    if (this.plainBlock(page) !== block) return;
    this.setBlock(page, 0);
    this.memory.unmark(page, Mark.CODE);
    this.listener.released(page);
  }

  /** Bytes [from, to) of a page with a block of its own are code: `written` is to be called before they are stored to. */
  guard(page: number, from: number, to: number): void {
    this.setBits(page, from >> 1, (to + 1) >> 1, true);
  }

  private setBits(page: number, from: number, to: number, on: boolean): void {
    const { u8 } = this.memory;
    const bits = this.plainBlock(page) + BITS;
    for (let i = from; i < to; i++) {
      const bit = 1 << (i & 7);
      u8[bits + (i >> 3)] = on ? u8[bits + (i >> 3)]! | bit : u8[bits + (i >> 3)]! & ~bit;
    }
  }

  /** May an instruction be among the bytes [from, to) of a page with a block of its own? */
  private isCode(page: number, from: number, to: number): boolean {
    const { u8 } = this.memory;
    const bits = this.plainBlock(page) + BITS;
    for (let i = from >> 1; i < (to + 1) >> 1; i++) if (u8[bits + (i >> 3)]! & (1 << (i & 7))) return true;
    return false;
  }

  /** Bytes [from, to) of a page are about to be written. */
  written(page: number, from: number, to: number): void {
    const whole = from === 0 && to === 4096;
    if (!whole && !this.isCode(page, from, to)) return;
    const stores = ++this.stores[page]!;
    if (whole || stores > DATA_AFTER || (stores > DATA_WITHOUT_CODE && !this.isCode(page, 0, 4096)))
      return this.dropPage(page);
    // A 32-bit instruction may begin a halfword earlier.
    const first = Math.max(0, (from & ~1) - 2) << RECORD_SHIFT;
    const end = ((to + 1) & ~1) << RECORD_SHIFT;
    this.listener.written(page, from, to);
    // Whatever has a byte there goes, and is marked anew when it is decoded.
    this.setBits(page, from >> 1, (to + 1) >> 1, false);
    const block = this.plainBlock(page);
    this.forget(block + first, block + end);
    for (const start of this.stopsOf.keys())
      if (this.pages[this.numberOf(start)] === page) this.forget(start + first, start + end);
  }

  /** Records are not decoded any more. Their operands stay: one may be that of the instruction which is storing, and has its rd to set. */
  private forget(from: number, to: number): void {
    const { u16, i32 } = this.memory;
    for (let at = from; at < to; at += RECORD_BYTES) {
      u16[at >> 1] = Pseudo.UNDECODED;
      i32[(at + Field.SLOT) >> 2] = 0;
    }
  }

  private dropPage(page: number): void {
    for (const [key, entry] of this.stopped) {
      if (this.pages[this.numberOf(entry.block)] !== page) continue;
      this.stopped.delete(key);
      this.stopsOf.delete(entry.block);
      this.release(entry.block);
    }
    this.release(this.plainBlock(page));
    this.onDrop();
  }

  /** Decodes the instruction of a record of a block other than the single one. */
  decodeAt(at: number): void {
    const number = this.numberOf(at);
    const block = Area.CODE + number * BLOCK_BYTES;
    const offset = (at - block) >> RECORD_SHIFT;
    const page = this.pages[number]!;
    this.stores[page] = 0;
    const count = this.counts[number]!;
    if (count < REMEMBERED) this.decoded[number * REMEMBERED + count] = offset;
    if (count <= REMEMBERED) this.counts[number] = count + 1;
    const { u16 } = this.memory;
    if (this.stopsOf.get(block)?.offsets.has(offset)) {
      u16[at >> 1] = Pseudo.STOP;
      return;
    }
    const source = (Area.RAM + page * 4096 + offset) / 2;
    const low = u16[source]!;
    this.guard(page, offset, Math.min(offset + ((low & 3) === 3 ? 4 : 2), 4096));
    if ((low & 3) !== 3) this.place(at, low, offset);
    else if (offset === 4094) {
      this.memory.i32[(at + Field.SLOT) >> 2] = this.unlinked;
      u16[at >> 1] = Pseudo.CROSSING;
    } else this.place(at, low | (u16[source + 1]! << 16), offset);
    this.listener.decoded(at, page, offset);
  }

  /** Puts an instruction into the single block, whose address is returned. */
  single(bits: number): number {
    this.singleBits = bits;
    this.place(SINGLE, bits, -1);
    return SINGLE;
  }

  /** Puts a stop into the single block, whose address is returned. */
  singleStop(): number {
    this.memory.u16[SINGLE >> 1] = Pseudo.STOP;
    return SINGLE;
  }

  /** Bits of the instruction of a record: for mtval. */
  bitsAt(at: number): number {
    if (at < SINGLE + BLOCK_BYTES) return (this.singleBits & 3) === 3 ? this.singleBits : this.singleBits & 0xffff;
    const number = this.numberOf(at);
    const offset = (at - Area.CODE - number * BLOCK_BYTES) >> RECORD_SHIFT;
    const source = (Area.RAM + this.pages[number]! * 4096 + offset) / 2;
    const low = this.memory.u16[source]!;
    return (low & 3) === 3 ? low | (this.memory.u16[source + 1]! << 16) : low;
  }

  /** `offset`: of the instruction in its page, -1 for one that stands apart. */
  private place(at: number, bits: number, offset: number): void {
    const { instruction } = this;
    const { u8, u16, i32 } = this.memory;
    decode(bits, instruction);
    const { op, length, rd, rs1, rs2, rs3, rm, imm } = instruction;
    u8[at + Field.STRIDE] = length << RECORD_SHIFT;
    if (op === Op.ILLEGAL) {
      u16[at >> 1] = Pseudo.ILLEGAL;
      return;
    }
    const operands = OPERANDS[op]!;
    u8[at + Field.RD] = operands & Operands.F_RD ? F_SLOTS + rd : rd === 0 ? DISCARD_SLOT : rd;
    u8[at + Field.RS1] = operands & Operands.F_RS1 ? F_SLOTS + rs1 : rs1;
    u8[at + Field.RS2] = operands & Operands.F_RS2 ? F_SLOTS + rs2 : rs2;
    u8[at + Field.RS3] = operands & Operands.F_RS3 ? F_SLOTS + rs3 : rs3;
    u8[at + Field.RM] = rm;
    const target = offset + imm;
    const near = (operands & Operands.RELATIVE) !== 0 && offset >= 0 && target >= 0 && target < 4096;
    i32[(at + Field.IMMEDIATE) >> 2] = near ? imm << RECORD_SHIFT : imm;
    i32[(at + Field.SLOT) >> 2] = this.unlinked;
    // Last: a record is what its handler says.
    u16[at >> 1] = near ? op + NEAR : op;
  }
}
