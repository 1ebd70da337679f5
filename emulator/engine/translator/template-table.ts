/** How templates are numbered: what the build (make-templates.ts) and a process (templates.ts) have to agree on. */
import { Csr } from '../../hart/csr-numbers';
import type { Instruction } from '../../isa/instruction';

/** What a template is besides its body. `row`: it has none, the row's own function does the instruction. */
export type Control = 'none' | 'branch' | 'jal' | 'jalr' | 'row';

/** What of an instruction, beside its operation, decides which template is its. */
export const enum Selects {
  NOTHING = 0,
  /** The rounding mode: rm, where DYN is what frm is taken to say. */
  ROUNDING,
  /** The number in rs1 (fli). */
  NUMBER,
  /** The CSR, of fflags, frm and fcsr, and whether rs1, or the zimm in its place, is 0; all other CSRs are one. */
  CSR,
  /** Whether rs1 and rs2 are the same register (fmv, fneg and fabs are sign injections). */
  SAME,
}
/** How many there are to select from. */
export const SELECTIONS: Readonly<Record<Selects, number>> = {
  [Selects.NOTHING]: 1,
  [Selects.ROUNDING]: 5,
  [Selects.NUMBER]: 32,
  [Selects.CSR]: 7,
  [Selects.SAME]: 2,
};
const DYNAMIC = 7;
/** Of a CSR that is no part of fcsr. */
export const OTHER_CSR = 6;

/** The fields that decide. */
export type Selecting = Pick<Instruction, 'rm' | 'rs1' | 'rs2' | 'imm'>;

/** Which selection an instruction makes while frm says this; of the reserved rounding modes one that does not exist. */
export function selectionOf(selects: Selects, { rm, rs1, rs2, imm }: Selecting, frm: number): number {
  switch (selects) {
    case Selects.NOTHING:
      return 0;
    case Selects.ROUNDING:
      return rm === DYNAMIC ? frm : rm;
    case Selects.NUMBER:
      return rs1;
    case Selects.CSR:
      return imm < Csr.FFLAGS || imm > Csr.FCSR ? OTHER_CSR : 2 * (imm - Csr.FFLAGS) + (rs1 === 0 ? 0 : 1);
    case Selects.SAME:
      return rs1 === rs2 ? 1 : 0;
  }
}

/** Variants of a template: fflags.NX is known to be set; there is an operator that multiplies and adds with one rounding. */
export const VARIANTS = 4;
export const variantOf = (inexact: boolean, fused: boolean): number => (inexact ? 1 : 0) + (fused ? 2 : 0);

/**
 * The first line of the table as JSON: for each operation what selects, then the number of the line behind it for each selection and
 * variant (selection * VARIANTS + variant), -1 for none.
 */
export type TemplateIndex = Readonly<Record<number, readonly number[]>>;

/** What of fcsr an instruction may change so that assumptions don't hold behind it: bits of flags cleared, frm. */
export const enum Changes {
  NOTHING = 0,
  FLAGS = 1,
  ROUNDING = 2,
}

/** A line: control, usesFloat, changes, names of called functions, body, operand; the last two as trees (codec.ts). */
export type TemplateLine = readonly [Control, boolean, Changes, readonly string[], unknown, unknown];
