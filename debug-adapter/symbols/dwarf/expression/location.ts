/** Where a value is, as a DWARF expression says it (DWARF 5, section 2.6). Plain data. */

export type SimpleLocation =
  | { readonly kind: 'memory'; readonly address: bigint }
  /** A DWARF register number: 0-31 are x0-x31, 32-63 are f0-f31. */
  | { readonly kind: 'register'; readonly register: number }
  /** The value itself, which is nowhere and cannot be written. */
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Piece {
  readonly location: SimpleLocation;
  /** Which bits of the location belong to the value, counted from its bit 0. */
  readonly bitOffset: number;
  readonly bitSize: number;
}

export type Location = SimpleLocation | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] };

export const OPTIMISED_OUT = 'optimised out';

export const unavailable = (reason: string): SimpleLocation => ({ kind: 'unavailable', reason });
