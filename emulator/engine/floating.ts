/**
 * F and D at the engine's side: loads and stores with NaN boxing, the dynamic rounding mode, mstatus.FS, accrued flags.
 * Unprivileged specification, chapters "F" and "D"; privileged specification, "Extension Context Status in mstatus".
 * The arithmetic itself is float/'s.
 */
import { Status } from '../hart/csr';
import type { Hart } from '../hart/hart';
import { Op } from '../isa/op';
import { hartOffset, HartWord } from '../machine/layout';
import type { PhysicalMemory } from '../machine/memory';
import type { DataAccess } from './access';
import { FloatUnit } from './float/unit';
import { Result } from './types';

const DYN = 7;
const LAST_MODE = 4;
/** `execute` answers this where the instruction is illegal. */
export const ILLEGAL = -1;

/** Results in an x register: these leave FS as it is unless they raise a flag. */
function writesX(op: Op): boolean {
  return (op >= Op.FCVT_W_S && op <= Op.FCLASS_S) || (op >= Op.FEQ_D && op <= Op.FMV_X_D);
}

export class FloatInstructions {
  private readonly unit = new FloatUnit();
  private words!: Int32Array;
  private boundHart = -1;
  private boundGrowths = -1;

  constructor(private readonly memory: PhysicalMemory) {}

  begin(hart: Hart): void {
    this.words = hart.words;
    if (this.boundHart === hart.id && this.boundGrowths === this.memory.growths) return;
    this.boundHart = hart.id;
    this.boundGrowths = this.memory.growths;
    const offset = hartOffset(hart.id);
    this.unit.rebind(this.memory.buffer, offset + 4 * HartWord.F, offset + 4 * HartWord.X);
  }

  /**
   * Operand fields as code.ts lays them out. ILLEGAL with FS off or a reserved rounding mode; nothing has changed then.
   */
  execute(
    access: DataAccess,
    op: Op,
    rd: number,
    rs1: number,
    rs2: number,
    immediate: number,
  ): Result | typeof ILLEGAL {
    const { words, unit } = this;
    if ((words[HartWord.MSTATUS]! & Status.FS) === 0) return ILLEGAL;
    if (op === Op.FLW || op === Op.FLD) return this.load(access, op === Op.FLD ? 8 : 4, rd, rs1, immediate);
    if (op === Op.FSW || op === Op.FSD) return this.store(access, op === Op.FSD ? 8 : 4, rs2, rs1, immediate);
    let mode = immediate >> 8;
    if (mode === DYN) mode = (words[HartWord.FCSR]! >> 5) & 7;
    if (mode > LAST_MODE) return ILLEGAL;
    unit.flags = 0;
    unit.execute(op, rd, rs1, rs2, immediate & 31, mode);
    if (unit.flags !== 0) words[HartWord.FCSR]! |= unit.flags;
    else if (writesX(op)) return Result.DONE;
    words[HartWord.MSTATUS]! |= Status.FS;
    return Result.DONE;
  }

  private lowAddress(rs1: number, immediate: number): number {
    return (this.words[rs1]! + immediate) | 0;
  }
  private highAddress(rs1: number, immediate: number, low: number): number {
    return (this.words[rs1 + 1]! + (immediate >> 31) + (low >>> 0 < this.words[rs1]! >>> 0 ? 1 : 0)) | 0;
  }

  private load(access: DataAccess, size: number, rd: number, rs1: number, immediate: number): Result {
    const low = this.lowAddress(rs1, immediate);
    const result = access.loadCached(low, this.highAddress(rs1, immediate, low), size);
    if (result >= Result.TRAP) return result;
    const { words } = this;
    words[HartWord.F + rd] = access.low;
    words[HartWord.F + rd + 1] = size === 8 ? access.high : -1;
    words[HartWord.MSTATUS]! |= Status.FS;
    return result;
  }

  private store(access: DataAccess, size: number, rs2: number, rs1: number, immediate: number): Result {
    const low = this.lowAddress(rs1, immediate);
    const { words } = this;
    return access.storeCached(
      low,
      this.highAddress(rs1, immediate, low),
      size,
      words[HartWord.F + rs2]!,
      words[HartWord.F + rs2 + 1]!,
    );
  }
}
