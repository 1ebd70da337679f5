// Zifencei: instruction-fetch fence. imm, rs1 and rd are ignored, as the manual asks of a simple implementation.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
// prettier-ignore
export const ZIFENCEI: readonly Row[] = [
  { op: Op.FENCE_I, mnemonic: 'fence.i', encoding: 'imm[11:0] rs1 001 rd 0001111', operands: '',
    semantics: 'fenceInstructions()' },
];
