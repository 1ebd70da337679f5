/**
 * Accesses that the hart's read and write translations answer (machine/layout.ts, Bank), inline: what the interpreter's loop and
 * translated regions emit alike. Emits no slow path: `miss` says where to go instead.
 */
import { Area, Bank, RAM_START } from '../../machine/layout';
import type { Code, MemoryOperator } from './code';

/** log2 of the bytes of an entry of a bank. */
const ENTRY_SHIFT = 4;

export const LOADS: Readonly<Record<number, MemoryOperator>> = {
  8: 'i32.load8_u',
  16: 'i32.load16_u',
  32: 'i32.load',
  64: 'i64.load',
};
export const STORES: Readonly<Record<number, MemoryOperator>> = {
  8: 'i32.store8',
  16: 'i32.store16',
  32: 'i32.store',
  64: 'i64.store',
};

/** Pushes where in a bank the entry for an address is; the tables of a bank lie at offsets from there. */
export function entryAddress(code: Code, address: number, bank: number, entries: Bank): void {
  code.get(address);
  code.i64(BigInt(12 - ENTRY_SHIFT));
  code.op('i64.shr_u', 'i32.wrap_i64');
  code.i32((entries - 1) << ENTRY_SHIFT);
  code.op('i32.and');
  code.get(bank);
  code.op('i32.add');
}

export class TranslatedAccess {
  constructor(
    private readonly code: Code,
    /** Local with the byte address of the bank. */
    private readonly bank: number,
    /** Label to branch to with nothing done. */
    private readonly miss: string,
  ) {}

  /** Puts the address of the entry for an address into a new local. */
  entry(address: number): number {
    const { code } = this;
    const entry = code.local('i32');
    entryAddress(code, address, this.bank, Bank.ENTRIES);
    code.set(entry);
    return entry;
  }

  /** Pushes what is equal where the entry of a table is of the address's page and the address is a multiple of the size. */
  private tags(entry: number, table: Bank, address: number, bits: number): void {
    const { code } = this;
    code.get(entry);
    code.memory('i64.load', 4 * table);
    code.get(address);
    code.i64(BigInt(-4096 | (bits / 8 - 1)));
    code.op('i64.and');
  }

  /** Misses unless the entry of a table is of the address's page and the address is a multiple of the size. */
  hit(entry: number, table: Bank, address: number, bits: number): void {
    const { code } = this;
    this.tags(entry, table, address, bits);
    code.op('i64.ne');
    code.hint(false);
    code.brIf(this.miss);
  }

  /** Pushes where in the memory an address is. */
  translated(entry: number, table: Bank, address: number): void {
    const { code } = this;
    code.get(address);
    code.op('i32.wrap_i64');
    code.get(entry);
    code.memory('i32.load', 4 * table + 8);
    code.op('i32.add');
  }

  /** Pushes where in the memory the address is, for a load (READ) or a store (WRITE) of so many bits. */
  place(table: Bank, address: number, bits: number): void {
    const entry = this.entry(address);
    this.hit(entry, table, address, bits);
    this.translated(entry, table, address);
    this.code.release('i32', entry);
  }

  /** The same wherever in its page the access lies; misses where it goes on in the next one. */
  placeInPage(table: Bank, address: number, bits: number): void {
    const { code } = this;
    code.get(address);
    code.op('i32.wrap_i64');
    code.i32(4095);
    code.op('i32.and');
    code.i32(4096 - bits / 8);
    code.op('i32.gt_u');
    code.hint(false);
    code.brIf(this.miss);
    const entry = this.entry(address);
    this.hit(entry, table, address, 8);
    this.translated(entry, table, address);
    code.release('i32', entry);
  }

  /** The same as `place` for both. */
  placeBoth(address: number, bits: number): void {
    const entry = this.entry(address);
    this.hit(entry, Bank.READ, address, bits);
    this.hit(entry, Bank.WRITE, address, bits);
    this.translated(entry, Bank.WRITE, address);
    this.code.release('i32', entry);
  }

  /**
   * Puts into `local` where in the memory an address is, if the entries of its page say that all of a span from there may be accessed, and
   * the address is a multiple of its widest access; else 0.
   */
  span(
    span: { from: number; to: number; bits: number; reads: boolean; writes: boolean },
    address: number,
    local: number,
  ): void {
    const { code } = this;
    const entry = this.entry(address);
    const equal = (table: Bank): void => {
      this.tags(entry, table, address, span.bits);
      code.op('i64.eq');
    };
    if (span.reads) equal(Bank.READ);
    if (span.writes) equal(Bank.WRITE);
    if (span.reads && span.writes) code.op('i32.and');
    // In the page, and not so near to its end that the span crosses it.
    code.get(address);
    code.op('i32.wrap_i64');
    code.i32(4095);
    code.op('i32.and');
    code.i32(4096 - (span.to - span.from));
    code.op('i32.le_u', 'i32.and');
    code.hint(true);
    code.if();
    this.translated(entry, span.writes ? Bank.WRITE : Bank.READ, address);
    code.set(local);
    code.else();
    code.i32(0);
    code.set(local);
    code.end();
    code.release('i32', entry);
  }

  /** Pushes the distance from the start of RAM of an address that needs no translation; misses outside of what there is of RAM. */
  direct(address: number): void {
    const { code } = this;
    const distance = code.local('i64');
    code.get(address);
    code.i64(BigInt(RAM_START));
    code.op('i64.sub');
    code.tee(distance);
    code.i32(0);
    code.memory('i64.load', Area.RAM_LAST);
    code.op('i64.gt_u');
    code.hint(false);
    code.brIf(this.miss);
    code.get(distance);
    code.op('i32.wrap_i64');
    code.release('i64', distance);
  }
}
