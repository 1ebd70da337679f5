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

  /** Executes one; `rd` and `rs…` are word offsets in the hart's state. */
  execute(hart: Hart, op: Op, rd: number, rs1: number, rs2: number): Result {
    const { words } = hart;
    const double = op >= Op.LR_D;
    const size = double ? 8 : 4;
    const base = double ? op - Op.LR_D + Op.LR_W : op;
    const low = words[rs1]!;
    const high = words[rs1 + 1]!;
    const { access } = this;
    if (low & (size - 1)) {
      access.fault.cause = base === Op.LR_W ? Cause.LoadAddressMisaligned : Cause.StoreAddressMisaligned;
      access.fault.low = low;
      access.fault.high = high;
      return Result.TRAP;
    }
    if (base === Op.LR_W) return this.loadReserved(hart, rd, low, high, size);
    if (base === Op.SC_W) return this.storeConditional(hart, rd, rs2, low, high, size);
    const ready = access.prepare(low, high, size, true);
    if (ready !== Result.DONE) return ready;
    const { i32 } = this.memory;
    const at = access.offset / 4;
    const oldLow = i32[at]!;
    const oldHigh = double ? i32[at + 1]! : oldLow >> 31;
    const sourceLow = words[rs2]!;
    const sourceHigh = double ? words[rs2 + 1]! : sourceLow >> 31;
    this.combine(base, oldLow, oldHigh, sourceLow, sourceHigh, double);
    i32[at] = this.low;
    if (double) i32[at + 1] = this.high;
    words[rd] = oldLow;
    words[rd + 1] = oldHigh;
    return access.accessed(low, high, size, true);
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

  private loadReserved(hart: Hart, rd: number, low: number, high: number, size: number): Result {
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
    hart.words[rd] = access.low;
    hart.words[rd + 1] = size === 8 ? access.high : access.low >> 31;
    hart.reservation = access.physical;
    hart.words[HartWord.RESERVATION_SIZE] = size;
    return result;
  }

  private storeConditional(hart: Hart, rd: number, rs2: number, low: number, high: number, size: number): Result {
    const { access } = this;
    const { words } = hart;
    const reserved = hart.reservation;
    if (reserved < 0) return this.failed(hart, rd);
    const ready = access.prepare(low, high, size, false);
    if (ready !== Result.DONE) return ready;
    if (access.physical !== reserved || words[HartWord.RESERVATION_SIZE] !== size) return this.failed(hart, rd);
    const at = access.offset / 4;
    this.memory.i32[at] = words[rs2]!;
    if (size === 8) this.memory.i32[at + 1] = words[rs2 + 1]!;
    hart.reservation = -1;
    words[rd] = 0;
    words[rd + 1] = 0;
    return access.accessed(low, high, size, false);
  }

  private failed(hart: Hart, rd: number): Result {
    hart.reservation = -1;
    hart.words[rd] = 1;
    hart.words[rd + 1] = 0;
    return this.access.stale ? Result.LEAVE : Result.DONE;
  }
}
