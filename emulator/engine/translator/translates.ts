/** Which instructions regions are made of: those with a template, and some that rows' own functions do for them. */
import type { Instruction } from '../../isa/instruction';
import { Csr } from '../../hart/csr-numbers';
import { Op } from '../../isa/op';
import { templateOf } from './templates';

/** Rows that have no template but whose own functions regions call: they take nothing away from under it. */
const CALLED_ROWS: ReadonlySet<Op> = new Set([
  ...[Op.LR_W, Op.LR_D, Op.SC_W, Op.SC_D],
  ...[Op.CBO_CLEAN, Op.CBO_FLUSH, Op.CBO_INVAL, Op.CBO_ZERO],
]);
const COUNTERS: ReadonlySet<number> = new Set([Csr.CYCLE, Csr.TIME, Csr.INSTRET]);

/** Can the instruction be part of a region? */
export function translates(instruction: Readonly<Instruction>): boolean {
  const { op, rs1, imm } = instruction;
  if (templateOf(instruction, false) !== undefined || CALLED_ROWS.has(op)) return true;
  return op === Op.CSRRS && rs1 === 0 && COUNTERS.has(imm);
}
