/**
 * What the tests of this folder need to know of a row, read off the row: the kind of thing it does (from its semantics), which register
 * file each field names (from its operands), and its bits with given fields. Knows no instruction by name, so that a new row is
 * tested without a change here.
 */
import { decode, rowOf } from '../../emulator/isa/decode';
import { encode } from '../../emulator/isa/encode';
import { newInstruction, type Instruction } from '../../emulator/isa/instruction';
import { readEncoding, readOperands, type Pattern, type Row } from '../../emulator/isa/row';
import { BASE_ROWS, ROWS } from '../../emulator/isa/rows';
import type { Width } from './values';

export type Kind =
  | 'plain'
  | 'branch'
  | 'jump'
  | 'jumpRegister'
  | 'load'
  | 'store'
  | 'reserve'
  | 'conditional'
  | 'atomic'
  | 'csr'
  | 'block'
  | 'fence'
  /** Traps, returns, waits: what a user program can't survive. */
  | 'system';

export type Source = 'rs1' | 'rs2' | 'rs3';

export interface Shape {
  readonly row: Row;
  /** The row that says what a compressed row means, or the row itself. */
  readonly base: Row;
  readonly pattern: Pattern;
  readonly kind: Kind;
  /** Register file of the result, if there is one. */
  readonly result: 'x' | 'f' | undefined;
  /** Registers that are read, with their files. */
  readonly sources: readonly { readonly field: Source; readonly file: 'x' | 'f' }[];
  /** Formats that floating-point operands have; empty when there are none. */
  readonly widths: readonly Width[];
  readonly rounds: boolean;
  /** Bytes of a memory access, 0 for none. */
  readonly size: number;
}

const OF_OPERATION = new Map(BASE_ROWS.map((row) => [row.op, row]));

const SIGNS: readonly (readonly [RegExp, Kind])[] = [
  [/\b(returnFromTrap|wait|fenceTranslations|trap)\(/, 'system'],
  [/\b(read|write)Csr\(/, 'csr'],
  [/\bloadReserved/, 'reserve'],
  [/\bstoreConditional/, 'conditional'],
  [/\bamoLoad/, 'atomic'],
  [/\b(cacheBlock|zeroBlock)\(/, 'block'],
  [/\bfenceInstructions\(/, 'fence'],
  [/\bload\d+\(/, 'load'],
  [/\bstore\d+\(/, 'store'],
];

function kindOf(base: Row): Kind {
  const text = base.semantics ?? '';
  if (/\bjump\(/.test(text))
    return !base.operands.includes('pc+imm') ? 'jumpRegister' : base.operands.startsWith('rd') ? 'jump' : 'branch';
  return SIGNS.find(([sign]) => sign.test(text))?.[1] ?? 'plain';
}

const WIDTHS: Readonly<Record<string, Width>> = { h: 16, s: 32, d: 64 };

/** Formats in a mnemonic: `fcvt.s.d` has two. The operands of a row can't say more than that they are f registers. */
function widthsOf(base: Row): Width[] {
  if (!/\bfr(d|s[123])\b/.test(base.operands)) return [];
  const named = base.mnemonic
    .split('.')
    .slice(1)
    .filter((part) => /^[hsd]$/.test(part));
  return named.length > 0 ? named.map((part) => WIDTHS[part]!) : [16, 32, 64];
}

/** Shapes of rows by kind are asked for in loops: made once. */
function shapeOf(row: Row): Shape {
  const base = row.expansion === undefined ? row : OF_OPERATION.get(row.op)!;
  const names = readOperands(base.operands).filter((name) => /^f?r(d|s[123])$/.test(name));
  const fileOf = (name: string): 'x' | 'f' => (name.startsWith('f') ? 'f' : 'x');
  const result = names.find((name) => name.endsWith('rd'));
  const bits = /(?:load|store|loadReserved|storeConditional|amoLoad)(8|16|32|64)\(/.exec(base.semantics ?? '');
  return {
    row,
    base,
    pattern: readEncoding(row.encoding),
    kind: kindOf(base),
    result: result === undefined ? undefined : fileOf(result),
    sources: names
      .filter((name) => !name.endsWith('rd'))
      .map((name) => ({ field: name.replace(/^f/, '') as Source, file: fileOf(name) })),
    widths: widthsOf(base),
    rounds: readOperands(base.operands).includes('rm'),
    size: bits === null ? 0 : Number(bits[1]) / 8,
  };
}

export const SHAPES: readonly Shape[] = ROWS.map(shapeOf);

/** A decoded word with its bits. */
export interface Word {
  readonly bits: number;
  readonly fields: Readonly<Instruction>;
}

/** The word of a row with these fields, or undefined when the encoding is another row's or reserved. */
export function wordOf(shape: Shape, fields: Parameters<typeof encode>[1]): Word | undefined {
  const bits = encode(shape.row, fields);
  if (rowOf(bits)?.row !== shape.row) return undefined;
  const decoded = newInstruction();
  decode(bits, decoded);
  return { bits, fields: decoded };
}

/** Bytes of a word. */
export const lengthOf = (bits: number): 2 | 4 => ((bits & 3) === 3 ? 4 : 2);
