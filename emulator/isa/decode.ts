// From bits to an operation, driven by the rows and nothing else.
// The rows are compiled at load into flat arrays: an index that narrows a word to a few candidates (by opcode, funct3 and
// funct7; a compressed one by all its bits; made as words are met), and per row the runs of bits to move. Decoding allocates nothing else.
// Must never throw: whatever is not defined, or reserved, is ILLEGAL.
import type { Instruction } from './instruction';
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
  /** Row number in ROWS. */
  readonly index: number;
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

/** The rows, compiled, in the order of ROWS. */
export const COMPILED: readonly Compiled[] = ROWS.map((row, index) =>
  row.expansion === undefined
    ? { row, index, pattern: readEncoding(row.encoding), fixed: [] }
    : { row, index, ...expand(row) },
);

/** No row: above every number of one. */
const NONE = 0xffff;

/** Does the word satisfy everything the row demands beyond its position in an index? */
function matches({ pattern }: Compiled, bits: number): boolean {
  if ((bits & pattern.mask) >>> 0 !== pattern.match) return false;
  for (const { from, width, value } of pattern.forbidden)
    if (((bits >>> from) & ((1 << width) - 1)) === value) return false;
  if (!pattern.nonzero) return true;
  return pattern.pieces.some((p) => p.slot === Slot.IMM && ((bits >>> p.from) & ((1 << p.width) - 1)) !== 0);
}

/** Not looked for yet. */
const UNKNOWN = 0xfffe;

/** Row of every 16-bit value, NONE or UNKNOWN: filled in as values are met, because to fill it takes longer than to start. */
const compressed = new Uint16Array(1 << 16).fill(UNKNOWN);
function findCompressed(bits: number): number {
  let row = 0;
  while (
    row < ROW_COUNT &&
    !(lengths[row] === 2 && (bits & masks[row]!) === values[row]! && matches(COMPILED[row]!, bits))
  )
    row++;
  return (compressed[bits] = row === ROW_COUNT ? NONE : row);
}

/** Bits of a word that the first index looks at: funct7, funct3 and the opcode without its two lowest bits. */
const KEY_MASK = 0xfe00707c;
function keyOf(bits: number): number {
  return (bits >>> 25) | ((bits >>> 5) & 0x380) | ((bits << 8) & 0x7c00);
}

/**
 * Chain of candidates of every key that was met: `heads[key]` is a position in `chain`, which lists row numbers up to NONE; 0 is none yet. Keys
 * with the same candidates share a chain.
 */
const heads = new Uint16Array(1 << 15);
const chain = [NONE];
const chains = new Map<string, number>();
function findChain(bits: number): number {
  const list: number[] = [];
  for (let row = 0; row < ROW_COUNT; row++)
    if (lengths[row] === 4 && ((bits ^ values[row]!) & KEY_MASK & masks[row]!) === 0) list.push(row);
  const name = list.join();
  let at = chains.get(name);
  if (at === undefined) {
    chains.set(name, (at = chain.length));
    chain.push(...list, NONE);
  }
  heads[keyOf(bits)] = at;
  return at;
}

// The rows as flat arrays, so that the loop below touches no objects.
const ROW_COUNT = COMPILED.length;
const lengths = Uint8Array.from(COMPILED, ({ pattern }) => pattern.bits / 8);
const masks = Int32Array.from(COMPILED, ({ pattern }) => pattern.mask);
const values = Int32Array.from(COMPILED, ({ pattern }) => pattern.match);
const ops = Uint16Array.from(COMPILED, ({ row }) => row.op);
const signShifts = Uint8Array.from(COMPILED, ({ pattern }) => (pattern.signBit < 0 ? 0 : 31 - pattern.signBit));
/** Per row a run of quadruples (slot, from, mask, to); a constant has mask 0 and its value in place of `from`. */
const moves: number[] = [];
const moveStarts = new Uint16Array(COMPILED.length + 1);
COMPILED.forEach(({ pattern, fixed }, index) => {
  moveStarts[index] = moves.length;
  for (const { slot, from, width, to } of pattern.pieces) moves.push(slot, from, 2 ** width - 1, to);
  for (const { slot, value } of fixed) moves.push(slot, value, 0, 0);
  moveStarts[index + 1] = moves.length;
});
const moveTable = Int32Array.from(moves);

/** The compiled row that a word belongs to, for tools; `undefined` for what is not defined. */
export function rowOf(bits: number): Compiled | undefined {
  return COMPILED[find(bits)];
}

function find(bits: number): number {
  if ((bits & 3) !== 3) {
    const known = compressed[bits & 0xffff]!;
    return known === UNKNOWN ? findCompressed(bits & 0xffff) : known;
  }
  for (let at = heads[keyOf(bits)]! || findChain(bits); ; at++) {
    const row = chain[at]!;
    if (row === NONE || (bits & masks[row]!) === values[row]!) return row;
  }
}

/**
 * Decodes one instruction into `out`, overwriting every field.
 * @param bits the instruction word as uint32 or int32; of a compressed one (low two bits not 11) only the low 16 bits count
 */
export function decode(bits: number, out: Instruction): void {
  const row = find(bits);
  out.length = (bits & 3) === 3 ? 4 : 2;
  out.op = Op.ILLEGAL;
  let rd = 0;
  let rs1 = 0;
  let rs2 = 0;
  let rs3 = 0;
  let rm = 0;
  let imm = 0;
  let aqrl = 0;
  if (row !== NONE) {
    out.op = ops[row]!;
    const end = moveStarts[row + 1]!;
    for (let at = moveStarts[row]!; at < end; at += 4) {
      const mask = moveTable[at + 2]!;
      const from = moveTable[at + 1]!;
      const value = mask === 0 ? from : ((bits >>> from) & mask) << moveTable[at + 3]!;
      switch (moveTable[at]) {
        case 0:
          rd |= value;
          break;
        case 1:
          rs1 |= value;
          break;
        case 2:
          rs2 |= value;
          break;
        case 3:
          rs3 |= value;
          break;
        case 4:
          rm |= value;
          break;
        case 5:
          imm |= value;
          break;
        default:
          aqrl |= value;
      }
    }
    const shift = signShifts[row]!;
    imm = (imm << shift) >> shift;
  }
  out.rd = rd;
  out.rs1 = rs1;
  out.rs2 = rs2;
  out.rs3 = rs3;
  out.rm = rm;
  out.imm = imm;
  out.aqrl = aqrl;
}
