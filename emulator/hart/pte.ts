/** Bits of a page table entry (privileged specification, "Sv39"); bits 8 and 9 are left to software. */
export const enum Pte {
  V = 1,
  R = 2,
  W = 4,
  X = 8,
  U = 16,
  G = 32,
  A = 64,
  D = 128,
}
