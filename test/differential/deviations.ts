/** Where an oracle is known to be wrong. Each entry names what the specification says; what is listed is compared with the others only. */
import type { Case } from './cases';
import type { Shape } from './kinds';

interface Deviation {
  readonly mnemonic: string;
  readonly oracle: string;
  readonly why: string;
  /** Cases that it concerns. */
  readonly concerns: (made: Case) => boolean;
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    mnemonic: 'ctzw',
    oracle: 'qemu-riscv64',
    why: 'the manual ("Count trailing zero bits in word"): 32 when the word is 0, whatever stands above it; QEMU before 8.0 goes on counting',
    concerns: ({ x }) => [...x.values()].some((value) => (value & 0xffffffffn) === 0n),
  },
];

/** May random programs for this oracle use the row? */
export const deviates = (shape: Shape, oracle: string): boolean =>
  DEVIATIONS.some((entry) => entry.mnemonic === shape.row.mnemonic && entry.oracle === oracle);

/** Is a case one that the oracle is known to get wrong? */
export const excused = (made: Case, oracle: string): boolean =>
  DEVIATIONS.some(
    (entry) => entry.mnemonic === made.shape.row.mnemonic && entry.oracle === oracle && entry.concerns(made),
  );
