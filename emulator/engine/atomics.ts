/**
 * The A extension: load-reserved, store-conditional and the AMOs (unprivileged specification, chapter "A"). An address must be
 * naturally aligned; the reservation covers the bytes that were loaded and ends with any store-conditional, trap or xRET.
 */
import { HartWord } from '../machine/layout';
import type { Hart } from '../hart/hart';
import { Cause } from '../hart/types';
import type { PhysicalMemory } from '../machine/memory';
import type { DataAccess } from './access';
import { Result } from './types';

/** Is an address no multiple of the size? */
const misaligned = (low: number, size: number): boolean => (low & (size - 1)) !== 0;

export class Atomics {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly access: DataAccess,
  ) {}

  /** LR: the value is in `access.low` and `high`. */
  loadReserved(hart: Hart, low: number, high: number, size: number): Result {
    const { access } = this;
    if (misaligned(low, size)) return access.fail(Cause.LoadAddressMisaligned, low, high);
    // Reservations exist in RAM only: a device answers with an access fault.
    const result = access.load(low, high, size, false);
    if (result >= Result.TRAP) return result;
    hart.reservation = access.physical;
    hart.words[HartWord.RESERVATION_SIZE] = size;
    return result;
  }

  /** SC: what rd gets, 0 or 1, is in `access.low`. */
  storeConditional(hart: Hart, low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    const { access } = this;
    if (misaligned(low, size)) return access.fail(Cause.StoreAddressMisaligned, low, high);
    const reserved = hart.reservation;
    if (reserved < 0) return this.failed(hart);
    const ready = access.prepare(low, high, size, false);
    if (ready !== Result.DONE) return ready;
    if (access.physical !== reserved || hart.words[HartWord.RESERVATION_SIZE] !== size) return this.failed(hart);
    this.put(size, valueLow, valueHigh);
    access.keep(low, high, true);
    hart.reservation = -1;
    access.low = 0;
    access.high = 0;
    return access.accessed(low, high, size, false);
  }

  private failed(hart: Hart): Result {
    hart.reservation = -1;
    this.access.low = 1;
    this.access.high = 0;
    return this.access.stale ? Result.LEAVE : Result.DONE;
  }

  private put(size: number, low: number, high: number): void {
    this.access.compare(size, low, high);
    const at = this.access.offset / 4;
    this.memory.i32[at] = low;
    if (size === 8) this.memory.i32[at + 1] = high;
  }

  /** The first half of an AMO: all checks, and the old value, zero-extended, in `access.low` and `high`. */
  amoLoad(low: number, high: number, size: number): Result {
    const { access } = this;
    if (misaligned(low, size)) return access.fail(Cause.StoreAddressMisaligned, low, high);
    const ready = access.prepare(low, high, size, true);
    if (ready !== Result.DONE) return ready;
    const at = access.offset / 4;
    access.low = this.memory.i32[at]!;
    access.high = size === 8 ? this.memory.i32[at + 1]! : 0;
    return Result.DONE;
  }

  /** The second half: stores where the first half has looked. */
  amoStore(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    this.put(size, valueLow, valueHigh);
    this.access.keep(low, high, false);
    this.access.keep(low, high, true);
    return this.access.accessed(low, high, size, true);
  }
}
