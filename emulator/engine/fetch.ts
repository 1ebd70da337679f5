/**
 * From a pc to decoded code: translation for execution, PMP, stops. Fills the exec translations. Instructions that can't be served
 * from a page's block (across pages, behind a stop, in a page that PMP covers in part) are put into the single block.
 */
import type { Hart } from '../hart/hart';
import { Access, type TranslationContext } from '../hart/mmu';
import { Right } from '../hart/pmp';
import { pairToNumber } from '../hart/registers';
import { Cause, Privilege } from '../hart/types';
import { ramOffset, type PhysicalMemory } from '../machine/memory';
import type { Stops } from '../machine/stops';
import { PAGE_SIZE } from '../units';
import type { CodeCache } from './code-cache';
import type { Fault } from './types';

/** Instead of a block. */
export const FETCH_FAULT = -1;
/** The views were replaced: fetch them anew, then resolve again. */
export const FETCH_RETRY = -2;

export class Fetch {
  readonly context: TranslationContext = { privilege: Privilege.Machine, sum: false, mxr: false };
  /** Root of the space the pc is translated by, -1 for none. */
  space = -1;
  private hart!: Hart;
  private growths = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly code: CodeCache,
    private readonly stops: Stops,
    private readonly fault: Fault,
  ) {}

  begin(hart: Hart): void {
    this.hart = hart;
    this.growths = this.memory.growths;
  }

  private fail(cause: Cause, low: number, high: number): typeof FETCH_FAULT {
    this.fault.cause = cause;
    this.fault.low = low;
    this.fault.high = high;
    return FETCH_FAULT;
  }

  /** The block for the page of a pc, the single one, or one of the codes above. */
  resolve(low: number, high: number): number {
    const { hart, memory, context, code } = this;
    const physical = hart.mmu.translate(low, high, Access.FETCH, context, true);
    if (physical < 0) return this.fail(hart.mmu.fault, low, high);
    const start = physical - (physical % PAGE_SIZE);
    if (!memory.contains(start, PAGE_SIZE) || !hart.pmp.uniform(start)) return this.alone(low, high);
    if (!hart.pmp.allows(start, PAGE_SIZE, Right.EXEC, context.privilege === Privilege.Machine))
      return this.fail(Cause.InstructionAccessFault, low, high);
    const page = memory.pageOf(start);
    memory.ensure(page);
    const virtualPage = Math.floor(pairToNumber(low, high) / PAGE_SIZE);
    const stops = this.stops.inPage(this.space, virtualPage);
    const block = stops ? code.stoppedBlockFor(page, this.space, virtualPage, stops) : code.blockFor(page);
    hart.translations.fillExec(low, high, block);
    return this.moved() ? FETCH_RETRY : block;
  }

  private moved(): boolean {
    return this.memory.growths !== this.growths;
  }

  /** The instruction at a pc of a page that has no block; a stop there shows too. */
  private alone(low: number, high: number): number {
    const stops = this.stops.inPage(this.space, Math.floor(pairToNumber(low, high) / PAGE_SIZE));
    if (!stops?.has(low & 0xfff)) return this.single(low, high);
    return this.code.singleStop();
  }

  /** Puts the instruction at a pc into the single block, each half checked by itself. */
  single(low: number, high: number): number {
    const first = this.half(low, high);
    if (first < 0) return first;
    let bits = first;
    if ((first & 3) === 3) {
      const nextLow = (low + 2) | 0;
      const second = this.half(nextLow, nextLow === 0 ? (high + 1) | 0 : high);
      if (second < 0) return second;
      bits |= second << 16;
    }
    return this.code.single(bits);
  }

  private half(low: number, high: number): number {
    const { hart, memory, context } = this;
    const physical = hart.mmu.translate(low, high, Access.FETCH, context, true);
    if (physical < 0) return this.fail(hart.mmu.fault, low, high);
    if (!hart.pmp.allows(physical, 2, Right.EXEC, context.privilege === Privilege.Machine))
      return this.fail(Cause.InstructionAccessFault, low, high);
    if (!memory.contains(physical, 2))
      return memory.fetchOutside(physical) ?? this.fail(Cause.InstructionAccessFault, low, high);
    memory.ensure(memory.pageOf(physical));
    return this.moved() ? FETCH_RETRY : memory.u16[ramOffset(physical) / 2]!;
  }
}
