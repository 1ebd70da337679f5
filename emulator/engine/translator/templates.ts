/**
 * What an instruction does as a translated region has it: the body of its row, specialised by the build (make-templates.ts) for
 *
 * - the rounding mode that it names, or, for DYN, that frm says;
 * - mstatus.FS being Dirty;
 * - fflags.NX being set, in the variant `inexact`;
 * - an operator that multiplies and adds with one rounding, in the variant `fused`.
 *
 * Floating-point registers are f64: `floatRegister`, `setFloatRegister`. Functions of the library that are small stand in place as
 * `block`s; what is left of `call`s is for functions of the core module. A process reads a template when it is first asked for.
 */
import { decodeTree } from '../../isa/language/codec';
import type { Expression, Statement } from '../../isa/language/ir';
import type { Instruction } from '../../isa/instruction';
import { templateText } from '../generated/templates';
import {
  selectionOf,
  VARIANTS,
  variantOf,
  type Changes,
  type Control,
  type Selecting,
  type TemplateIndex,
  type TemplateLine,
} from './template-table';

export interface Template {
  /** All but the transfer of control. A row's registers are read before they are written. */
  readonly body: readonly Statement[];
  readonly control: Control;
  /** Of a branch: is it taken? */
  readonly condition: Expression | undefined;
  /** Of a jalr: where to; evaluated before the body, which may write rs1. */
  readonly target: Expression | undefined;
  /** mstatus.FS may not be Off. */
  readonly usesFloat: boolean;
  readonly changes: Changes;
  /** Functions of the library that it calls. */
  readonly calls: readonly string[];
}

let lines: string[] | undefined;
let index: TemplateIndex;
const known = new Map<number, Template>();

function read(number: number): Template {
  const [control, usesFloat, changes, calls, body, operand] = JSON.parse(lines![number + 1]!) as TemplateLine;
  const expression = operand === null ? undefined : decodeTree<Expression>(operand);
  return {
    body: decodeTree<readonly Statement[]>(body),
    control,
    condition: control === 'branch' ? expression : undefined,
    target: control === 'jalr' ? expression : undefined,
    usesFloat,
    changes,
    calls,
  };
}

/** The template of an instruction where frm is known; undefined: it is for the interpreter. */
export function templateOf(
  instruction: Pick<Instruction, 'op'> & Selecting,
  inexact: boolean,
  fused = false,
  frm = 0,
): Template | undefined {
  if (lines === undefined) {
    lines = templateText().split('\n');
    index = JSON.parse(lines[0]!) as TemplateIndex;
  }
  const numbers = index[instruction.op];
  if (numbers === undefined) return undefined;
  const selection = selectionOf(numbers[0]!, instruction, frm);
  const number = numbers[1 + selection * VARIANTS + variantOf(inexact, fused)] ?? -1;
  if (number < 0) return undefined;
  let template = known.get(number);
  if (template === undefined) known.set(number, (template = read(number)));
  return template;
}
