// Zicboz: zeroing a cache block (unprivileged manual, "Cache Management Operations").
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZICBOZ: readonly Row[] = [
  { op: Op.CBO_ZERO, mnemonic: 'cbo.zero', encoding: '000000000100 rs1 010 00000 0001111', operands: '(rs1)',
    semantics: 'if (!enabledBelow(CBZE)) { illegal() } zeroBlock(rs1)' },
];
