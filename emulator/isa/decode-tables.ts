// The rows compiled into what the decoder works on: flat arrays of numbers. The build makes them (engine/generate.ts), because to read the
// rows' notation takes longer than a short program runs; when a program runs, only tools that need a row itself read it again.
import { Op } from './op';
import { BASE_ROWS, ROWS } from './rows';
import { readEncoding, readOperands, Slot, type Pattern, type Row } from './row';

/** A constant that an expansion puts into a slot, such as rs1 = sp. */
interface Fixed {
  readonly slot: Slot;
  readonly value: number;
}

/** A row made ready for decoding. */
export interface Compiled {
  readonly row: Row;
  readonly pattern: Pattern;
  readonly fixed: readonly Fixed[];
}

const REGISTERS: Readonly<Record<string, number>> = { zero: 0, ra: 1, sp: 2 };

/** Slot of an operand name of a base row: `frs1` and `rs1` are the same slot. */
function slotOf(name: string, fields: ReadonlyMap<string, Slot>): Slot | undefined {
  const bare = name.replace(/^pc\+/, '').replace(/\[.*/, '');
  return fields.get(bare) ?? fields.get(bare.replace(/^f/, ''));
}

/** Matches the operands of an expansion with those of the base row; says which field goes where and what is constant. */
function expand(row: Row): { pattern: Pattern; fixed: Fixed[] } {
  const own = readEncoding(row.encoding);
  const [mnemonic, operands = ''] = row.expansion!.split(' ');
  const base = BASE_ROWS.find((candidate) => candidate.mnemonic === mnemonic);
  if (!base || base.op !== row.op) throw new Error(`${row.mnemonic}: no base row for "${row.expansion}"`);
  const baseFields = readEncoding(base.encoding).fields;
  const names = readOperands(base.operands);
  const values = readOperands(operands);
  if (names.length !== values.length) throw new Error(`${row.mnemonic}: "${row.expansion}" lacks operands`);
  const pieces: Pattern['pieces'][number][] = [];
  const fixed: Fixed[] = [];
  names.forEach((name, i) => {
    const slot = slotOf(name, baseFields);
    if (slot === undefined) return; // punctuation
    const value = values[i]!;
    const from = own.fields.get(value);
    if (from === undefined) return void fixed.push({ slot, value: REGISTERS[value] ?? Number(value) });
    pieces.push(...own.pieces.filter((piece) => piece.slot === from).map((piece) => ({ ...piece, slot })));
    if (value.endsWith("'")) fixed.push({ slot, value: 8 });
  });
  return { pattern: { ...own, pieces }, fixed: fixed.filter(({ value }) => value !== 0) };
}

let compiled: readonly Compiled[] | undefined;
/** The rows, compiled, in the order of ROWS. */
export const compiledRows = (): readonly Compiled[] =>
  (compiled ??= ROWS.map((row) =>
    row.expansion === undefined ? { row, pattern: readEncoding(row.encoding), fixed: [] } : { row, ...expand(row) },
  ));

/** Bits of a word of 32 bits that may tell its rows apart, beside the opcode: funct7 and funct3. */
const FUNCTIONS = 0xfe007000 | 0;

/** A word of any length is looked for among the rows of its class: its opcode, or the quadrant and funct3 of a compressed one. */
export const CLASSES = 64;
export const classOf = (bits: number): number =>
  (bits & 3) === 3 ? (bits >>> 2) & 31 : 32 | (bits & 3) | ((bits >>> 11) & 28);

/** Everything that the decoder knows, by row number unless said otherwise. */
export interface DecodeTables {
  readonly masks: readonly number[];
  readonly matches: readonly number[];
  readonly ops: readonly number[];
  /** To shift the immediate left and, with its sign, back. */
  readonly signShifts: readonly number[];
  /** Runs of quadruples (slot, from, mask, to); a constant has mask 0 and its value in place of `from`. */
  readonly moves: readonly number[];
  /** Where a row's run begins in `moves`; one more than there are rows. */
  readonly moveStarts: readonly number[];
  /** By row of 16 bits, if it has any: triples (from, mask, value) of what must not be. */
  readonly forbidden: Readonly<Record<number, readonly number[]>>;
  /** Rows of 16 bits whose immediate must not be zero: the bits that it consists of. */
  readonly nonzero: Readonly<Record<number, number>>;
  /** By class: numbers of its rows, in the order of ROWS. */
  readonly candidates: readonly (readonly number[])[];
  /** By class of 32 bits: which of funct7 and funct3 tell its rows apart. */
  readonly keys: readonly number[];
  /** By operation: which of rd, rs1, rs2, rs3 name a register of which file; two bits for each: 1 x, 2 f. */
  readonly registers: readonly number[];
}

const FIELDS = ['rd', 'rs1', 'rs2', 'rs3'];
function namedRegisters(): number[] {
  const named = new Array<number>(Op.COUNT).fill(0);
  for (const { op, operands } of BASE_ROWS)
    for (const name of readOperands(operands)) {
      const at = FIELDS.indexOf(name.replace(/^f(?=r[ds])/, ''));
      if (at >= 0) named[op]! |= (name.startsWith('f') ? 2 : 1) << (2 * at);
    }
  return named;
}

const ones = (width: number): number => 2 ** width - 1;

export function decodeTables(): DecodeTables {
  const rows = compiledRows();
  const moves: number[] = [];
  const moveStarts = [0];
  for (const { pattern, fixed } of rows) {
    for (const { slot, from, width, to } of pattern.pieces) moves.push(slot, from, ones(width), to);
    for (const { slot, value } of fixed) moves.push(slot, value, 0, 0);
    moveStarts.push(moves.length);
  }
  const candidates = Array.from({ length: CLASSES }, (): number[] => []);
  const keys = new Array<number>(CLASSES / 2).fill(0);
  rows.forEach(({ pattern: { bits, mask, match } }, index) => {
    if (bits === 32) keys[classOf(match)]! |= mask & FUNCTIONS;
    for (let at = 0; at < CLASSES; at++) {
      const [length, bitsOf, classBits] =
        at < 32 ? [32, (at << 2) | 3, 0x7f] : [16, (at & 3) | ((at & 28) << 11), 0xe003];
      if (bits === length && ((bitsOf ^ match) & mask & classBits) === 0) candidates[at]!.push(index);
    }
  });
  const short = [...rows.entries()].filter(([, { pattern }]) => pattern.bits === 16);
  return {
    masks: rows.map(({ pattern }) => pattern.mask | 0),
    matches: rows.map(({ pattern }) => pattern.match | 0),
    ops: rows.map(({ row }) => row.op),
    signShifts: rows.map(({ pattern }) => (pattern.signBit < 0 ? 0 : 31 - pattern.signBit)),
    moves,
    moveStarts,
    forbidden: Object.fromEntries(
      short
        .filter(([, { pattern }]) => pattern.forbidden.length > 0)
        .map(([index, { pattern }]) => [
          index,
          pattern.forbidden.flatMap(({ from, width, value }) => [from, ones(width), value]),
        ]),
    ),
    nonzero: Object.fromEntries(
      short.filter(([, { pattern }]) => pattern.nonzero).map(([index, { pattern }]) => [index, immediateBits(pattern)]),
    ),
    candidates,
    keys,
    registers: namedRegisters(),
  };
}

const immediateBits = ({ pieces }: Pattern): number =>
  pieces.reduce((bits, { slot, from, width }) => (slot === Slot.IMM ? bits | (ones(width) << from) : bits), 0);
