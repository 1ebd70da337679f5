// Zicbom: cache-block management (unprivileged manual, "Cache Management Operations").
// Memory is coherent here, and stores reach it at once: what is left of clean, flush and invalidate are their checks. That the
// levels below M may not be let do it, or only flush where they invalidate, is in menvcfg and senvcfg (library/cache-blocks.ts).
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZICBOM: readonly Row[] = [
  { op: Op.CBO_CLEAN, mnemonic: 'cbo.clean', encoding: '000000000001 rs1 010 00000 0001111', operands: '(rs1)',
    semantics: 'if (!enabledBelow(CBCFE)) { illegal() } cacheBlock(rs1, false)' },
  { op: Op.CBO_FLUSH, mnemonic: 'cbo.flush', encoding: '000000000010 rs1 010 00000 0001111', operands: '(rs1)',
    semantics: 'if (!enabledBelow(CBCFE)) { illegal() } cacheBlock(rs1, false)' },
  { op: Op.CBO_INVAL, mnemonic: 'cbo.inval', encoding: '000000000000 rs1 010 00000 0001111', operands: '(rs1)',
    semantics: 'if (!enabledBelow(CBIE)) { illegal() } cacheBlock(rs1, false)' },
];
