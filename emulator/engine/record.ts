/**
 * A decoded instruction as the engines read it: 16 bytes in the machine's memory, one for each halfword of a page of code, so that an
 * offset in the page times 8 is an offset in the page's block. Both engines read the same records (code-cache.ts writes them).
 *
 * Registers stand as their place among the hart's 64-bit slots: x0 … x31 are 0 … 31, f0 … f31 are 32 … 63 (machine/layout.ts), and
 * an rd of x0 is the slot that is never read.
 */

/** Byte offsets in a record. */
export const enum Field {
  /** uint16: what to do: an `Op`, an `Op` plus NEAR, or a `Pseudo`. 0: not decoded yet. */
  HANDLER = 0,
  /** uint8: bytes to the record of the next instruction: 8 times the instruction's length. */
  STRIDE = 2,
  /** uint8 each: slots. */
  RD = 3,
  RS1 = 4,
  RS2 = 5,
  RS3 = 6,
  /** uint8: the rm field as encoded. */
  RM = 7,
  /** int32, extended by its sign: the immediate. Of a NEAR jump the distance to the target's record in bytes. */
  IMMEDIATE = 8,
  /** uint16: place in the table of functions of the translated region that begins here (convention.ts); 0: none. */
  SLOT = 12,
  /** uint16: HOT minus the number of jumps to here after which the translator is told; counted up by the jumps. */
  HEAT = 14,
}

/** A HEAT that the translator is told of. */
export const HOT = 0x8000;

export const RECORD_BYTES = 16;
/** log2 of record bytes per byte of code. */
export const RECORD_SHIFT = 3;
/**
 * Behind the records of a page, and two behind its last halfword that say "next page", a block has a bit for each halfword of the page: may
 * the halfword be part of an instruction that was decoded, in any block of the page, or of a region? A store to other bytes changes no code.
 */
export const BITS = (2048 + 2) * RECORD_BYTES;
export const BLOCK_BYTES = BITS + 2048 / 8;
/** Slot of f0. */
export const F_SLOTS = 32;
/** Slot of a result for x0. */
export const DISCARD_SLOT = 66;
/** Added to the op of a relative jump whose target lies in the same page: no check of the page is needed. */
export const NEAR = 512;

/** Handlers of records that are no instruction. */
export const enum Pseudo {
  UNDECODED = 0,
  /** An encoding that is not defined. */
  ILLEGAL = 1020,
  NEXT_PAGE = 1021,
  /** A 32-bit instruction whose second half lies in the next page. */
  CROSSING = 1022,
  STOP = 1023,
}
/** Handler numbers are below this. */
export const HANDLERS = 1024;
