/** What discovery of regions asks of the code cache and the translations: the code as it is executed in one address space now. */
import type { Instruction } from '../../isa/instruction';
import type { VirtualAddress } from '../../units';

export interface CodeReader {
  /**
   * The page of RAM that a page is executed from now, for code of it that was executed; undefined when none is known.
   * @param address of the page's first byte
   */
  pageAt(address: VirtualAddress): number | undefined;
  /** 16 bits of code. */
  halfword(page: number, offset: number): number;
  /** Was the instruction that begins there executed since it was written? */
  wasExecuted(page: number, offset: number): boolean;
  /** Must the instruction there be left to the interpreter, because a stop is armed at it? */
  isStop(page: number, offset: number): boolean;
  /** Does a region begin there? */
  beginsRegion(page: number, offset: number): boolean;
  /** Where the jalr at this address went to before, the likeliest first, as far as that is known. */
  targets(pc: VirtualAddress): readonly VirtualAddress[];
  /** Can the instruction be made into code of a region? One that can't ends its block. */
  translates(instruction: Readonly<Instruction>): boolean;
}
