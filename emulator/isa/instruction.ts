import { Op } from './op';

/**
 * A decoded instruction, filled in place by `decode` so that predecoding allocates nothing.
 * Fields that the instruction does not have are 0. Register numbers are 0..31; whether they name an x or an f register
 * follows from the operation.
 */
export interface Instruction {
  op: Op;
  /** Bytes the encoding takes: 2 when it was compressed. */
  length: 2 | 4;
  rd: number;
  /** Source register 1, or the 5-bit zimm of csrrwi, csrrsi, csrrci and fli. */
  rs1: number;
  rs2: number;
  rs3: number;
  /** The rm field as encoded, 0..7: reserved values (5, 6) and DYN (7) are for the execution to judge. */
  rm: number;
  /**
   * int32. The sign-extended immediate (for lui and auipc already shifted left by 12), the shift amount, the CSR number
   * of the Zicsr instructions, or fm << 8 | pred << 4 | succ of fence.
   */
  imm: number;
  /** aq << 1 | rl of the atomic instructions. */
  aqrl: number;
}

/** A fresh record for `decode` to fill. */
export function newInstruction(): Instruction {
  return { op: Op.ILLEGAL, length: 4, rd: 0, rs1: 0, rs2: 0, rs3: 0, rm: 0, imm: 0, aqrl: 0 };
}
