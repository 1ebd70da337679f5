// From fields to bits: the inverse of decode, for programs that are made here (emulator/linux/init) and by tests. Made from the rows.
import type { Instruction } from './instruction';
import { readEncoding, Slot, type Pattern, type Row } from './row';

const patterns = new WeakMap<Row, Pattern>();

function patternOf(row: Row): Pattern {
  let pattern = patterns.get(row);
  if (pattern === undefined) patterns.set(row, (pattern = readEncoding(row.encoding)));
  return pattern;
}

/**
 * The word of a row with the given fields.
 * @param values fields under the names of `Instruction`; absent ones are 0, and bits that the encoding has no room for are
 *   dropped, so that the caller can hand in any random number. The result may be a reserved encoding: `decode` tells.
 * @returns the word as uint32
 */
export function encode(row: Row, values: Partial<Omit<Instruction, 'op' | 'length'>>): number {
  const pattern = patternOf(row);
  const slots: Record<Slot, number> = {
    [Slot.RD]: values.rd ?? 0,
    [Slot.RS1]: values.rs1 ?? 0,
    [Slot.RS2]: values.rs2 ?? 0,
    [Slot.RS3]: values.rs3 ?? 0,
    [Slot.RM]: values.rm ?? 0,
    [Slot.IMM]: values.imm ?? 0,
    [Slot.AQRL]: values.aqrl ?? 0,
  };
  let bits = pattern.match;
  for (const { slot, from, width, to } of pattern.pieces) bits |= ((slots[slot] >> to) & (2 ** width - 1)) << from;
  return ((bits & ~pattern.mask) | pattern.match) >>> 0;
}
