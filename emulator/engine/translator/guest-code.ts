/** Code as discovery reads it (code-reader.ts): through the exec translations of one bank, the code cache and the live regions. */
import type { Instruction } from '../../isa/instruction';
import { Area, Bank } from '../../machine/layout';
import type { PhysicalMemory } from '../../machine/memory';
import { PAGE_SIZE, va, type VirtualAddress } from '../../units';
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
  /** A page that is known without the translations, and its block. */
  private known: { readonly address: VirtualAddress; readonly block: number } | undefined;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly code: CodeCache,
    private readonly regions: Regions,
    private readonly profile: JumpProfile,
    /** Word offset in the memory of the bank of translations. */
    private readonly bank: number,
    private readonly frm: number,
  ) {}

  /** The page of an address was executed from a block, whatever the translations say by now. */
  executed(address: VirtualAddress, block: number): void {
    this.known = { address, block };
  }

  pageAt(address: VirtualAddress): number | undefined {
    const block = this.known?.address === address ? this.known.block : this.translated(address);
    const page = block === undefined ? undefined : this.code.placeOf(block)?.page;
    if (page !== undefined) this.blocks.set(page, block!);
    return page;
  }

  private translated(address: VirtualAddress): number | undefined {
    const { i32 } = this.memory;
    const low = lowWord(address);
    const entry = this.bank + Bank.EXEC + ((low >>> 10) & Bank.EXEC_INDEX);
    return i32[entry] === low && i32[entry + 1] === highWord(address) ? i32[entry + 2]! : undefined;
  }

  /** Can the instruction at an offset of a page of this address not be seen for now: is a stop there, or its second half in a page that nothing translates? */
  hides(address: VirtualAddress, page: number, offset: number): boolean {
    return (
      this.isStop(page, offset) || (offset === PAGE_SIZE - 2 && this.pageAt(va(address + PAGE_SIZE)) === undefined)
    );
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
    return templateOf(instruction, false, false, this.frm) !== undefined;
  }
}
