/**
 * How wide what registers hold is, as far as it follows from a region's instructions: RV64 keeps results of 32 bits extended by their sign, and
 * most values are less. A width n says that a value is the sign extension of its low n bits; 64 says nothing.
 */
import type { Expression, Statement } from '../../isa/language/ir';
import type { Instruction } from '../../isa/instruction';
import { writtenX } from './region-registers';
import type { Template } from './templates';

/** By number of an x register. */
export type Widths = Uint8Array;

export const UNKNOWN = 64;

const bitsOf = (value: bigint): number => (value < 0n ? ~value : value).toString(2).length + 1;

/** Width of a number that has so many bits and no sign. */
const unsigned = (bits: number): number => Math.min(bits + 1, UNKNOWN);

/** The number that an operand is, if it says so. */
export function numberOf(e: Expression, instruction: Readonly<Instruction>): bigint | undefined {
  if (e.kind === 'constant') return BigInt.asIntN(64, e.value);
  if (e.kind === 'immediate') return BigInt(instruction.imm);
  if (e.kind !== 'unary' || e.name !== 'low32') return undefined;
  const number = numberOf(e.operand, instruction);
  return number === undefined ? undefined : BigInt.asIntN(32, number);
}

/** Of a value of type i64. */
export function widthOf(e: Expression, instruction: Readonly<Instruction>, widths: Widths): number {
  const of = (part: Expression): number => widthOf(part, instruction, widths);
  const number = numberOf(e, instruction);
  if (number !== undefined) return bitsOf(number);
  switch (e.kind) {
    case 'register':
      return e.file === 'x' ? widths[instruction[e.field]]! : UNKNOWN;
    case 'choice':
      return Math.max(of(e.then), of(e.otherwise));
    case 'unary':
      return ofUnary(e, of);
    case 'binary':
      return ofBinary(e, instruction, of);
    default:
      return UNKNOWN;
  }
}

function ofUnary({ name, operand }: Expression & { kind: 'unary' }, of: (part: Expression) => number): number {
  switch (name) {
    case 'sext64':
      return ofSmall(operand, true);
    case 'zext64':
      return operand.type === 'bool' ? 2 : ofSmall(operand, false);
    case 'sext8':
    case 'sext16':
    case 'sext32':
      return Math.min(of(operand), Number(name.slice(4)));
    case 'zext8':
    case 'zext16':
    case 'zext32':
      return unsigned(Number(name.slice(4)));
    case '~':
      return of(operand);
    case 'clz':
    case 'ctz':
    case 'popcnt':
      return unsigned(7);
    default:
      return UNKNOWN;
  }
}

/** Of a value of type i32, extended. */
function ofSmall(e: Expression, signed: boolean): number {
  if (e.kind === 'load' && e.bits < 32) return unsigned(e.bits);
  if (signed && e.kind === 'unary' && (e.name === 'sext8' || e.name === 'sext16')) return Number(e.name.slice(4));
  return signed ? 32 : unsigned(32);
}

function ofBinary(
  { name, left, right }: Expression & { kind: 'binary' },
  instruction: Readonly<Instruction>,
  of: (part: Expression) => number,
): number {
  const by = numberOf(right, instruction);
  switch (name) {
    case '&':
      // A mask that is not negative leaves no sign.
      if (by !== undefined && by >= 0n) return bitsOf(by);
      return Math.max(of(left), of(right));
    case '|':
    case '^':
      return Math.max(of(left), of(right));
    case '+':
    case '-':
      // A move.
      if (by === 0n) return of(left);
      return Math.min(Math.max(of(left), of(right)) + 1, UNKNOWN);
    case '<<':
      return by === undefined ? UNKNOWN : Math.min(of(left) + Number(by & 63n), UNKNOWN);
    case '>>s':
      return by === undefined ? of(left) : Math.max(of(left) - Number(by & 63n), 1);
    case '>>u':
      return by === undefined || (by & 63n) === 0n ? UNKNOWN : unsigned(64 - Number(by & 63n));
    default:
      return UNKNOWN;
  }
}

/** What an instruction makes of the widths before it. */
export function execute(widths: Widths, instruction: Readonly<Instruction>, body: readonly Statement[]): void {
  const written = writtenX(instruction);
  if (written === undefined) return;
  const [first] = body;
  const plain = body.length === 1 && first?.kind === 'setRegister' && first.file === 'x';
  widths[written] = plain ? widthOf(first.value, instruction, widths) : UNKNOWN;
}

/** Widths that are told apart where ways meet: so a loop that adds to a register is gone through a few times only. */
const STEPS = [2, 9, 17, 32, 33, UNKNOWN];

/** Both may be what comes: into `into`. Has it changed? */
function meet(into: Widths, from: Widths): boolean {
  let changed = false;
  for (let i = 0; i < into.length; i++)
    if (from[i]! > into[i]!) {
      into[i] = STEPS.find((step) => step >= from[i]!)!;
      changed = true;
    }
  return changed;
}

/** By block the widths at its begin; nothing is known at the entry, block 0. */
export function widthsOf(
  blocks: readonly { readonly instructions: readonly Readonly<Instruction>[] }[],
  successors: readonly (readonly number[])[],
  templateOf: (instruction: Readonly<Instruction>) => Template,
): readonly Widths[] {
  const all = blocks.map(() => new Uint8Array(32));
  all[0]!.fill(UNKNOWN);
  // x0 is zero.
  all[0]![0] = 1;
  const waiting = new Set([0]);
  for (const block of waiting) {
    waiting.delete(block);
    const widths = all[block]!.slice();
    for (const instruction of blocks[block]!.instructions) execute(widths, instruction, templateOf(instruction).body);
    for (const next of successors[block]!) if (meet(all[next]!, widths)) waiting.add(next);
  }
  return all;
}
