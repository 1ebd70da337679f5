/**
 * Branded numbers. An address travels as a JavaScript number holding the *signed* 64-bit value: every canonical Sv39/Sv48
 * address is exact that way (kernel addresses are negative), and a value that is not canonical keeps a magnitude above 2^47,
 * so that it still faults.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** A virtual address, signed. */
export type VirtualAddress = Branded<'VirtualAddress'>;
/** A physical address, below 2^56. */
export type PhysicalAddress = Branded<'PhysicalAddress'>;
/** A position in time: one executed instruction is one tick, a personality's step costs at least one. */
export type Tick = Branded<'Tick'>;
/**
 * An address space: the physical page number of its root page table, as satp.PPN names it. The number of a root that was freed
 * comes up again for another space.
 */
export type Space = Branded<'Space'>;

export const va = (value: number): VirtualAddress => value as VirtualAddress;
export const pa = (value: number): PhysicalAddress => value as PhysicalAddress;
export const tick = (value: number): Tick => value as Tick;
export const space = (rootPage: number): Space => rootPage as Space;

/** No address space: addresses are physical, in M-mode and where satp says Bare. */
export const NO_SPACE = space(-1);

export const PAGE_SIZE = 4096;
