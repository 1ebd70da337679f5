// A: load-reserved/store-conditional and atomic memory operations.
import { Op } from './op';
import type { Row } from './row';

/** The rows, in the order of the manual's listing. */
export const A: readonly Row[] = [
  { op: Op.LR_W, mnemonic: 'lr.w', encoding: '00010 aq rl 00000 rs1 010 rd 0101111', operands: 'rd,(rs1)' },
  { op: Op.SC_W, mnemonic: 'sc.w', encoding: '00011 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOSWAP_W, mnemonic: 'amoswap.w', encoding: '00001 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOADD_W, mnemonic: 'amoadd.w', encoding: '00000 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOXOR_W, mnemonic: 'amoxor.w', encoding: '00100 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOAND_W, mnemonic: 'amoand.w', encoding: '01100 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOOR_W, mnemonic: 'amoor.w', encoding: '01000 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMIN_W, mnemonic: 'amomin.w', encoding: '10000 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMAX_W, mnemonic: 'amomax.w', encoding: '10100 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMINU_W, mnemonic: 'amominu.w', encoding: '11000 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMAXU_W, mnemonic: 'amomaxu.w', encoding: '11100 aq rl rs2 rs1 010 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.LR_D, mnemonic: 'lr.d', encoding: '00010 aq rl 00000 rs1 011 rd 0101111', operands: 'rd,(rs1)' },
  { op: Op.SC_D, mnemonic: 'sc.d', encoding: '00011 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOSWAP_D, mnemonic: 'amoswap.d', encoding: '00001 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOADD_D, mnemonic: 'amoadd.d', encoding: '00000 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOXOR_D, mnemonic: 'amoxor.d', encoding: '00100 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOAND_D, mnemonic: 'amoand.d', encoding: '01100 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOOR_D, mnemonic: 'amoor.d', encoding: '01000 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMIN_D, mnemonic: 'amomin.d', encoding: '10000 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMAX_D, mnemonic: 'amomax.d', encoding: '10100 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMINU_D, mnemonic: 'amominu.d', encoding: '11000 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
  { op: Op.AMOMAXU_D, mnemonic: 'amomaxu.d', encoding: '11100 aq rl rs2 rs1 011 rd 0101111', operands: 'rd,rs2,(rs1)' },
];
