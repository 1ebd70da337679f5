// Instruction words as text, in the style of GNU objdump with `-M no-aliases`: what the encoding is, not what it is for.
// Made from the rows. Must never throw, whatever the bits.
import { csrName } from './csr';
import { decode, rowOf } from './decode';
import { compiledRows, type Compiled } from './decode-tables';
import { newInstruction, type Instruction } from './instruction';
import { readOperands } from './row';

/** ABI names of x0..x31 (RISC-V psABI, "Integer Register Convention"). */
export const X_NAMES: readonly string[] = (
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 ' + 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'
).split(' ');

/** ABI names of f0..f31 (RISC-V psABI, "Floating-point Register Convention"). */
export const F_NAMES: readonly string[] = (
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 ' +
  'fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'
).split(' ');

const ROUNDING = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'unknown', 'unknown', 'dyn'];
const DYN = 7;
/** The constants of fli, which the number in zimm selects (unprivileged manual, "Zfa", the table of immediate values). */
const FLI_VALUES: readonly string[] = [
  ...['-1', 'min', ...[-16, -15, -8, -7, -4, -3].map((exponent) => String(2 ** exponent))],
  ...'0.25 0.3125 0.375 0.4375 0.5 0.625 0.75 0.875 1 1.25 1.5 1.75 2 2.5 3 4 8 16 128 256'.split(' '),
  ...['32768', '65536', 'inf', 'nan'],
];
const ORDERING = ['', '.rl', '.aq', '.aqrl'];
const DYNAMIC_ROUNDING = /,rm$/;

/**
 * What an operand name prints. The name is one of row.ts; anything else is printed as it stands.
 * A compressed row's register fields bear the names of the slots they expand into, so one reading serves both.
 */
function operand(name: string, insn: Instruction, address: number | bigint): string {
  switch (name.replace(/'$/, '')) {
    case 'rd':
      return X_NAMES[insn.rd]!;
    case 'rs1':
      return X_NAMES[insn.rs1]!;
    case 'rs2':
      return X_NAMES[insn.rs2]!;
    case 'frd':
      return F_NAMES[insn.rd]!;
    case 'frs1':
      return F_NAMES[insn.rs1]!;
    case 'frs2':
      return F_NAMES[insn.rs2]!;
    case 'frs3':
      return F_NAMES[insn.rs3]!;
    case 'rm':
      return ROUNDING[insn.rm]!;
    case 'zimm':
      return String(insn.rs1);
    case 'value':
      return FLI_VALUES[insn.rs1]!;
    case 'csr':
      return csrName(insn.imm);
    case 'pred':
      return fenceSet(insn.imm >> 4);
    case 'succ':
      return fenceSet(insn.imm);
    case 'shamt':
      return '0x' + insn.imm.toString(16);
    case 'imm[31:12]':
    case 'nzimm[31:12]':
      return '0x' + (insn.imm >>> 12).toString(16);
    case 'imm':
    case 'uimm':
    case 'nzimm':
    case 'nzuimm':
      return String(insn.imm);
    case 'pc+imm':
      return '0x' + BigInt.asUintN(64, BigInt(address) + BigInt(insn.imm)).toString(16);
    default:
      return name;
  }
}

/** The i/o/r/w letters of a fence's predecessor or successor set. */
function fenceSet(bits: number): string {
  const letters = ['i', 'o', 'r', 'w'].filter((_, i) => (bits >> (3 - i)) & 1).join('');
  return letters || 'unknown';
}

/** The operand list without a rounding mode that is left to frm: that is what the plain mnemonic means. */
function operandNames({ row }: Compiled, insn: Instruction): string[] {
  return readOperands(insn.rm === DYN ? row.operands.replace(DYNAMIC_ROUNDING, '') : row.operands);
}

/** The text of a row with the fields of a decoded instruction. */
function rowText(compiled: Compiled, insn: Instruction, address: number | bigint): string {
  const operands = operandNames(compiled, insn)
    .map((name) => operand(name, insn, address))
    .join('');
  const mnemonic = compiled.row.mnemonic + (compiled.pattern.fields.has('aq') ? ORDERING[insn.aqrl]! : '');
  return operands === '' ? mnemonic : `${mnemonic} ${operands}`;
}

/**
 * One instruction as text.
 * @param bits the word as uint32; of a compressed instruction only the low 16 bits count
 * @param address where it stands, for branch targets: a safe integer or a bigint
 * @returns the text, with one space behind the mnemonic, and the bytes the encoding takes; a word that is not defined
 *   comes back as `.4byte` or `.2byte`, the all-zero one as `c.unimp`
 */
export function disassemble(bits: number, address: number | bigint): { text: string; length: number } {
  const insn = newInstruction();
  decode(bits, insn);
  const compiled = rowOf(bits);
  const { length } = insn;
  return { text: compiled ? rowText(compiled, insn, address) : undefinedWord(bits, length), length };
}

/** A decoded instruction as the text of its base row: of a compressed one, what it expands to. */
export function baseText(insn: Instruction, address: number | bigint): string {
  const compiled = compiledRows().find(({ row }) => row.op === insn.op && row.mnemonic !== 'fence.tso');
  return compiled ? rowText(compiled, insn, address) : 'illegal';
}

function undefinedWord(bits: number, length: number): string {
  const value = length === 2 ? bits & 0xffff : bits >>> 0;
  return value === 0 ? 'c.unimp' : `.${length}byte 0x${value.toString(16)}`;
}
