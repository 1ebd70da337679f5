/**
 * The cached translations of one hart: banks of direct-mapped tables in the machine's memory (machine/layout.ts), one bank per
 * context {satp, privileges, SUM, MXR}, so that a change of context can never use another's rights.
 *
 * They are not state and the guest can't see them: a store to a page that a walk has read (Mark.TABLE), a PMP write or a restore
 * drops them all. So page-table changes take effect at once (which the specification allows), and what a program does
 * never depends on when a snapshot was taken. Must never hold a page that a PMP entry covers in part, that is watched, or,
 * for writing, that is marked or not yet saved for the latest snapshot; the second level may hold pages that are marked as code.
 *
 * What is filled goes into the second level as well (machine/layout.ts), from where WebAssembly takes back what another page has pushed out
 * of a bank. So it writes only to places of a bank that have been filled since the table was empty.
 */
import { Area, Bank, HART_STRIDE, hartOffset, Second } from '../machine/layout';
import type { PhysicalMemory } from '../machine/memory';
import { PAGE_SIZE } from '../units';

/** Low word of an empty tag. Not 1: an access compares its page and its misalignment (bits 0 … 2), so that a tag of 1 is page 0. */
const EMPTY = 8;
/**
 * Entries of a bank that are remembered so that they can be emptied alone: a guest that drops its translations at each instruction
 * (SFENCE.VMA, PMP writes, stores to its page tables) fills few between. Emptying even a table of 256 took 0.4 µs each time.
 */
const REMEMBERED = 64;

/** A table of a bank, and where its second level is. */
interface Table {
  /** Its bit in `filled`. */
  readonly bit: number;
  /** Word offset in a bank, and entries. */
  readonly at: number;
  readonly entries: number;
  /** Word offset in a bank of its generation. */
  readonly generation: number;
  /** Word offset in the memory of its second level, and entries of that. */
  readonly second: number;
  readonly secondEntries: number;
}

const table = (index: number, at: number, entries: number, second: number, secondEntries: number): Table => ({
  bit: 1 << index,
  at,
  entries,
  generation: Bank.GENERATIONS + index,
  second: (Area.SECOND + second) >> 2,
  secondEntries,
});
const READS = table(0, Bank.READ, Bank.ENTRIES, Second.READ, Second.ENTRIES);
const WRITES = table(1, Bank.WRITE, Bank.ENTRIES, Second.WRITE, Second.ENTRIES);
const EXECS = table(2, Bank.EXEC, Bank.EXEC_ENTRIES, Second.EXEC, Second.EXEC_ENTRIES);
const ALL = READS.bit | WRITES.bit | EXECS.bit;

export class Translations {
  private readonly first: number;
  private readonly keys = new Int32Array(Bank.COUNT * 3);
  /** Banks that hold something under their key. */
  private readonly live = new Uint8Array(Bank.COUNT);
  /** Tables of each bank that may hold something, a bit each: others need not be emptied. New memory is all zero, which is not empty. */
  private readonly filled = new Uint8Array(Bank.COUNT).fill(ALL);
  /** Word offsets of what was filled since a bank was empty, and how many; more than REMEMBERED: anything may be filled. */
  private readonly places = new Int32Array(Bank.COUNT * REMEMBERED);
  private readonly counts = new Uint8Array(Bank.COUNT).fill(REMEMBERED + 1);
  private selected = 0;
  private victim = 0;
  /** Word offset of the selected bank in the memory. */
  bank: number;

  constructor(
    private readonly memory: PhysicalMemory,
    hartId: number,
  ) {
    this.first = (hartOffset(hartId) + Bank.START) >> 2;
    this.bank = this.first;
    this.clear(0);
  }

  private clear(bank: number): void {
    this.empty(bank, READS);
    this.empty(bank, WRITES);
    this.empty(bank, EXECS);
    this.counts[bank] = 0;
  }

  /** Empties one table of a bank. */
  private empty(bank: number, { bit, at: offset, entries, generation }: Table): void {
    if ((this.filled[bank]! & bit) === 0) return;
    this.filled[bank]! &= ~bit;
    const { i32 } = this.memory;
    i32[this.first + bank * Bank.WORDS + generation] = this.memory.nextGeneration();
    const start = this.first + bank * Bank.WORDS + offset;
    const end = start + 4 * entries;
    const count = this.counts[bank]!;
    if (count > REMEMBERED) for (let at = start; at < end; at += 4) i32[at] = EMPTY;
    else
      for (let i = bank * REMEMBERED; i < bank * REMEMBERED + count; i++) {
        const at = this.places[i]!;
        if (at >= start && at < end) i32[at] = EMPTY;
      }
  }

  /** Selects the bank of a context and returns its word offset. */
  select(a: number, b: number, c: number): number {
    const { keys, live } = this;
    let free = -1;
    for (let bank = 0; bank < Bank.COUNT; bank++) {
      if (live[bank] === 0) {
        if (free < 0) free = bank;
      } else if (keys[3 * bank] === a && keys[3 * bank + 1] === b && keys[3 * bank + 2] === c) {
        this.selected = bank;
        return (this.bank = this.first + bank * Bank.WORDS);
      }
    }
    if (free < 0) {
      free = this.victim;
      this.victim = (this.victim + 1) % Bank.COUNT;
    }
    keys[3 * free] = a;
    keys[3 * free + 1] = b;
    keys[3 * free + 2] = c;
    live[free] = 1;
    this.clear(free);
    this.selected = free;
    return (this.bank = this.first + free * Bank.WORDS);
  }

  /** Drops everything. The selected bank stays selected, empty. */
  flush(): void {
    this.live.fill(0);
    this.live[this.selected] = 1;
    this.clear(this.selected);
  }

  /** Drops the write translations of every context. */
  flushWrites(): void {
    for (let bank = 0; bank < Bank.COUNT; bank++) if (this.live[bank] !== 0) this.empty(bank, WRITES);
  }

  /** Drops those of them whose page's next store is its first; and the second level of all. */
  flushProtected(): void {
    const { memory, first } = this;
    const { i32 } = memory;
    for (let bank = 0; bank < Bank.COUNT; bank++) {
      if (this.live[bank] === 0 || (this.filled[bank]! & WRITES.bit) === 0) continue;
      i32[first + bank * Bank.WORDS + WRITES.generation] = memory.nextGeneration();
      const start = first + bank * Bank.WORDS + WRITES.at;
      for (let at = start; at < start + 4 * Bank.ENTRIES; at += 4)
        if (i32[at] !== EMPTY && !memory.isOpen(((i32[at]! + i32[at + 2]! - Area.RAM) >>> 0) / PAGE_SIZE))
          i32[at] = EMPTY;
    }
  }

  /** Drops the exec translations of every context: code blocks were given up. */
  flushExec(): void {
    for (let bank = 0; bank < Bank.COUNT; bank++) if (this.live[bank] !== 0) this.empty(bank, EXECS);
  }

  /** `near`: into the bank, too. */
  private put(table: Table, low: number, high: number, addend: number, near: boolean): void {
    const { i32 } = this.memory;
    const number = low >>> 12;
    const at = this.bank + table.at + ((number & (table.entries - 1)) << 2);
    if (near) {
      i32[at] = low & ~0xfff;
      i32[at + 1] = high;
      i32[at + 2] = addend;
    }
    const generation = i32[this.bank + table.generation]!;
    const second = table.second + (((number ^ generation) & (table.secondEntries - 1)) << 2);
    i32[second] = low & ~0xfff;
    i32[second + 1] = high;
    i32[second + 2] = addend;
    i32[second + 3] = generation;
    this.filled[this.selected]! |= table.bit;
    const count = this.counts[this.selected]!;
    if (count < REMEMBERED) this.places[this.selected * REMEMBERED + count] = at;
    if (count <= REMEMBERED) this.counts[this.selected] = count + 1;
  }

  /** Enters the page of an address into the reads of the selected bank; `offset` is the page's in memory. */
  fillRead(low: number, high: number, offset: number): void {
    this.put(READS, low, high, offset - (low & ~0xfff), true);
  }

  /** The same for writes. A page that is marked as code enters the second level alone. */
  fillWrite(low: number, high: number, offset: number, isCode: boolean): void {
    this.put(WRITES, low, high, offset - (low & ~0xfff), !isCode);
  }

  /** Enters a code block for the page of an address. */
  fillExec(low: number, high: number, block: number): void {
    this.put(EXECS, low, high, block, true);
  }
}

/** Bytes that the area of a hart must have. */
export const TRANSLATION_BYTES = Bank.START + Bank.COUNT * Bank.WORDS * 4;
if (TRANSLATION_BYTES > HART_STRIDE) throw new Error('layout: translation banks overlap the next hart');
