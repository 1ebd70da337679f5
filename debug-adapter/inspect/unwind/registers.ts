/**
 * The registers of one frame by DWARF number (RISC-V psABI, "DWARF register numbers": 0 to 31 are x0 to x31, 32 to 63 are f0 to
 * f31). Values are unsigned 64-bit. What a frame's register held is often lost: then there is no value, never an old one.
 */

export const RA = 1;
export const SP = 2;
export const FP = 8;
export const F0 = 32;
export const REGISTERS = 64;

/** Registers that a call leaves as they are: gp, tp, s0 to s11, fs0 to fs11 (psABI, "Register convention"). */
export const PRESERVED: readonly number[] = [3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27].concat(
  [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27].map((register) => F0 + register),
);

/** Where a value is now, for who wants to change it. */
export type Home = { readonly register: number } | { readonly memory: bigint };

interface Known {
  readonly value: bigint;
  readonly home: Home | undefined;
}

export class RegisterSet {
  private readonly known = new Map<number, Known>();

  constructor(readonly pc: bigint) {}

  /** The registers of a stopped hart. `read` gives bits by DWARF number, undefined for what it does not have. */
  static ofHart(pc: bigint, read: (register: number) => bigint | undefined): RegisterSet {
    const set = new RegisterSet(BigInt.asUintN(64, pc));
    for (let register = 1; register < REGISTERS; register++) {
      const value = read(register);
      if (value !== undefined) set.set(register, value, { register });
    }
    return set;
  }

  /** The value of a register in this frame; undefined where it cannot be known. */
  get(register: number): bigint | undefined {
    return register === 0 ? 0n : this.known.get(register)?.value;
  }

  /** Where that value is kept; undefined where it is not kept but computed. */
  homeOf(register: number): Home | undefined {
    return this.known.get(register)?.home;
  }

  /** For the unwinder while it puts a set together. */
  set(register: number, value: bigint, home?: Home): void {
    this.known.set(register, { value: BigInt.asUintN(64, value), home });
  }

  /** Takes a register over from another frame, if it is known there. */
  copy(register: number, from: RegisterSet): void {
    const known = from.known.get(register);
    if (known) this.known.set(register, known);
  }
}
