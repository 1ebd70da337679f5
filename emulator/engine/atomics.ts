/**
 * The A extension: load-reserved, store-conditional and the AMOs (unprivileged specification, chapter "A"). An address must be
 * naturally aligned; the reservation covers the bytes that were loaded and ends with any store-conditional, trap or xRET.
 */
import { Op } from '../isa/op';
import { HartWord } from '../machine/layout';
import type { Hart } from '../hart/hart';
import { Cause } from '../hart/types';
import type { PhysicalMemory } from '../machine/memory';
import type { DataAccess } from './access';
import { Result } from './types';

const below = (al: number, ah: number, bl: number, bh: number): boolean => (ah === bh ? al >>> 0 < bl >>> 0 : ah < bh);
const belowUnsigned = (al: number, ah: number, bl: number, bh: number): boolean =>
  ah === bh ? al >>> 0 < bl >>> 0 : ah >>> 0 < bh >>> 0;

export class Atomics {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly access: DataAccess,
  ) {}

  /** An address must be a multiple of the size. */
  private misaligned(low: number, high: number, size: number, cause: Cause): boolean {
    if ((low & (size - 1)) === 0) return false;
    const { fault } = this.access;
    fault.cause = cause;
    fault.low = low;
    fault.high = high;
    return true;
  }

  /** LR: the value is in `access.low` and `high`. */
  loadReserved(hart: Hart, low: number, high: number, size: number): Result {
    if (this.misaligned(low, high, size, Cause.LoadAddressMisaligned)) return Result.TRAP;
    const { access } = this;
    // Reservations exist in RAM only: a device answers with an access fault.
    const result = access.load(low, high, size);
    if (result >= Result.TRAP) return result;
    if (!this.memory.contains(access.physical, size)) {
      access.fault.cause = Cause.LoadAccessFault;
      access.fault.low = low;
      access.fault.high = high;
      return Result.TRAP;
    }
    hart.reservation = access.physical;
    hart.words[HartWord.RESERVATION_SIZE] = size;
    return result;
  }

  /** SC: what rd gets, 0 or 1, is in `access.low`. */
  storeConditional(hart: Hart, low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    if (this.misaligned(low, high, size, Cause.StoreAddressMisaligned)) return Result.TRAP;
    const { access } = this;
    const reserved = hart.reservation;
    if (reserved < 0) return this.failed(hart);
    const ready = access.prepare(low, high, size, false);
    if (ready !== Result.DONE) return ready;
    if (access.physical !== reserved || hart.words[HartWord.RESERVATION_SIZE] !== size) return this.failed(hart);
    this.put(size, valueLow, valueHigh);
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
    if (this.misaligned(low, high, size, Cause.StoreAddressMisaligned)) return Result.TRAP;
    const { access } = this;
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
    return this.access.accessed(low, high, size, true);
  }

  /** Executes one; `rd` and `rs…` are word offsets in the hart's state. */
  execute(hart: Hart, op: Op, rd: number, rs1: number, rs2: number): Result {
    const { words } = hart;
    const double = op >= Op.LR_D;
    const size = double ? 8 : 4;
    const base = double ? op - Op.LR_D + Op.LR_W : op;
    const low = words[rs1]!;
    const high = words[rs1 + 1]!;
    const { access } = this;
    if (base === Op.LR_W || base === Op.SC_W) {
      const result =
        base === Op.LR_W
          ? this.loadReserved(hart, low, high, size)
          : this.storeConditional(hart, low, high, size, words[rs2]!, words[rs2 + 1]!);
      if (result >= Result.TRAP) return result;
      words[rd] = access.low;
      words[rd + 1] = size === 8 ? access.high : access.low >> 31;
      return result;
    }
    const ready = this.amoLoad(low, high, size);
    if (ready !== Result.DONE) return ready;
    const oldLow = access.low;
    const oldHigh = double ? access.high : oldLow >> 31;
    const sourceLow = words[rs2]!;
    const sourceHigh = double ? words[rs2 + 1]! : sourceLow >> 31;
    this.combine(base, oldLow, oldHigh, sourceLow, sourceHigh, double);
    words[rd] = oldLow;
    words[rd + 1] = oldHigh;
    return this.amoStore(low, high, size, this.low, this.high);
  }
  private low = 0;
  private high = 0;

  private combine(op: Op, al: number, ah: number, bl: number, bh: number, double: boolean): void {
    let [low, high] = [bl, bh];
    let takeOld = false;
    switch (op) {
      case Op.AMOADD_W:
        low = (al + bl) | 0;
        high = (ah + bh + (low >>> 0 < al >>> 0 ? 1 : 0)) | 0;
        break;
      case Op.AMOXOR_W:
        [low, high] = [al ^ bl, ah ^ bh];
        break;
      case Op.AMOAND_W:
        [low, high] = [al & bl, ah & bh];
        break;
      case Op.AMOOR_W:
        [low, high] = [al | bl, ah | bh];
        break;
      case Op.AMOMIN_W:
        takeOld = below(al, ah, bl, bh);
        break;
      case Op.AMOMAX_W:
        takeOld = below(bl, bh, al, ah);
        break;
      case Op.AMOMINU_W:
        takeOld = double ? belowUnsigned(al, ah, bl, bh) : al >>> 0 < bl >>> 0;
        break;
      case Op.AMOMAXU_W:
        takeOld = double ? belowUnsigned(bl, bh, al, ah) : bl >>> 0 < al >>> 0;
        break;
    }
    this.low = takeOld ? al : low;
    this.high = takeOld ? ah : high;
  }
}
