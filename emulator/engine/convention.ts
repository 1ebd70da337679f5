/**
 * How the interpreter's loop, translated regions and their host find one another: the one calling convention.
 *
 * A region is a function `(hart, bank, rest, block, page) -> RegionExit`: the byte addresses of the hart and of its selected bank of
 * translations, the number of instructions that may still be begun, the byte address of the block of records that the entry lies in, and
 * the address of the page. It is found by its place in the machine's one table of functions, its slot; the record of its first
 * instruction says the slot (Field.SLOT). When it comes back the hart's pc and Area.REST are set, whatever the answer. A region that goes on
 * in another one calls that as its own last act (return_call_indirect), so that the loop sees only the last answer.
 *
 * A region is translated under assumptions (`Variant`), which its first instructions check. Where one does not hold it calls the region
 * that Area.NEXT_SLOTS names for its slot, another variant of the same entry, or answers MISMATCH.
 */
import { HANDLERS } from './record';
import type { Signature } from './wasm/module';

export const REGION: Signature = { parameters: ['i32', 'i32', 'i32', 'i32', 'i64'], results: ['i32'] };
/** A row's own function: address of the hart, of the record, the pc; answers a Result (wasm/row-function.ts). */
export const ROW: Signature = { parameters: ['i32', 'i32', 'i64'], results: ['i32'] };
/** Parameters of a region. */
export const enum Parameter {
  HART = 0,
  BANK = 1,
  REST = 2,
  BLOCK = 3,
  PAGE = 4,
}

export const enum RegionExit {
  /** On to the pc, by any means; an entry there is hotter for it. */
  JUMP = 0,
  /** The instruction at the pc is for the interpreter; no entry is looked for there before. */
  INTERPRET = 1,
  /** As INTERPRET; the pc is the entry, whose assumptions don't hold. */
  MISMATCH = 2,
  /** What the loop holds may be out of date: it must be left; all instructions begun are done. */
  LEAVE = 3,
  /** The instruction at the pc, counted as begun, raised an exception. */
  TRAP = 4,
}

/** Slots of the table, 1 on; 0 is none. The table never grows: V8 11 keeps a copy of it for each instance, of which there are tens. */
export const SLOTS = 4096;
/** Behind the slots the table has the functions of rows (wasm/row-function.ts), by handler number. */
export const TABLE_PLACES = SLOTS + HANDLERS;

/** What a region's code takes for granted. The host says at Area.REGIME which of these hold. */
export const enum Regime {
  /** Addresses of loads are physical and need no check but that they lie in RAM: M-mode, no locked PMP entry, no watch. */
  DIRECT = 1,
}
