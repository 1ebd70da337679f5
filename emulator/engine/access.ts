/**
 * The slow path of loads, stores and fetches: everything that the translation tables do not answer. Checks translation and PMP,
 * fills the tables where they may be filled, serves accesses across pages, to devices, to marked or watched pages.
 * A fault is found before anything is written. Misaligned accesses to RAM are performed, as on hardware that supports them.
 */
import type { Hart } from '../hart/hart';
import { Access, accessFault, type TranslationContext } from '../hart/mmu';
import { Right } from '../hart/pmp';
import { pairToNumber } from '../hart/registers';
import { Privilege, type Cause } from '../hart/types';
import type { Bus } from '../machine/bus';
import { Mark, ramOffset, type PhysicalMemory } from '../machine/memory';
import type { Watches } from '../machine/watches';
import { PAGE_SIZE } from '../units';
import { Result, type Fault } from './types';

/** Bytes of the block of cbo.zero, cbo.clean, cbo.flush and cbo.inval, as on QEMU's virt. */
export const CACHE_BLOCK = 64;

export class DataAccess {
  /** The value of a load, zero-extended. */
  low = 0;
  high = 0;
  readonly fault: Fault = { cause: 0, low: 0, high: 0 };
  /** Memory offset of the last access prepared by `prepare`. */
  offset = 0;
  /** Physical address of the last access. */
  physical = 0;
  readonly context: TranslationContext = { privilege: Privilege.Machine, sum: false, mxr: false };
  /** Root of the space that data accesses are translated by, -1 for none: watches belong to it. */
  space = -1;
  private hart!: Hart;
  private growths = 0;
  /** An access that hit a watch. */
  watched = false;
  watchAddress = 0;
  watchSize = 0;
  watchWrite = false;
  /** Something the loop's locals depend on changed: translations, code blocks, a device. */
  stale = false;
  /** A device was written: interrupts and deadlines may have changed. */
  deviceWritten = false;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly bus: Bus,
    private readonly watches: Watches,
  ) {}

  /** Data accesses from now on are the hart's, made with the views as they are now. */
  begin(hart: Hart): void {
    this.hart = hart;
    this.growths = this.memory.growths;
    this.stale = false;
  }

  /** The access raises an exception. */
  fail(cause: Cause, low: number, high: number): Result {
    this.fault.cause = cause;
    this.fault.low = low;
    this.fault.high = high;
    return Result.TRAP;
  }

  /** Physical address of an access within one page after all checks, or -1 with `fault` set. */
  private locate(low: number, high: number, size: number, access: Access, rights: Right): number {
    const { hart, context } = this;
    const physical = hart.mmu.translate(low, high, access, context, true);
    if (physical < 0) {
      this.fail(hart.mmu.fault, low, high);
      return -1;
    }
    if (hart.pmp.allows(physical, size, rights, context.privilege === Privilege.Machine)) return physical;
    this.fail(accessFault(access), low, high);
    return -1;
  }

  /** Were the views replaced since the loop fetched them? Then nothing may be written through them. */
  private grew(page: number): boolean {
    this.memory.ensure(page);
    return this.memory.growths !== this.growths;
  }

  /** Bytes that the write under way changes: found before it is made, for watches on changes. */
  private readonly changed = new Uint8Array(CACHE_BLOCK);

  /**
   * Before a value is written at `offset`: which bytes does it change? Of an access in two parts, `skip` bytes of the value come
   * before this one; the bytes of a cache block above the value's eight are zero.
   */
  compare(size: number, low: number, high: number, skip = 0, offset = this.offset): void {
    if (!this.watches.comparing) return;
    const { u8 } = this.memory;
    for (let i = skip; i < skip + size; i++) {
      const byte = i < 4 ? (low >>> (8 * i)) & 0xff : i < 8 ? (high >>> (8 * (i - 4))) & 0xff : 0;
      this.changed[i] = u8[offset + i - skip] === byte ? 0 : 1;
    }
  }

  private ended(low: number, high: number, size: number, write: boolean): Result {
    const address = pairToNumber(low, high);
    if (this.watches.hit(this.space, address, size, write, this.changed)) {
      this.watched = true;
      this.watchAddress = address;
      this.watchSize = size;
      this.watchWrite = write;
      return Result.LEAVE;
    }
    return this.stale ? Result.LEAVE : Result.DONE;
  }

  private pageWatched(low: number, high: number, write: boolean): boolean {
    return this.watches.overlaps(this.space, pairToNumber(low & ~0xfff, high), PAGE_SIZE, write);
  }

  /** `devices`: they may be read, too. */
  load(low: number, high: number, size: number, devices = true): Result {
    if ((low & 0xfff) + size > PAGE_SIZE) return this.loadAcross(low, high, size);
    const physical = this.locate(low, high, size, Access.LOAD, Right.READ);
    if (physical < 0) return Result.TRAP;
    this.physical = physical;
    const { memory } = this;
    if (!memory.contains(physical, size))
      return devices ? this.loadDevice(low, high, physical, size) : this.fail(accessFault(Access.LOAD), low, high);
    if (this.grew(memory.pageOf(physical))) return Result.RETRY;
    const offset = ramOffset(physical);
    this.offset = offset;
    this.take(offset, size);
    if (this.hart.pmp.uniform(physical - (physical % PAGE_SIZE)) && !this.pageWatched(low, high, false))
      this.hart.translations.fillRead(low, high, offset - (offset % PAGE_SIZE));
    return this.ended(low, high, size, false);
  }

  private take(offset: number, size: number): void {
    const { u8 } = this.memory;
    let [low, high] = [0, 0];
    for (let i = 0; i < size; i++)
      if (i < 4) low |= u8[offset + i]! << (8 * i);
      else high |= u8[offset + i]! << (8 * (i - 4));
    this.low = low;
    this.high = high;
  }

  private loadDevice(low: number, high: number, physical: number, size: number): Result {
    // The walk may have touched a table where the memory had not grown yet.
    if (this.memory.growths !== this.growths) return Result.RETRY;
    const value = this.bus.read(physical, size);
    if (value === undefined) return this.fail(accessFault(Access.LOAD), low, high);
    this.low = Number(BigInt.asIntN(32, value));
    this.high = Number(BigInt.asIntN(32, value >> 32n));
    return this.ended(low, high, size, false);
  }

  /** Bytes of an access that lie in its first page, and the address its second part starts at (`nextLow`, `nextHigh`). */
  private split(low: number, high: number): number {
    this.nextLow = ((low & ~0xfff) + PAGE_SIZE) | 0;
    this.nextHigh = this.nextLow === 0 ? (high + 1) | 0 : high;
    return PAGE_SIZE - (low & 0xfff);
  }
  private nextLow = 0;
  private nextHigh = 0;

  /** Memory offsets of both parts of an access across pages, checked; RETRY and TRAP as for the whole. */
  private locateAcross(low: number, high: number, size: number, access: Access, right: Right): Result {
    const first = this.split(low, high);
    const a = this.locate(low, high, first, access, right);
    if (a < 0) return Result.TRAP;
    const b = this.locate(this.nextLow, this.nextHigh, size - first, access, right);
    if (b < 0) return Result.TRAP;
    const { memory } = this;
    // Devices take no misaligned access.
    if (!memory.contains(a, first)) return this.fail(accessFault(access), low, high);
    if (!memory.contains(b, size - first)) return this.fail(accessFault(access), this.nextLow, this.nextHigh);
    if (this.grew(memory.pageOf(a)) || this.grew(memory.pageOf(b))) return Result.RETRY;
    this.firstSize = first;
    this.firstAt = a;
    this.secondAt = b;
    return Result.DONE;
  }
  private firstSize = 0;
  private firstAt = 0;
  private secondAt = 0;

  private loadAcross(low: number, high: number, size: number): Result {
    const result = this.locateAcross(low, high, size, Access.LOAD, Right.READ);
    if (result !== Result.DONE) return result;
    const first = this.firstSize;
    this.take(ramOffset(this.secondAt), size - first);
    const rest = this.low;
    const restHigh = this.high;
    this.take(ramOffset(this.firstAt), first);
    // Puts the second part behind the first: `first` is 1 … 7 bytes.
    const bits = 8 * first;
    if (bits >= 32) this.high |= bits === 32 ? rest : rest << (bits - 32);
    else {
      this.high |= (restHigh << bits) | (rest >>> (32 - bits));
      this.low |= rest << bits;
    }
    if (size < 8) this.high = 0;
    return this.ended(low, high, size, false);
  }

  /**
   * Makes ready to write `size` bytes within one page of RAM: afterwards they may be written at `offset`. The read right is
   * asked for too when `read` (AMOs). Devices: access fault.
   */
  prepare(low: number, high: number, size: number, read: boolean): Result {
    const rights = read ? Right.READ | Right.WRITE : Right.WRITE;
    const physical = this.locate(low, high, size, Access.STORE, rights as Right);
    if (physical < 0) return Result.TRAP;
    const { memory } = this;
    this.physical = physical;
    if (!memory.contains(physical, size)) return this.fail(accessFault(Access.STORE), low, high);
    const page = memory.pageOf(physical);
    if (this.grew(page)) return Result.RETRY;
    this.offset = ramOffset(physical);
    memory.beforeWrite(page, physical % PAGE_SIZE, (physical % PAGE_SIZE) + size);
    return Result.DONE;
  }

  store(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    if ((low & 0xfff) + size > PAGE_SIZE) return this.storeAcross(low, high, size, valueLow, valueHigh);
    const result = this.prepare(low, high, size, false);
    if (result === Result.TRAP && this.fault.cause === accessFault(Access.STORE))
      return this.storeDevice(low, high, size, valueLow, valueHigh);
    if (result !== Result.DONE) return result;
    this.compare(size, valueLow, valueHigh);
    this.put(this.offset, size, valueLow, valueHigh);
    this.keep(low, high, true);
    return this.ended(low, high, size, true);
  }

  /** After a store that `prepare` made ready: the next one to the page, or after an AMO the next load from it, finds it translated. */
  keep(low: number, high: number, write: boolean): void {
    const { hart, memory, offset, physical } = this;
    const marks = memory.marks[memory.pageOf(physical)]!;
    // A store to a table took the marks from the tables that this translation comes from: it can't be kept.
    if (this.stale || marks & Mark.TABLE) return;
    if (!hart.pmp.uniform(physical - (physical % PAGE_SIZE)) || this.pageWatched(low, high, write)) return;
    const page = offset - (offset % PAGE_SIZE);
    if (write) hart.translations.fillWrite(low, high, page, marks !== 0);
    else hart.translations.fillRead(low, high, page);
  }

  private put(offset: number, size: number, low: number, high: number): void {
    const { u8 } = this.memory;
    for (let i = 0; i < size; i++) u8[offset + i] = i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4));
  }

  /** A store that found no RAM: a device's, or the access fault it came with. */
  private storeDevice(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    const physical = this.locate(low, high, size, Access.STORE, Right.WRITE);
    if (physical < 0) return Result.TRAP;
    if (this.memory.growths !== this.growths) return Result.RETRY;
    const value = (BigInt(valueHigh >>> 0) << 32n) | BigInt(valueLow >>> 0);
    if (!this.bus.write(physical, size, BigInt.asUintN(8 * size, value)))
      return this.fail(accessFault(Access.STORE), low, high);
    this.deviceWritten = true;
    this.stale = true;
    return this.ended(low, high, size, true);
  }

  private storeAcross(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    const result = this.locateAcross(low, high, size, Access.STORE, Right.WRITE);
    if (result !== Result.DONE) return result;
    const { memory, firstAt, secondAt, firstSize } = this;
    const page = memory.pageOf(firstAt);
    memory.beforeWrite(page, firstAt % PAGE_SIZE, PAGE_SIZE);
    memory.beforeWrite(memory.pageOf(secondAt), 0, size - firstSize);
    this.compare(firstSize, valueLow, valueHigh, 0, ramOffset(firstAt));
    this.compare(size - firstSize, valueLow, valueHigh, firstSize, ramOffset(secondAt));
    const { u8 } = memory;
    for (let i = 0; i < size; i++) {
      const at = i < firstSize ? ramOffset(firstAt) + i : ramOffset(secondAt) + i - firstSize;
      u8[at] = i < 4 ? valueLow >>> (8 * i) : valueHigh >>> (8 * (i - 4));
    }
    return this.ended(low, high, size, true);
  }

  /**
   * May a cache-block operation touch the block that an address lies in? One that writes is checked like a store; a management
   * operation may where a load or a store may. Faults are those of a store, with the address as given (CMO extensions, "Traps").
   */
  cacheBlock(low: number, high: number, writes: boolean): Result {
    const start = low & -CACHE_BLOCK;
    let physical = writes ? -1 : this.locate(start, high, CACHE_BLOCK, Access.LOAD, Right.READ);
    if (physical < 0) physical = this.locate(start, high, CACHE_BLOCK, Access.STORE, Right.WRITE);
    if (physical < 0) return this.fail(this.fault.cause, low, high);
    if (!this.memory.contains(physical, CACHE_BLOCK)) return this.fail(accessFault(Access.STORE), low, high);
    return this.grew(this.memory.pageOf(physical)) ? Result.RETRY : Result.DONE;
  }

  /** Zeroes the block that an address lies in, with all checks of a store; a fault names the address as given. */
  zeroBlock(low: number, high: number): Result {
    const start = low & -CACHE_BLOCK;
    const ready = this.prepare(start, high, CACHE_BLOCK, false);
    if (ready === Result.TRAP) return this.fail(this.fault.cause, low, high);
    if (ready !== Result.DONE) return ready;
    this.compare(CACHE_BLOCK, 0, 0);
    this.memory.u8.fill(0, this.offset, this.offset + CACHE_BLOCK);
    return this.ended(start, high, CACHE_BLOCK, true);
  }

  /** After it did: watches. */
  accessed(low: number, high: number, size: number, read: boolean): Result {
    const result = this.ended(low, high, size, true);
    return read && !this.watched ? this.ended(low, high, size, false) : result;
  }
}
