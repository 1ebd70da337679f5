/**
 * The corner cases of one row: its operands' corner values against each other, its immediates at their extremes, registers that
 * coincide, every rounding mode, flags clear and set. Made from the row alone.
 */
import { GP } from './batch';
import { wordOf, type Shape, type Word } from './kinds';
import type { Random } from './random';
import { FEW_INTEGERS, floats, INTEGERS, randomFloat, randomInteger } from './values';

export interface Case {
  readonly shape: Shape;
  readonly word: Word;
  /** Values by register; where two operands are one register they agree. */
  readonly x: ReadonlyMap<number, bigint>;
  readonly f: ReadonlyMap<number, bigint>;
  readonly frm: number;
  readonly fflags: number;
  /** Of an access to memory: how far its address lies behind a multiple of 16. */
  readonly within: number;
}

const MEMORY = new Set(['load', 'store', 'reserve', 'conditional', 'atomic', 'block']);
export const isMemory = (shape: Shape): boolean => MEMORY.has(shape.kind);
/** fflags, frm, fcsr. */
const FLOAT_CSRS = [1, 2, 3];
const MOST_PRODUCTS = 400;

/** Values for one source; `few` when there are others to combine it with. */
function valuesOf(shape: Shape, file: 'x' | 'f', few: boolean): readonly bigint[] {
  if (file === 'x') return few ? FEW_INTEGERS : INTEGERS;
  return [...new Set(shape.widths.flatMap((width) => floats(width, few)))];
}

/** Lists of operands, one value per source: all products while they are few, else a random choice of them. */
function products(shape: Shape, random: Random): bigint[][] {
  const lists = shape.sources.map(({ file }) => valuesOf(shape, file, shape.sources.length > 1));
  const total = lists.reduce((product, list) => product * list.length, 1);
  if (lists.length === 0) return [[]];
  if (total > MOST_PRODUCTS * 2)
    return Array.from({ length: MOST_PRODUCTS }, () => lists.map((list) => random.pick(list)));
  return Array.from({ length: total }, (_, index) => {
    let rest = index;
    return lists.map((list) => {
      const value = list[rest % list.length]!;
      rest = Math.floor(rest / list.length);
      return value;
    });
  });
}

/** The immediate's extremes as the encoding has room for them; [0] where there is none. */
function immediatesOf({ pattern, kind }: Shape): number[] {
  if (kind === 'csr') return FLOAT_CSRS;
  const pieces = pattern.pieces.filter((piece) => piece.to + piece.width <= 32 && isImmediate(piece.slot));
  if (pieces.length === 0) return [0];
  const all = pieces.reduce((bits, { width, to }) => bits | ((2 ** width - 1) << to), 0);
  const lowest = all & -all;
  const top = pattern.signBit >= 0 ? 1 << pattern.signBit : 0;
  const largest = all & ~top;
  return [...new Set([0, lowest, largest, all, top, all & 0x55555555, all & ~lowest])];
}

const IMMEDIATE_SLOT = 5;
const isImmediate = (slot: number): boolean => slot === IMMEDIATE_SLOT;

type Fields = { rd: number; rs1: number; rs2: number; rs3: number };
type Alias = (fields: Fields) => void;

/** How registers may coincide. */
const ALIASES: readonly Alias[] = [
  () => undefined,
  (fields) => (fields.rd = fields.rs1),
  (fields) => (fields.rd = fields.rs2),
  () => undefined,
  (fields) => (fields.rs2 = fields.rs1),
  (fields) => (fields.rd = fields.rs1 = fields.rs2),
  (fields) => (fields.rd = 0),
  (fields) => (fields.rs3 = fields.rs1),
  (fields) => (fields.rs1 = 0),
  (fields) => (fields.rs2 = 0),
];

/** Different registers, other ones for each case: 8 … 15 often, since those have compressed forms. */
function registers(random: Random, index: number): Fields {
  const from = index % 2 === 0 ? 8 : 0;
  const pool = Array.from({ length: index % 2 === 0 ? 8 : 32 }, (_, i) => from + i).filter((i) => i !== GP);
  const take = (): number => pool.splice(random.below(pool.length), 1)[0]!;
  const fields = { rd: take(), rs1: take(), rs2: take(), rs3: take() };
  ALIASES[index % ALIASES.length]!(fields);
  return fields;
}

const USES_FLOAT = 'f';
export const usesFloat = (shape: Shape): boolean =>
  shape.kind === 'csr' || shape.rounds || shape.result === USES_FLOAT || shape.sources.some(({ file }) => file === 'f');

function caseOf(
  shape: Shape,
  index: number,
  imm: number,
  operands: readonly bigint[],
  random: Random,
): Case | undefined {
  const frm = index % 5;
  const rm = shape.rounds && random.once(4) ? 7 : (index >> 1) % 5;
  let word: Word | undefined;
  for (let tries = 0; tries < 20 && word === undefined; tries++) {
    const found = wordOf(shape, { ...registers(random, index + tries), imm, rm, aqrl: index % 4 });
    // gp stays what it is, and is no base with an offset of its own.
    if (found && !(shape.result === 'x' && found.fields.rd === GP) && found.fields.rs1 !== GP) word = found;
  }
  if (word === undefined) return undefined;
  const [x, f] = [new Map<number, bigint>(), new Map<number, bigint>()];
  shape.sources.forEach(({ field, file }, i) => {
    const register = word.fields[field];
    if (file === 'x' && (register === 0 || register === GP)) return;
    const values = file === 'x' ? x : f;
    if (!values.has(register)) values.set(register, operands[i]!);
  });
  return { shape, word, x, f, frm, fflags: random.once(4) ? random.below(32) : 0, within: index % 16 };
}

/**
 * Cases of a row.
 * @param extra random operands besides the corners
 */
export function casesOf(shape: Shape, random: Random, extra: number): Case[] {
  const immediates = immediatesOf(shape);
  const operands = products(shape, random);
  for (let i = 0; i < extra && shape.sources.length > 0; i++)
    operands.push(shape.sources.map(({ file }) => (file === 'x' ? randomInteger(random) : randomFloat(random))));
  const cases: Case[] = [];
  operands.forEach((values, index) => {
    // With one list of operands each immediate meets each value; with products they take turns.
    const each = shape.sources.length <= 1 ? immediates : [immediates[index % immediates.length]!];
    for (const imm of each) {
      const made = caseOf(shape, cases.length, imm, values, random);
      if (made !== undefined) cases.push(made);
    }
  });
  if (cases.length === 0 && shape.sources.length === 0)
    for (const imm of immediates) {
      const made = caseOf(shape, cases.length, imm, [], random);
      if (made !== undefined) cases.push(made);
    }
  return shape.rounds && shape.sources.length === 1 ? cases.flatMap((made) => withRoundings(made)) : cases;
}

/** The case in every rounding mode. */
function withRoundings(made: Case): Case[] {
  const { rd, rs1, rs2, rs3 } = made.word.fields;
  return [0, 1, 2, 3, 4].map((rm) => ({ ...made, word: wordOf(made.shape, { rd, rs1, rs2, rs3, rm }) ?? made.word }));
}
