// From bits to an operation, driven by the rows and nothing else: by the tables that the build makes of them (decode-tables.ts).
// Two indexes narrow a word to a few candidates, by opcode, funct3 and funct7, a compressed one by all its bits; they are filled in as words are
// met. Decoding allocates nothing else.
// Must never throw: whatever is not defined, or reserved, is ILLEGAL.
import type { Instruction } from './instruction';
import { classOf, compiledRows, type Compiled } from './decode-tables';
import { DECODE_TABLES } from './generated/decoder';
import { Op } from './op';

const { forbidden, nonzero, candidates } = DECODE_TABLES;
const masks = Int32Array.from(DECODE_TABLES.masks);
const matches = Int32Array.from(DECODE_TABLES.matches);
const ops = Uint16Array.from(DECODE_TABLES.ops);
const signShifts = Uint8Array.from(DECODE_TABLES.signShifts);
const moveTable = Int32Array.from(DECODE_TABLES.moves);
const moveStarts = Uint16Array.from(DECODE_TABLES.moveStarts);
const keys = Int32Array.from(DECODE_TABLES.keys);

/** No row: above every number of one. */
const NONE = 0xffff;

/** May a compressed word with the fixed bits of a row be that row? */
function allowed(row: number, bits: number): boolean {
  const pieces = nonzero[row];
  if (pieces !== undefined && (bits & pieces) === 0) return false;
  const values = forbidden[row];
  if (values !== undefined)
    for (let at = 0; at < values.length; at += 3)
      if (((bits >>> values[at]!) & values[at + 1]!) === values[at + 2]!) return false;
  return true;
}

/** Not looked for yet. */
const UNKNOWN = 0xfffe;

/** Row of every 16-bit value, NONE or UNKNOWN. */
const compressed = new Uint16Array(1 << 16).fill(UNKNOWN);
function findCompressed(bits: number): number {
  const row =
    candidates[classOf(bits)]!.find((at) => (bits & masks[at]!) === matches[at]! && allowed(at, bits)) ?? NONE;
  return (compressed[bits] = row);
}

/** The bits that tell a word's rows apart, in 15 bits: funct7, funct3 and the opcode without its two lowest bits. */
function keyOf(bits: number): number {
  const functions = bits & keys[(bits >>> 2) & 31]!;
  return (functions >>> 25) | ((functions >>> 5) & 0x380) | ((bits << 8) & 0x7c00);
}

/** Chain of candidates of every key that was met: `heads[key]` is a position in `chain`, which lists row numbers up to NONE; 0 is none yet. */
const heads = new Uint16Array(1 << 15);
const chain = [NONE];
function findChain(bits: number): number {
  const at = chain.length;
  const told = keys[(bits >>> 2) & 31]!;
  for (const row of candidates[classOf(bits)]!)
    if (((bits ^ matches[row]!) & told & masks[row]!) === 0) chain.push(row);
  chain.push(NONE);
  return (heads[keyOf(bits)] = at);
}

/** The compiled row that a word belongs to, for tools; `undefined` for what is not defined. */
export const rowOf = (bits: number): Compiled | undefined => compiledRows()[find(bits)];

function find(bits: number): number {
  if ((bits & 3) !== 3) {
    const known = compressed[bits & 0xffff]!;
    return known === UNKNOWN ? findCompressed(bits & 0xffff) : known;
  }
  for (let at = heads[keyOf(bits)]! || findChain(bits); ; at++) {
    const row = chain[at]!;
    if (row === NONE || (bits & masks[row]!) === matches[row]!) return row;
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
