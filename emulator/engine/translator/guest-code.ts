/** Code as discovery reads it (code-reader.ts): through the exec translations of one bank, the code cache and the live regions. */
import type { Instruction } from '../../isa/instruction';
import { Area, Bank } from '../../machine/layout';
import type { PhysicalMemory } from '../../machine/memory';
import { PAGE_SIZE, type VirtualAddress } from '../../units';
import type { CodeCache } from '../code-cache';
import { Pseudo, RECORD_SHIFT } from '../record';
import { highWord, lowWord } from '../../hart/registers';
import type { CodeReader } from './code-reader';
import type { JumpProfile } from './jump-profile';
import type { Regions } from './regions';
import { pageOf } from './segment';
import { templateOf } from './templates';

export class GuestCode implements CodeReader {
  /** The block that a page of RAM is executed from. */
  private readonly blocks = new Map<number, number>();

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly code: CodeCache,
    private readonly regions: Regions,
    private readonly profile: JumpProfile,
    /** Word offset in the memory of the bank of translations. */
    private readonly bank: number,
  ) {}

  pageAt(address: VirtualAddress): number | undefined {
    const { i32 } = this.memory;
    const low = lowWord(address);
    const entry = this.bank + Bank.EXEC + ((low >>> 10) & Bank.EXEC_INDEX);
    if (i32[entry] !== low || i32[entry + 1] !== highWord(address)) return undefined;
    const block = i32[entry + 2]!;
    const page = this.code.placeOf(block)?.page;
    if (page !== undefined) this.blocks.set(page, block);
    return page;
  }

  private handler(page: number, offset: number): number {
    return this.memory.u16[(this.blocks.get(page)! + (offset << RECORD_SHIFT)) >> 1]!;
  }

  halfword(page: number, offset: number): number {
    return this.memory.u16[(Area.RAM + page * PAGE_SIZE + offset) >> 1]!;
  }

  wasExecuted(page: number, offset: number): boolean {
    return this.handler(page, offset) !== (Pseudo.UNDECODED as number);
  }

  isStop(page: number, offset: number): boolean {
    return this.handler(page, offset) === (Pseudo.STOP as number);
  }

  beginsRegion(page: number, offset: number): boolean {
    return this.regions.beginsAt(page, offset);
  }

  targets(pc: VirtualAddress): readonly VirtualAddress[] {
    const address = pageOf(pc);
    const page = this.pageAt(address);
    return page === undefined ? [] : this.profile.targets({ page, offset: pc - address });
  }

  translates(instruction: Readonly<Instruction>): boolean {
    return templateOf(instruction, false) !== undefined;
  }
}
