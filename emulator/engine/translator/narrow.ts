/**
 * Arithmetic of 64 bits whose operands are known to have 32 (widths.ts) is done in 32, and two shifts that extend a value become an
 * extension. The host's compiler drops an extension when all that is asked of it is its low half, as these forms do; logic and comparisons
 * of 64 bits would keep it.
 */
import { Op } from '../../isa/op';
import type { BinaryName, Expression, Statement, UnaryName } from '../../isa/language/ir';
import type { Instruction } from '../../isa/instruction';
import { accessOf } from './access-groups';
import { writtenX } from './region-registers';
import type { Template } from './templates';
import { execute, numberOf, widthOf, type Widths } from './widths';

/** What is emitted for an instruction of a block: a template with the fields of an instruction. */
export interface Shaped {
  readonly instruction: Readonly<Instruction>;
  readonly template: Template;
}

const LOGIC: ReadonlySet<BinaryName> = new Set(['&', '|', '^']);
const COMPARISONS: ReadonlySet<BinaryName> = new Set(['==', '!=', '<s', '<u', '<=s', '<=u']);

class Narrow {
  constructor(
    private readonly instruction: Readonly<Instruction>,
    private readonly widths: Widths,
    /** Registers whose value the host's compiler sees being extended. */
    private readonly extended: ReadonlySet<number>,
  ) {}

  /** Has its low half been there before it was extended? */
  private isExtended(e: Expression): boolean {
    if (e.kind === 'register') return this.extended.has(this.instruction[e.field]);
    return e.kind === 'unary' ? e.name === 'sext64' || this.isExtended(e.operand) : e.kind === 'binary' && this.is32(e);
  }

  private fits(e: Expression): boolean {
    return e.type === 'i64' && widthOf(e, this.instruction, this.widths) <= 32;
  }

  private fitBoth({ left, right }: Expression & { kind: 'binary' }): boolean {
    return this.fits(left) && this.fits(right) && (this.isExtended(left) || this.isExtended(right));
  }

  expression(e: Expression): Expression {
    if (e.kind === 'unary') {
      if (e.name === 'sext32' && this.fits(e.operand)) return this.expression(e.operand);
      const kept = e.name === 'sext64' && this.kept(e.operand);
      if (kept) return kept;
      if (this.is32(e)) return { kind: 'unary', type: 'i64', name: 'sext64', operand: this.low(e) };
      return { ...e, operand: this.expression(e.operand) };
    }
    if (e.kind !== 'binary') return e;
    if (COMPARISONS.has(e.name) && this.fitBoth(e)) return { ...e, left: this.low(e.left), right: this.low(e.right) };
    if (this.is32(e)) return { kind: 'unary', type: 'i64', name: 'sext64', operand: this.low(e) };
    return { ...e, left: this.expression(e.left), right: this.expression(e.right) };
  }

  /** `addiw rd, rs1, 0` of what is extended already. */
  private kept(e: Expression): Expression | undefined {
    if (e.kind !== 'binary' || e.name !== '+' || numberOf(e.right, this.instruction) !== 0n) return undefined;
    return e.left.kind === 'unary' && e.left.name === 'low32' && this.fits(e.left.operand) ? e.left.operand : undefined;
  }

  /** Is it arithmetic of 64 bits whose result is the same done in 32 and extended? */
  private is32(e: Expression): boolean {
    if (e.type !== 'i64') return false;
    if (e.kind === 'unary') return e.name === '~' && this.fits(e.operand) && this.isExtended(e.operand);
    if (e.kind !== 'binary') return false;
    if (LOGIC.has(e.name)) return this.fitBoth(e);
    return (
      e.name === '>>s' &&
      this.fits(e.left) &&
      this.isExtended(e.left) &&
      numberOf(e.right, this.instruction) !== undefined
    );
  }

  /** The low half of a value of type i64. */
  private low(e: Expression): Expression {
    if (this.is32(e)) {
      if (e.kind === 'unary') return { ...e, type: 'i32', operand: this.low(e.operand) };
      if (e.kind === 'binary') {
        const right = e.name === '>>s' ? this.shift(e.right) : this.low(e.right);
        return { ...e, type: 'i32', left: this.low(e.left), right };
      }
    }
    if (e.kind === 'unary' && e.name === 'sext64' && e.operand.type === 'i32') return e.operand;
    return { kind: 'unary', type: 'i32', name: 'low32', operand: this.expression(e) };
  }

  /** All that an arithmetic shift by more than 31 leaves of 32 bits is their sign, as that by 31. */
  private shift(by: Expression): Expression {
    const number = numberOf(by, this.instruction)! & 63n;
    return { kind: 'constant', type: 'i32', value: number > 31n ? 31n : number };
  }
}

/** What a shift to the left and one to the right by as many bits do. */
const EXTENSIONS: Readonly<Record<number, readonly [signed: UnaryName, unsigned: UnaryName]>> = {
  32: ['sext32', 'zext32'],
  48: ['sext16', 'zext16'],
  56: ['sext8', 'zext8'],
};

/** Both as one, if they extend a value: nothing can come between two instructions without accesses. */
function extension(first: Readonly<Instruction>, { instruction, template }: Shaped): Shaped | undefined {
  const { op, rd, rs1, imm } = instruction;
  if (first.op !== Op.SLLI || first.rd !== rd || rs1 !== rd || first.imm !== imm || rd === 0) return undefined;
  const names = EXTENSIONS[imm];
  if (!names || (op !== Op.SRAI && op !== Op.SRLI)) return undefined;
  const operand: Expression = { kind: 'register', type: 'i64', file: 'x', field: 'rs1' };
  const value: Expression = { kind: 'unary', type: 'i64', name: names[op === Op.SRAI ? 0 : 1], operand };
  return {
    instruction: { ...instruction, rs1: first.rs1 },
    template: { ...template, body: [{ kind: 'setRegister', file: 'x', value }] },
  };
}

/** The instructions of a block, which begins with these widths. */
export function shape(
  instructions: readonly Readonly<Instruction>[],
  templateOf: (instruction: Readonly<Instruction>) => Template,
  begin: Widths,
): readonly Shaped[] {
  const all: Shaped[] = [];
  let [before, widths] = [begin, begin];
  const extended = new Set<number>();
  instructions.forEach((instruction, i) => {
    const plain: Shaped = { instruction, template: templateOf(instruction) };
    const first = all[i - 1];
    const pair = first && extension(first.instruction, plain);
    if (pair) all[i - 1] = { ...first, template: { ...first.template, body: [] } };
    const one = pair ?? plain;
    const known = pair ? before : widths;
    const narrow = narrowed(one, known, extended);
    all.push(narrow);
    before = widths;
    widths = known.slice();
    execute(widths, one.instruction, one.template.body);
    const written = writtenX(instruction);
    if (written !== undefined && isExtension(narrow, extended)) extended.add(written);
    else if (written !== undefined) extended.delete(written);
  });
  return all;
}

function isExtension({ instruction, template: { body } }: Shaped, extended: ReadonlySet<number>): boolean {
  const [first] = body;
  if (body.length !== 1 || first?.kind !== 'setRegister') return false;
  const { value } = first;
  if (value.kind === 'unary') return value.name === 'sext64';
  // A move.
  const isMove = value.kind === 'register' || (instruction.op === Op.ADDI && instruction.imm === 0);
  return isMove && extended.has(instruction.rs1);
}

function narrowed(one: Shaped, widths: Widths, extended: ReadonlySet<number>): Shaped {
  const { instruction, template } = one;
  // Accesses are of addresses, which have 64 bits.
  if (accessOf(template)) return one;
  const narrow = new Narrow(instruction, widths, extended);
  const body = template.body.map((statement): Statement =>
    statement.kind === 'setRegister' && statement.file === 'x'
      ? { ...statement, value: narrow.expression(statement.value) }
      : statement,
  );
  const condition = template.condition && narrow.expression(template.condition);
  return { instruction, template: { ...template, body, condition } };
}
