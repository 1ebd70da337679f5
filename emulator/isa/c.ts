// C: the compressed instructions of RV64 with F and D (unprivileged manual, chapter "C", tables of quadrants 0 to 2).
// Each row names the base instruction it stands for, with its operands in the order of that instruction's own row.
// Encodings the manual calls reserved match no row; encodings it calls HINTs match theirs (c.nop and c.addi with any immediate,
// c.slli by 0, rd = x0 where the result would be discarded), because a HINT executes as the base instruction.
import { Op } from './op';
import type { Row } from './row';

/** Rows are tried in order: c.addi16sp stands before c.lui, c.jr, c.ebreak and c.jalr before c.mv and c.add. */
// prettier-ignore
export const C: readonly Row[] = [
  // Quadrant 0
  { op: Op.ADDI, mnemonic: 'c.addi4spn', encoding: "000 nzuimm[5:4|9:6|2|3] rd' 00", operands: "rd',sp,nzuimm", expansion: "addi rd',sp,nzuimm" },
  { op: Op.FLD, mnemonic: 'c.fld', encoding: "001 uimm[5:3] rs1' uimm[7:6] rd' 00", operands: "frd',uimm(rs1')", expansion: "fld rd',uimm(rs1')" },
  { op: Op.LW, mnemonic: 'c.lw', encoding: "010 uimm[5:3] rs1' uimm[2|6] rd' 00", operands: "rd',uimm(rs1')", expansion: "lw rd',uimm(rs1')" },
  { op: Op.LD, mnemonic: 'c.ld', encoding: "011 uimm[5:3] rs1' uimm[7:6] rd' 00", operands: "rd',uimm(rs1')", expansion: "ld rd',uimm(rs1')" },
  { op: Op.FSD, mnemonic: 'c.fsd', encoding: "101 uimm[5:3] rs1' uimm[7:6] rs2' 00", operands: "frs2',uimm(rs1')", expansion: "fsd rs2',uimm(rs1')" },
  { op: Op.SW, mnemonic: 'c.sw', encoding: "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", operands: "rs2',uimm(rs1')", expansion: "sw rs2',uimm(rs1')" },
  { op: Op.SD, mnemonic: 'c.sd', encoding: "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", operands: "rs2',uimm(rs1')", expansion: "sd rs2',uimm(rs1')" },
  // Quadrant 1
  { op: Op.ADDI, mnemonic: 'c.nop', encoding: '000 imm[5] 00000 imm[4:0] 01', operands: 'imm', expansion: 'addi zero,zero,imm' },
  { op: Op.ADDI, mnemonic: 'c.addi', encoding: '000 imm[5] rd imm[4:0] 01', operands: 'rd,imm', expansion: 'addi rd,rd,imm' },
  { op: Op.ADDIW, mnemonic: 'c.addiw', encoding: '001 imm[5] rd!=0 imm[4:0] 01', operands: 'rd,imm', expansion: 'addiw rd,rd,imm' },
  { op: Op.ADDI, mnemonic: 'c.li', encoding: '010 imm[5] rd imm[4:0] 01', operands: 'rd,imm', expansion: 'addi rd,zero,imm' },
  { op: Op.ADDI, mnemonic: 'c.addi16sp', encoding: '011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01', operands: 'sp,nzimm', expansion: 'addi sp,sp,nzimm' },
  { op: Op.LUI, mnemonic: 'c.lui', encoding: '011 nzimm[17] rd!=2 nzimm[16:12] 01', operands: 'rd,nzimm[31:12]', expansion: 'lui rd,nzimm' },
  { op: Op.SRLI, mnemonic: 'c.srli', encoding: "100 shamt[5] 00 rd' shamt[4:0] 01", operands: "rd',shamt", expansion: "srli rd',rd',shamt" },
  { op: Op.SRAI, mnemonic: 'c.srai', encoding: "100 shamt[5] 01 rd' shamt[4:0] 01", operands: "rd',shamt", expansion: "srai rd',rd',shamt" },
  { op: Op.ANDI, mnemonic: 'c.andi', encoding: "100 imm[5] 10 rd' imm[4:0] 01", operands: "rd',imm", expansion: "andi rd',rd',imm" },
  { op: Op.SUB, mnemonic: 'c.sub', encoding: "100 0 11 rd' 00 rs2' 01", operands: "rd',rs2'", expansion: "sub rd',rd',rs2'" },
  { op: Op.XOR, mnemonic: 'c.xor', encoding: "100 0 11 rd' 01 rs2' 01", operands: "rd',rs2'", expansion: "xor rd',rd',rs2'" },
  { op: Op.OR, mnemonic: 'c.or', encoding: "100 0 11 rd' 10 rs2' 01", operands: "rd',rs2'", expansion: "or rd',rd',rs2'" },
  { op: Op.AND, mnemonic: 'c.and', encoding: "100 0 11 rd' 11 rs2' 01", operands: "rd',rs2'", expansion: "and rd',rd',rs2'" },
  { op: Op.SUBW, mnemonic: 'c.subw', encoding: "100 1 11 rd' 00 rs2' 01", operands: "rd',rs2'", expansion: "subw rd',rd',rs2'" },
  { op: Op.ADDW, mnemonic: 'c.addw', encoding: "100 1 11 rd' 01 rs2' 01", operands: "rd',rs2'", expansion: "addw rd',rd',rs2'" },
  { op: Op.JAL, mnemonic: 'c.j', encoding: '101 imm[11|4|9:8|10|6|7|3:1|5] 01', operands: 'pc+imm', expansion: 'jal zero,imm' },
  { op: Op.BEQ, mnemonic: 'c.beqz', encoding: "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", operands: "rs1',pc+imm", expansion: "beq rs1',zero,imm" },
  { op: Op.BNE, mnemonic: 'c.bnez', encoding: "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", operands: "rs1',pc+imm", expansion: "bne rs1',zero,imm" },
  // Quadrant 2
  { op: Op.SLLI, mnemonic: 'c.slli', encoding: '000 shamt[5] rd shamt[4:0] 10', operands: 'rd,shamt', expansion: 'slli rd,rd,shamt' },
  { op: Op.FLD, mnemonic: 'c.fldsp', encoding: '001 uimm[5] rd uimm[4:3|8:6] 10', operands: 'frd,uimm(sp)', expansion: 'fld rd,uimm(sp)' },
  { op: Op.LW, mnemonic: 'c.lwsp', encoding: '010 uimm[5] rd!=0 uimm[4:2|7:6] 10', operands: 'rd,uimm(sp)', expansion: 'lw rd,uimm(sp)' },
  { op: Op.LD, mnemonic: 'c.ldsp', encoding: '011 uimm[5] rd!=0 uimm[4:3|8:6] 10', operands: 'rd,uimm(sp)', expansion: 'ld rd,uimm(sp)' },
  { op: Op.JALR, mnemonic: 'c.jr', encoding: '100 0 rs1!=0 00000 10', operands: 'rs1', expansion: 'jalr zero,0(rs1)' },
  { op: Op.ADD, mnemonic: 'c.mv', encoding: '100 0 rd rs2!=0 10', operands: 'rd,rs2', expansion: 'add rd,zero,rs2' },
  { op: Op.EBREAK, mnemonic: 'c.ebreak', encoding: '100 1 00000 00000 10', operands: '', expansion: 'ebreak' },
  { op: Op.JALR, mnemonic: 'c.jalr', encoding: '100 1 rs1!=0 00000 10', operands: 'rs1', expansion: 'jalr ra,0(rs1)' },
  { op: Op.ADD, mnemonic: 'c.add', encoding: '100 1 rd rs2!=0 10', operands: 'rd,rs2', expansion: 'add rd,rd,rs2' },
  { op: Op.FSD, mnemonic: 'c.fsdsp', encoding: '101 uimm[5:3|8:6] rs2 10', operands: 'frs2,uimm(sp)', expansion: 'fsd rs2,uimm(sp)' },
  { op: Op.SW, mnemonic: 'c.swsp', encoding: '110 uimm[5:2|7:6] rs2 10', operands: 'rs2,uimm(sp)', expansion: 'sw rs2,uimm(sp)' },
  { op: Op.SD, mnemonic: 'c.sdsp', encoding: '111 uimm[5:3|8:6] rs2 10', operands: 'rs2,uimm(sp)', expansion: 'sd rs2,uimm(sp)' },
];
