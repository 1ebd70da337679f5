/**
 * A region: guest code that becomes one WebAssembly function. Plain data, found by discover.ts, put into nested form by structure.ts, made
 * into code by region-code.ts. It knows what its instructions are and where control goes, and nothing of WebAssembly.
 */
import type { Instruction } from '../../isa/instruction';
import type { VirtualAddress } from '../../units';

/** A page that a region has instructions in. */
export interface RegionPage {
  /** Where it is executed: the address of its first byte. */
  readonly address: VirtualAddress;
  /** Which page of RAM that is. */
  readonly page: number;
}

/** Where control goes: to a block of the region (its index), or out of it to an address. */
export type Edge = { readonly block: number } | { readonly pc: VirtualAddress };

export type BlockEnd =
  /** The last instruction is a conditional branch. */
  | { readonly kind: 'branch'; readonly taken: Edge; readonly next: Edge }
  /** The last instruction is a jal, or a jalr whose target follows from the block's instructions before it. */
  | { readonly kind: 'jump'; readonly to: Edge }
  /** The last instruction is no transfer of control. */
  | { readonly kind: 'next'; readonly to: Edge }
  /**
   * The last instruction is a jalr. `targets` are the blocks of the region that it is expected to go to (returns to known calls, targets
   * seen before), the likeliest first; anything else leaves the region.
   */
  | { readonly kind: 'indirect'; readonly targets: readonly { readonly pc: VirtualAddress; readonly block: number }[] }
  /** The instruction behind the last one is for the interpreter; there may be no last one. */
  | { readonly kind: 'interpret' };

/** Instructions of one page that are entered at the first one and left behind the last one only. */
export interface RegionBlock {
  /** Address of the first instruction. */
  readonly pc: VirtualAddress;
  /** Index in `Region.pages` of the page it lies in. */
  readonly page: number;
  /** Its only instruction lies across the end of that page: the index of the page that the second half is in. */
  readonly nextPage: number | undefined;
  readonly instructions: readonly Readonly<Instruction>[];
  readonly end: BlockEnd;
}

export interface Region {
  /** The entry's page first. */
  readonly pages: readonly RegionPage[];
  /** The entry first. Every block can be reached from it. */
  readonly blocks: readonly RegionBlock[];
}
