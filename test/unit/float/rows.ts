/**
 * The floating-point rows as functions of the row language, so that every backend that compiles the library can run them without a
 * machine around: `frd = add64(frs1, frs2, rm)` becomes `fn fadd_d(frs1: i64, frs2: i64, rm: i32) -> i64 { return … }`.
 */
import { parseLibrary } from '../../../emulator/isa/language/check';
import type { Library } from '../../../emulator/isa/language/ir';
import { LIBRARY_TEXTS } from '../../../emulator/isa/library/library';
import type { Row } from '../../../emulator/isa/row';
import { BASE_ROWS } from '../../../emulator/isa/rows';
import { ZFA } from '../../../emulator/isa/zfa';

const MEANING = /^f?rd = (?!.*\bload)(.*)$/;
const usesFloat = ({ operands }: Row): boolean => /(^|,)f(rd|rs[123])/.test(operands);

/** Every instruction of F, D, Zfh and Zfa but loads and stores. */
export const FLOAT_ROWS: readonly Row[] = BASE_ROWS.filter(
  (row) => usesFloat(row) && MEANING.test(row.semantics ?? ''),
);

/** Those that qemu-riscv64 7.2 has too. */
export const QEMU_ROWS: readonly Row[] = FLOAT_ROWS.filter((row) => !ZFA.includes(row));

export const functionName = ({ mnemonic }: Row): string => mnemonic.replaceAll('.', '_');

/** Names in the meaning of a row that are operands, in the order of the function's parameters. */
export function parametersOf({ semantics }: Row): string[] {
  const used = new Set(semantics!.match(/\b(f?rs[123]|rm|zimm)\b/g));
  return ['rs1', 'frs1', 'frs2', 'frs3', 'zimm', 'rm'].filter((name) => used.has(name));
}

function functionText(row: Row): string {
  const parameters = parametersOf(row).map((name) => `${name}: ${name === 'rm' ? 'i32' : 'i64'}`);
  return `fn ${functionName(row)}(${parameters.join(', ')}) -> i64 { return ${MEANING.exec(row.semantics!)![1]}; }`;
}

/** The library of the rows, and a function for each floating-point row. */
export const FLOAT_LIBRARY: Library = parseLibrary([
  ...LIBRARY_TEXTS,
  { title: 'floating-point rows', text: FLOAT_ROWS.map(functionText).join('\n') },
]);
