/**
 * The physical memory: one WebAssembly.Memory that holds hart state and RAM (layout.ts), grown when a frame is first touched.
 * Owns the views, the marks of pages, and the rule that the first store to a page after a snapshot saves the page: every writer
 * calls `beforeWrite` (the engine when a page enters its write translations, ports and page-table walks on each store).
 * Views are fetched from the fields here after anything that may grow the memory, because growth detaches the old buffer.
 */
import { PAGE_SIZE } from '../units';
import { noHostMemory } from './errors';
import { Area, MAX_RAM, RAM_START, Second } from './layout';
import { plainMemory } from './plain-memory';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: { Memory: new (limits: { initial: number; maximum: number }) => WasmMemory } | undefined;

export type NewMemory = (limits: { initial: number; maximum: number }) => WasmMemory;

/** Marks of a page of RAM. A marked page never is in a write translation, so that each store to it is seen, but: */
export const enum Mark {
  /** Holds instructions that were decoded. The second level may hold it: stores to other bytes of it are not told. */
  CODE = 1,
  /** Was read by a page-table walk whose result may be cached. */
  TABLE = 2,
}

const WASM_PAGE = 65536;
/** What of RAM is there from the first: as much as a small program on the host OS needs. V8 collects garbage for each growth beyond 64 MiB. */
const FIRST = 32 * 2 ** 20;
/** From one generation of translations to the next: odd, so that every number has its turn; an entry's place follows from it, too. */
const NEXT_GENERATION = 0x9e3779b1;
/**
 * The memory grows in multiples of 16 MiB, to twice what it was if the host has that: each growth makes V8 look through its heap, since a buffer of a new size
 * counts as so much new memory (up to 20 ms), and what is not touched costs nothing.
 */
const GROWTH = 16 * 2 ** 20;

export interface WriteListener {
  /** Bytes [from, to) of a page with decoded code are about to be written. */
  codeWritten(page: number, from: number, to: number): void;
  /** A page that translations were read from is about to be written. */
  tableWritten(): void;
  /** The page is about to be written for the first time since `protectAll`. */
  firstWrite(page: number): void;
  /** Write translations of the page must go: it got a mark. */
  pageMarked(): void;
}

const NOBODY: WriteListener = { codeWritten() {}, tableWritten() {}, firstWrite() {}, pageMarked() {} };

export class PhysicalMemory {
  private readonly wasm: WasmMemory;
  readonly ramPages: number;
  /** Fetch these anew after anything that may touch a frame for the first time. */
  u8!: Uint8Array;
  u16!: Uint16Array;
  i32!: Int32Array;
  f64!: Float64Array;
  /** Bytes of RAM that exist in the buffer now. */
  private grown = 0;
  /** Called when the views were replaced. */
  onGrow: (() => void) | undefined;
  /** Counts replacements of the views. */
  growths = 0;
  listener: WriteListener = NOBODY;
  /** The halfword of an instruction outside of RAM; undefined where harts can't fetch. */
  fetchOutside: (address: number) => number | undefined = () => undefined;

  readonly marks: Uint8Array;
  private tables: number[] = [];
  /** Hashes of pages as they are now, filled by state.ts; an entry goes at the first write after `protectAll`. */
  readonly digests = new Map<number, Uint8Array>();
  /** Epoch in which a page was last opened for writing; 0 = never written, it reads as zero. */
  private readonly epochs: Uint32Array;
  private epoch = 1;
  /** Pages that were ever written; ones given back since and twice named ones among them until it is put in order. */
  private written: number[] = [];
  private inOrder = true;

  /** @throws MachineError when the host can't have it, here and where the memory grows */
  constructor(
    readonly ramBytes: number,
    allocate: NewMemory = (limits) =>
      typeof WebAssembly === 'undefined' ? plainMemory(limits) : new WebAssembly.Memory(limits),
  ) {
    if (!Number.isInteger(ramBytes) || ramBytes < 65536 || ramBytes > MAX_RAM || ramBytes % PAGE_SIZE !== 0)
      throw new Error(`RAM of ${ramBytes} bytes: give a multiple of 4096 from 64 KiB to 3 GiB`);
    this.ramPages = ramBytes / PAGE_SIZE;
    this.marks = new Uint8Array(this.ramPages);
    this.epochs = new Uint32Array(this.ramPages);
    this.grown = Math.min(ramBytes, FIRST);
    const initial = Math.ceil((Area.RAM + this.grown) / WASM_PAGE);
    const maximum = Math.ceil((Area.RAM + ramBytes) / WASM_PAGE);
    try {
      this.wasm = allocate({ initial, maximum });
    } catch (error) {
      throw error instanceof RangeError ? noHostMemory(ramBytes, 0) : error;
    }
    this.refresh();
  }

  private refresh(): void {
    const { buffer } = this.wasm;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i32[Area.RAM_LAST / 4] = this.grown - 8;
    this.growths++;
    this.onGrow?.();
  }

  /** For engines that are WebAssembly. */
  get wasmMemory(): object {
    return this.wasm;
  }

  get buffer(): ArrayBuffer {
    return this.wasm.buffer;
  }

  /** Does [address, address + length) lie in RAM? */
  contains(address: number, length: number): boolean {
    return address >= RAM_START && address + length <= RAM_START + this.ramBytes;
  }

  /** Page of RAM of a physical address in RAM, counted from the start of RAM. */
  pageOf(address: number): number {
    return Math.floor((address - RAM_START) / PAGE_SIZE);
  }

  /** Makes sure that a page's bytes exist in the buffer; true when the views were replaced. */
  ensure(page: number): boolean {
    const end = (page + 1) * PAGE_SIZE;
    if (end <= this.grown) return false;
    const least = Math.min(this.ramBytes, Math.ceil(end / GROWTH) * GROWTH);
    const wanted = Math.min(this.ramBytes, Math.max(least, 2 * this.grown));
    const grown = this.grow(wanted) ?? (wanted > least ? this.grow(least) : undefined);
    if (grown === undefined) throw noHostMemory(this.ramBytes, this.grown);
    this.grown = grown;
    this.refresh();
    return true;
  }

  /** So much RAM exists afterwards; undefined when the host can't have it. */
  private grow(bytes: number): number | undefined {
    try {
      this.wasm.grow(Math.ceil((Area.RAM + bytes) / WASM_PAGE) - this.wasm.buffer.byteLength / WASM_PAGE);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
    return bytes;
  }

  /**
   * Must precede each store of ports and walkers, and the entry of a page into a write translation. In RAM, within one page.
   * `accessBits`: only A and D of an entry are being set, which no cached translation depends on.
   */
  beforeWrite(page: number, from: number, to: number, accessBits = false): void {
    this.ensure(page);
    if (this.epochs[page] !== this.epoch) {
      this.listener.firstWrite(page);
      this.digests.delete(page);
      this.open(page, this.epoch);
    }
    const marks = this.marks[page]!;
    if (marks === 0) return;
    if (marks & Mark.CODE) this.listener.codeWritten(page, from, to);
    if (marks & Mark.TABLE && !accessBits) this.listener.tableWritten();
  }

  private open(page: number, epoch: number): void {
    if (this.epochs[page] === 0) {
      this.written.push(page);
      this.inOrder = false;
    }
    this.epochs[page] = epoch;
  }

  unmark(page: number, mark: Mark): void {
    this.marks[page]! &= ~mark;
  }

  mark(page: number, mark: Mark): void {
    const marks = this.marks[page]!;
    if (marks & mark) return;
    this.marks[page] = marks | mark;
    if (mark === Mark.TABLE) this.tables.push(page);
    this.listener.pageMarked();
  }

  /** What no entry of the second level of translations names (layout.ts). */
  nextGeneration(): number {
    this.generation = (this.generation + NEXT_GENERATION) | 0;
    if (this.generation !== 0) return this.generation;
    // All have had their turn. What is left of their entries must not come to life, nor may two tables have one generation.
    this.u8.fill(0, Area.SECOND, Area.SECOND + Second.BYTES);
    this.listener.tableWritten();
    return this.nextGeneration();
  }
  private generation = 0;

  /** No translation is cached any more: no page is watched as a table. */
  forgetTables(): void {
    for (const page of this.tables) this.marks[page]! &= ~Mark.TABLE;
    this.tables = [];
  }

  /** The next store to any page is its first again. The caller drops the write translations. */
  protectAll(): void {
    this.epoch++;
  }

  /** But not this one, which was saved. */
  openAgain(page: number): void {
    this.digests.delete(page);
    this.open(page, this.epoch);
  }

  /** May the page be written without a first store being told? */
  isOpen(page: number): boolean {
    return this.epochs[page] === this.epoch;
  }

  wasWritten(page: number): boolean {
    return this.epochs[page] !== 0;
  }

  /** Pages that may hold something else than zeros, ascending. */
  *writtenPages(): Generator<number> {
    if (!this.inOrder) this.written = [...new Set(this.written)].sort((a, b) => a - b);
    this.inOrder = true;
    for (const page of this.written) if (this.epochs[page] !== 0) yield page;
  }

  /** Offset of a page of RAM in the buffer. */
  offsetOf(page: number): number {
    return Area.RAM + page * PAGE_SIZE;
  }

  /** The bytes of a page as they are now; a view, not to be kept. */
  pageBytes(page: number): Uint8Array {
    this.ensure(page);
    const offset = Area.RAM + page * PAGE_SIZE;
    return this.u8.subarray(offset, offset + PAGE_SIZE);
  }

  /** Puts a page's content in place as a restore does: no first write is told, `undefined` is a page never written. */
  setPage(page: number, bytes: Uint8Array | undefined): void {
    this.digests.delete(page);
    if (this.marks[page]! & Mark.CODE) this.listener.codeWritten(page, 0, PAGE_SIZE);
    if (bytes) {
      this.pageBytes(page).set(bytes);
      // An older epoch than any that can be current: written, and protected.
      this.open(page, 0xffffffff);
    } else {
      if ((page + 1) * PAGE_SIZE <= this.grown) this.pageBytes(page).fill(0);
      this.epochs[page] = 0;
    }
  }
}

/** Memory offset of a physical address in RAM. */
export const ramOffset = (address: number): number => address - RAM_START + Area.RAM;
