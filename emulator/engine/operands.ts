/**
 * Which registers the fields of an operation name, and whether it jumps by a distance: read from the rows' operands, for predecoding.
 */
import { Op } from '../isa/op';
import { BASE_ROWS } from '../isa/rows';
import { readOperands } from '../isa/row';

/** Bits of an entry of `OPERANDS`. */
export const enum Operands {
  /** The field names an f register. */
  F_RD = 1,
  F_RS1 = 2,
  F_RS2 = 4,
  F_RS3 = 8,
  /** The immediate is a distance from the pc to a target of a jump. */
  RELATIVE = 16,
}

const BITS: Readonly<Record<string, number>> = {
  frd: Operands.F_RD,
  frs1: Operands.F_RS1,
  frs2: Operands.F_RS2,
  frs3: Operands.F_RS3,
  'pc+imm': Operands.RELATIVE,
};

/** By operation. */
export const OPERANDS = new Uint8Array(Op.COUNT);
for (const { op, operands } of BASE_ROWS) for (const name of readOperands(operands)) OPERANDS[op]! |= BITS[name] ?? 0;
