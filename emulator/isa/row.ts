// The shape of a row: everything this project knows about one instruction, its encoding (in the manual's notation) and meaning.
// Owns the reading of that notation ("RV32/64G Instruction Set Listings" and the RVC tables of the unprivileged manual).
// Must never hold knowledge about a single instruction: that is the rows' (rv64i.ts, m.ts, ... c.ts).
import { Op } from './op';

/**
 * One instruction.
 *
 * `encoding` lists the fields from the most to the least significant bit, separated by spaces:
 * - `0110011`: fixed bits;
 * - `rd rs1 rs2 rs3` (5 bits), `rd' rs1' rs2'` (3 bits, registers 8..15), `rm` (3), `aq rl` (1), `fm pred succ` (4), `zimm` (5);
 * - `imm[12|10:5]`: the bits of an immediate that stand here. `imm` and `nzimm` are sign-extended from their highest bit,
 *   `uimm`, `nzuimm`, `shamt` and `csr` are not; `nz...` must not be zero;
 * - `rd!=0`, `rs2!=0`, `rd!=2`: the field with a value it must not have; `fm=8`: with the only one it may have.
 *
 * `operands` is the assembler's operand list: field names, with `f` before a register field that names an f register,
 * `pc+imm` for a branch target, `imm[31:12]` for the upper 20 bits, `value` for the constant of fli that zimm selects, and plain
 * names of registers and rounding modes.
 *
 * `expansion` (compressed only) is the base instruction with its operands in the order of that row's `operands`.
 *
 * `semantics` is what the instruction does, in the row language (language/ir.ts says what its words mean; the functions that it calls
 * are in library/). A compressed row has none: its meaning is that of its expansion. The empty text means: nothing but the next pc.
 */
export interface Row {
  readonly op: Op;
  readonly mnemonic: string;
  readonly encoding: string;
  readonly operands: string;
  readonly expansion?: string;
  readonly semantics?: string;
}

/** Where the decoder puts a field. */
export const enum Slot {
  RD = 0,
  RS1,
  RS2,
  RS3,
  RM,
  IMM,
  AQRL,
}

/** A run of bits that moves as a whole: bits `from .. from+width-1` of the word go to bit `to` of the slot. */
export interface Piece {
  readonly slot: Slot;
  readonly from: number;
  readonly width: number;
  readonly to: number;
}

/** A value that a run of bits of the word must not have. */
export interface Forbidden {
  readonly from: number;
  readonly width: number;
  readonly value: number;
}

/** The encoding of a row, read. */
export interface Pattern {
  /** 16 or 32. */
  readonly bits: number;
  /** uint32: the fixed bits, and their values. */
  readonly mask: number;
  readonly match: number;
  readonly pieces: readonly Piece[];
  readonly forbidden: readonly Forbidden[];
  /** The immediate must not be zero. */
  readonly nonzero: boolean;
  /** Bit of the immediate that is its sign, or -1 for an unsigned one. */
  readonly signBit: number;
  /** Field name (without prime) to the slot it fills. */
  readonly fields: ReadonlyMap<string, Slot>;
}

const PLAIN: Readonly<Record<string, { slot: Slot; width: number; to: number }>> = {
  rd: { slot: Slot.RD, width: 5, to: 0 },
  rs1: { slot: Slot.RS1, width: 5, to: 0 },
  rs2: { slot: Slot.RS2, width: 5, to: 0 },
  rs3: { slot: Slot.RS3, width: 5, to: 0 },
  "rd'": { slot: Slot.RD, width: 3, to: 0 },
  "rs1'": { slot: Slot.RS1, width: 3, to: 0 },
  "rs2'": { slot: Slot.RS2, width: 3, to: 0 },
  zimm: { slot: Slot.RS1, width: 5, to: 0 },
  rm: { slot: Slot.RM, width: 3, to: 0 },
  aq: { slot: Slot.AQRL, width: 1, to: 1 },
  rl: { slot: Slot.AQRL, width: 1, to: 0 },
  fm: { slot: Slot.IMM, width: 4, to: 8 },
  pred: { slot: Slot.IMM, width: 4, to: 4 },
  succ: { slot: Slot.IMM, width: 4, to: 0 },
};

const SIGNED = new Set(['imm', 'nzimm']);

/** The bit ranges in `12|10:5`, most significant first, as [high, low]. */
function ranges(text: string): [number, number][] {
  return text.split('|').map((part) => {
    const [high, low] = part.split(':').map(Number);
    return [high!, low ?? high!];
  });
}

/**
 * Reads a row's encoding.
 * @throws Error when the text is not in the notation or its widths do not add up to 16 or 32 bits: a mistake in a row,
 *   found when the tables are built.
 */
export function readEncoding(encoding: string): Pattern {
  const pieces: Piece[] = [];
  const forbidden: Forbidden[] = [];
  const fields = new Map<string, Slot>();
  let [mask, match, nonzero, top, signed] = [0, 0, false, -1, false];
  let at = 0; // built from the least significant end
  for (const token of encoding.split(' ').reverse()) {
    const bracket = /^([a-z]+)\[([0-9:|]+)\]$/.exec(token);
    const plain = /^([a-z0-9]+'?)(?:(!?=)(\d+))?$/.exec(token);
    if (/^[01]+$/.test(token)) {
      match |= parseInt(token, 2) << at;
      for (let i = 0; i < token.length; i++) mask |= 1 << at++;
    } else if (bracket) {
      const [, name, bits] = bracket as unknown as [string, string, string];
      fields.set(name, Slot.IMM);
      nonzero ||= name.startsWith('nz');
      signed ||= SIGNED.has(name);
      for (const [high, low] of ranges(bits).reverse()) {
        pieces.push({ slot: Slot.IMM, from: at, width: high - low + 1, to: low });
        at += high - low + 1;
        top = Math.max(top, high);
      }
    } else if (plain && PLAIN[plain[1]!]) {
      const name = plain[1]!;
      const { slot, width, to } = PLAIN[name]!;
      fields.set(name, slot);
      pieces.push({ slot, from: at, width, to });
      const value = Number(plain[3]);
      if (plain[2] === '!=') forbidden.push({ from: at, width, value });
      if (plain[2] === '=') {
        mask |= ((1 << width) - 1) << at;
        match |= value << at;
      }
      at += width;
    } else throw new Error(`encoding "${encoding}": "${token}" is not a field of the notation in row.ts`);
  }
  if (at !== 16 && at !== 32) throw new Error(`encoding "${encoding}" has ${at} bits, not 16 or 32`);
  return {
    bits: at,
    mask: mask >>> 0,
    match: match >>> 0,
    pieces,
    forbidden,
    nonzero,
    signBit: signed ? top : -1,
    fields,
  };
}

/** The operand list taken apart: names, and the punctuation between them. */
export function readOperands(operands: string): string[] {
  return operands.match(/pc\+imm|[a-z0-9]+'?(?:\[[0-9:]+\])?|[(),]/g) ?? [];
}
