/**
 * The templates of all instructions (templates.ts), made from the rows when the project is built. Nothing that ships imports this file.
 */
import { Csr } from '../../hart/csr-numbers';
import { encodeTree } from '../../isa/language/codec';
import { binary, constant, unary } from '../../isa/language/fold';
import type { Expression, HostName, Library, Semantics, Statement } from '../../isa/language/ir';
import { FUSED } from '../../isa/library/float-fused';
import { NoMeaning, Specialiser, type Assumptions } from '../../isa/language/specialise';
import { eachStatement, everyExpression } from '../../isa/language/walk';
import { Op } from '../../isa/op';
import { Changes, OTHER_CSR, SELECTIONS, Selects, VARIANTS, type Control, type TemplateLine } from './template-table';

const NX = 1n;

const CSR_OPS: ReadonlySet<Op> = new Set([Op.CSRRW, Op.CSRRS, Op.CSRRC, Op.CSRRWI, Op.CSRRSI, Op.CSRRCI]);
const SIGN_OPS: ReadonlySet<Op> = new Set([
  ...[Op.FSGNJ_H, Op.FSGNJN_H, Op.FSGNJX_H],
  ...[Op.FSGNJ_S, Op.FSGNJN_S, Op.FSGNJX_S],
  ...[Op.FSGNJ_D, Op.FSGNJN_D, Op.FSGNJX_D],
]);
const FLI_OPS: ReadonlySet<Op> = new Set([Op.FLI_H, Op.FLI_S, Op.FLI_D]);

/** The text of a template, before it is a line of the table. */
interface Made {
  readonly body: readonly Statement[];
  readonly control: Control;
  readonly operand: Expression | undefined;
  readonly changes: Changes;
}

/** The row's own function does what only the host can, and comes back. */
const BY_ROW: Made = { body: [], control: 'row', operand: undefined, changes: Changes.NOTHING };
const HOSTS_ONLY: ReadonlySet<HostName> = new Set(['cacheBlock', 'zeroBlock', 'fenceTranslations']);

function isForHost(body: readonly Statement[]): boolean {
  let found = false;
  eachStatement(body, (statement) => {
    found ||= statement.kind === 'host' && HOSTS_ONLY.has(statement.name);
  });
  return found;
}

function selectsBy(op: Op, body: readonly Statement[]): Selects {
  if (CSR_OPS.has(op)) return Selects.CSR;
  if (FLI_OPS.has(op)) return Selects.NUMBER;
  if (SIGN_OPS.has(op)) return Selects.SAME;
  let rounds = false;
  everyExpression(body, ({ kind }) => (rounds ||= kind === 'rounding'));
  return rounds ? Selects.ROUNDING : Selects.NOTHING;
}

/** fflags, frm and fcsr as state. */
function floatCsr(number: Csr, changed: (what: Changes) => void): Assumptions['host'] {
  const field = number === Csr.FFLAGS ? 'fflags' : number === Csr.FRM ? 'frm' : 'fcsr';
  const flags: Expression = { kind: 'state', type: 'i32', name: 'fflags' };
  const mode: Expression = { kind: 'state', type: 'i32', name: 'frm' };
  const both = binary('i32', '|', flags, binary('i32', '<<', mode, constant('i32', 5n)));
  const read = { fflags: flags, frm: mode, fcsr: both }[field];
  return (name: HostName, args: readonly Expression[]) => {
    if (name === 'readCsr') return unary('i64', 'zext64', read);
    if (name !== 'writeCsr') return undefined;
    const value = args[1]!;
    if (field !== 'frm' && !setsOnly(value)) changed(Changes.FLAGS);
    if (field !== 'fflags') changed(Changes.ROUNDING);
    return { kind: 'setFloatCsr', field, value: unary('i32', 'low32', value) };
  };
}

/** `old | x`: the flags that were set stay set. */
const setsOnly = (value: Expression): boolean =>
  value.kind === 'binary' && value.name === '|' && value.left.kind === 'local';

/** Atomic accesses are the target's business, anything else of the host the interpreter's. */
function atomic(name: HostName, args: readonly Expression[]): Expression | Statement | 'nothing' | undefined {
  // Code is coherent (engine/code-cache.ts).
  if (name === 'fenceInstructions') return 'nothing';
  if (name.startsWith('amoStore')) return { kind: 'host', name, args };
  if (name.startsWith('storeConditional')) return { kind: 'host', type: 'i64', name, args };
  if (!/^(amoLoad|loadReserved)/.test(name)) return undefined;
  return { kind: 'host', type: name.endsWith('64') ? 'i64' : 'i32', name, args };
}

/** A body taken apart: what is done, and where control goes then. */
function transfer(list: readonly Statement[]): Omit<Made, 'changes'> {
  const last = list.at(-1);
  const rest = list.slice(0, -1);
  if (last?.kind === 'if' && list.length === 1 && last.then[0]?.kind === 'jump' && last.otherwise.length === 0)
    return { body: [], control: 'branch', operand: last.condition };
  if (last?.kind === 'jump' && last.relative) return { body: rest, control: 'jal', operand: undefined };
  if (last?.kind === 'jump') {
    const named = rest.find((statement) => statement.kind === 'let');
    if (last.target.kind !== 'local' || named?.name !== last.target.name) throw new NoMeaning('jump');
    return { body: rest.filter((statement) => statement !== named), control: 'jalr', operand: named.value };
  }
  eachStatement(list, ({ kind }) => {
    if (kind === 'jump') throw new NoMeaning(kind);
  });
  return { body: list, control: 'none', operand: undefined };
}

function make(op: Op, { body }: Semantics, library: Library, selection: number, variant: number): Made | undefined {
  const selects = selectsBy(op, body);
  const csr = selects === Selects.CSR;
  if ((csr && selection === OTHER_CSR) || isForHost(body)) return BY_ROW;
  const zero = csr && (selection & 1) === 0;
  let changes = Changes.NOTHING;
  const known: Assumptions = {
    rounding: selects === Selects.ROUNDING ? selection : undefined,
    numbers: selects === Selects.NUMBER ? { rs1: selection } : zero ? { rs1: 0 } : {},
    nonzero: csr && !zero ? 'rs1' : undefined,
    sameSources: selects === Selects.SAME && selection === 1,
    state: {},
    replaced: variant & 2 ? FUSED : new Map<string, string>(),
    raised: variant & 1 ? NX : 0n,
    host: csr ? floatCsr(Csr.FFLAGS + (selection >> 1), (what) => (changes |= what)) : atomic,
  };
  try {
    return { ...transfer(new Specialiser(library, known).row(body)), changes };
  } catch (error) {
    if (error instanceof NoMeaning) return undefined;
    throw error;
  }
}

function lineOf({ body, control, operand, changes }: Made, usesFloat: boolean): string {
  const calls = new Set<string>();
  everyExpression(body, (e) => {
    if (e.kind === 'call') calls.add(e.name);
  });
  const line: TemplateLine = [
    control,
    usesFloat,
    changes,
    [...calls],
    encodeTree(body),
    operand === undefined ? null : encodeTree(operand),
  ];
  return JSON.stringify(line);
}

export interface TemplateTable {
  /** What templates.ts reads: the index, then a line for each template that is different. */
  readonly text: string;
  /** Functions of the library that a template calls, by name. */
  readonly helpers: readonly string[];
}

export function templateTable(rows: ReadonlyMap<Op, Semantics>, library: Library): TemplateTable {
  const index: Record<number, number[]> = {};
  const lines = new Map<string, number>();
  for (const [op, semantics] of rows) {
    const selects = selectsBy(op, semantics.body);
    const numbers: number[] = [selects];
    for (let selection = 0; selection < SELECTIONS[selects]; selection++)
      for (let variant = 0; variant < VARIANTS; variant++) {
        const made = make(op, semantics, library, selection, variant);
        // What a CSR instruction reads or writes here is floating-point state.
        const line = made && lineOf(made, semantics.usesFloat || (selects === Selects.CSR && selection !== OTHER_CSR));
        if (line !== undefined && !lines.has(line)) lines.set(line, lines.size);
        numbers.push(line === undefined ? -1 : lines.get(line)!);
      }
    if (numbers.some((number, i) => i > 0 && number >= 0)) index[op] = numbers;
  }
  const helpers = [...lines.keys()].flatMap((line) => (JSON.parse(line) as TemplateLine)[3]);
  return { text: [JSON.stringify(index), ...lines.keys()].join('\n'), helpers: [...new Set(helpers)].sort() };
}
