/**
 * Statements of the row language as JavaScript, and calls of the library's functions: small ones are put in place, where only what
 * the row reads of their result is computed; the others are called.
 */
import type { FunctionDefinition, Library, Statement, StateName, Type } from '../../isa/language/ir';
import { Status } from '../../hart/csr-numbers';
import { eachStatement } from '../../isa/language/walk';
import { HartWord } from '../../machine/layout';
import { ENDINGS, Expressions, PARTS, pairOf, partOf, single, type Call, type Local } from './expressions';
import { ABSENT, Part, type Pair } from './pairs';
import * as v from './values';
import type { Value } from './values';

type Of<K extends Statement['kind']> = Extract<Statement, { kind: K }>;
/** What only a row does. */
export type Deed = Of<'setRegister' | 'store' | 'jump' | 'trap' | 'illegal' | 'host'>;

/** What is known of the library as a whole, filled while its functions are lowered again and again. */
export interface Linkage {
  readonly library: Library;
  /** Functions that are put in place of their calls. */
  readonly inlined: ReadonlySet<string>;
  /** Word of a global in `globals`, or its place in `floatGlobals`. */
  readonly slots: ReadonlyMap<string, number>;
  /** How many of either there are. */
  readonly words: number;
  readonly floats: number;
  readonly needs: Map<string, Part>;
}

export const functionName = (name: string): string => `fn_${name}`;
/** How a parameter is called in the output and in `needs`. */
export const parameterName = (of: string, parameter: string): string => `${of}$${parameter}`;

const jsType = (type: Type): string => (type === 'bool' ? 'boolean' : 'number');

/** Does control never reach what follows? */
function ends(statements: readonly Statement[]): boolean {
  const last = statements.at(-1);
  if (!last) return false;
  if (last.kind === 'if') return ends(last.then) && ends(last.otherwise);
  return last.kind === 'return' || last.kind === 'jump' || last.kind === 'trap' || last.kind === 'illegal';
}

/** Where a `return` goes. */
interface Frame {
  readonly type: Type | undefined;
  readonly need: Part;
  /** Variables for the result of a function put in place; undefined in a function of its own. */
  result: Pair | undefined;
  readonly label: string;
  labelled: boolean;
}

export abstract class Statements extends Expressions {
  private frame: Frame | undefined;
  private instances = 0;
  /** Locals of the text at hand that are assigned. */
  private assigned: ReadonlySet<string> = new Set();

  /** @param prefix of the names of locals, so that they are unique in the output */
  constructor(
    protected readonly linkage: Linkage,
    private prefix: string,
  ) {
    super(linkage.needs);
  }

  protected abstract deed(statement: Deed): void;

  protected state(name: StateName, need: Part): Pair {
    const word = (at: number): Value => this.copy(v.access(`x[${at}]`));
    if (name === 'privilege') return single(word(HartWord.PRIVILEGE));
    if (name === 'frm') return single(this.copy(v.computed(`(x[${HartWord.FCSR}] >> 5) & 7`)));
    if (name === 'fflags') return single(this.copy(v.computed(`x[${HartWord.FCSR}] & 31`)));
    const at = { mstatus: HartWord.MSTATUS, menvcfg: HartWord.MENVCFG, senvcfg: HartWord.SENVCFG }[name];
    return pairOf((part) => word(part === Part.HIGH ? at + 1 : at), need & Part.BOTH);
  }

  protected globalSlot(name: string): string {
    const slot = this.linkage.slots.get(name);
    if (slot === undefined) throw new Error(`no global ${name}`);
    return `${slot}`;
  }

  protected statements(list: readonly Statement[], tail: boolean): void {
    for (const [i, statement] of list.entries()) {
      const isLast = i + 1 === list.length;
      if (statement.kind === 'if' && ends(statement.then) && statement.otherwise.length === 0 && !isLast)
        // What follows is the other branch: then a `return` in either is the last thing done.
        return this.branch({ ...statement, otherwise: list.slice(i + 1) }, tail);
      this.statement(statement, tail && isLast);
    }
  }

  private statement(statement: Statement, tail: boolean): void {
    switch (statement.kind) {
      case 'let':
        return this.define(statement);
      case 'assign':
        return statement.scope === 'local' ? this.assign(statement) : this.assignGlobal(statement);
      case 'if':
        return this.branch(statement, tail);
      case 'while':
        return this.loop(statement);
      case 'return':
        return this.leave(statement, tail);
      case 'raise':
        return this.raise(this.lower(statement.flags));
      case 'call':
        this.call({ ...statement, type: this.definition(statement.name).result ?? 'i32' }, Part.NONE);
        return;
      case 'setFloatRegister':
      case 'storeFloat':
      case 'setFloatCsr':
        throw new Error(`no row says ${statement.kind}`);
      default:
        this.deed(statement);
    }
  }

  /** No flags change nothing, mstatus.FS neither. */
  private raise(flags: Value): void {
    if (v.is(flags, 0)) return;
    const kept = this.keep(flags);
    const accrue = `x[${HartWord.FCSR}] |= ${kept.code}; x[${HartWord.MSTATUS}] |= ${Status.FS};`;
    this.emit(kept.literal === undefined ? `if (${kept.code} !== 0) { ${accrue} }` : accrue);
  }

  private local(name: string, type: Type, value?: Pair): Local {
    const local = { name: `${this.prefix}${name}`, type, value: value ?? single(ABSENT) };
    this.scope.set(name, local);
    return local;
  }

  /** Parts of a local that are read somewhere, as far as is known. */
  private needOf(local: Local): Part {
    return this.needs.get(local.name) ?? Part.NONE;
  }

  private define({ name, type, value }: Of<'let'>): void {
    const local = this.local(name, type);
    const mutable = this.assigned.has(name);
    const need = this.needOf(local);
    const given = type === 'i64' ? this.lower64(value, need) : single(this.lower(value));
    local.value = pairOf((part) => {
      const initial = partOf(given, part);
      const kept = mutable ? v.variable(local.name + ENDINGS[part]!) : v.name(local.name + ENDINGS[part]!);
      if (!mutable && initial.atom && !initial.variable) return initial;
      this.emit(`${mutable ? 'let' : 'const'} ${kept.code}${mutable ? `: ${jsType(type)}` : ''} = ${initial.code};`);
      return kept;
    }, need);
  }

  private assign({ name, value }: Of<'assign'>): void {
    const local = this.scope.get(name)!;
    const need = this.needOf(local);
    const given = value.type === 'i64' ? this.lower64(value, need) : single(this.lower(value));
    const parts = PARTS.filter((part) => need & part);
    // All parts are computed before one is assigned: they may depend on one another.
    const computed = parts.map((part, i) =>
      i + 1 === parts.length ? partOf(given, part) : this.copy(partOf(given, part)),
    );
    parts.forEach((_, i) => {
      const at = parts.length - 1 - i;
      this.emit(`${partOf(local.value, parts[at]!).code} = ${computed[at]!.code};`);
    });
  }

  private assignGlobal({ name, value }: Of<'assign'>): void {
    const slot = this.globalSlot(name);
    if (value.type === 'i64') {
      const { low, high } = this.lower64(value, Part.BOTH);
      this.emit(`globals[${slot}] = ${low.code}; globals[${slot} + 1] = ${high.code};`);
    } else if (value.type === 'f32' || value.type === 'f64') {
      this.emit(`floatGlobals[${slot}] = ${this.lower(value).code};`);
    } else
      this.emit(
        `globals[${slot}] = ${value.type === 'bool' ? v.bit(this.lower(value)).code : this.lower(value).code};`,
      );
  }

  private branch({ condition, then, otherwise }: Of<'if'>, tail: boolean): void {
    const test = this.lower(condition);
    if (test.literal !== undefined) return this.statements(test.literal ? then : otherwise, tail);
    const yes = this.apart(() => this.statements(then, tail)).lines;
    const no = this.apart(() => this.statements(otherwise, tail)).lines;
    if (yes.length + no.length === 0) return;
    if (yes.length === 0) this.lines.push(`if (${v.negation(test).code}) {`, ...no, '}');
    else if (no.length === 0) this.lines.push(`if (${test.code}) {`, ...yes, '}');
    else this.lines.push(`if (${test.code}) {`, ...yes, '} else {', ...no, '}');
  }

  private loop({ condition, body }: Of<'while'>): void {
    const { lines: before, result: test } = this.apart(() => this.lower(condition));
    const { lines } = this.apart(() => this.statements(body, false));
    if (before.length === 0) this.lines.push(`while (${test.code}) {`, ...lines, '}');
    else this.lines.push('for (;;) {', ...before, `if (${v.negation(test).code}) break;`, ...lines, '}');
  }

  private leave({ value }: Of<'return'>, tail: boolean): void {
    const { frame } = this;
    if (!frame) throw new Error('return outside of a function');
    if (frame.result === undefined) return this.answer(value, frame);
    if (value) {
      const given = value.type === 'i64' ? this.lower64(value, frame.need) : single(this.lower(value));
      for (const part of PARTS)
        if (frame.need & part) this.emit(`${partOf(frame.result, part).code} = ${partOf(given, part).code};`);
    }
    if (tail) return;
    frame.labelled = true;
    this.emit(`break ${frame.label};`);
  }

  /** The result of a function of its own. */
  private answer(value: Of<'return'>['value'], { type }: Frame): void {
    if (!value) return this.emit('return;');
    if (type !== 'i64') return this.emit(`return ${this.lower(value).code};`);
    const { low, high } = this.lower64(value, Part.BOTH);
    const kept = this.keep(low);
    this.emit(`words[0] = ${high.code}; return ${kept.code};`);
  }

  private definition(name: string): FunctionDefinition {
    const found = this.linkage.library.functions.get(name);
    if (!found) throw new Error(`no function ${name}`);
    return found;
  }

  /** Halves of an i64 that are passed to a function. Its bits as a float64 are made of them: a number that is no small integer is boxed. */
  private passed(parameter: string): Part {
    const wants = this.needs.get(parameter) ?? Part.NONE;
    return wants & Part.FLOAT ? Part.BOTH : wants;
  }

  protected call(e: Call, need: Part): Pair {
    const definition = this.definition(e.name);
    const wanted = definition.result === 'i64' ? need : definition.result ? Part.LOW : Part.NONE;
    if (this.linkage.inlined.has(e.name)) return this.putInPlace(e, definition, wanted);
    const args = definition.parameters.flatMap(({ name, type }, i) => {
      if (type !== 'i64') return [this.lower(e.args[i]!)];
      const wants = this.passed(parameterName(e.name, name));
      const given = this.lower64(e.args[i]!, wants);
      return PARTS.filter((part) => wants & part).map((part) => partOf(given, part));
    });
    const call = `${functionName(e.name)}(${args.map(({ code }) => code).join(', ')})`;
    if (wanted === Part.NONE) {
      this.emit(`${call};`);
      return single(ABSENT);
    }
    const low = this.copy(v.access(call));
    if (!(wanted & ~Part.LOW)) return single(low);
    const high = this.copy(v.access('words[0]'));
    if (!(wanted & Part.FLOAT)) return { low, high };
    return { low, high, float: this.reinterpreted(low, high) };
  }

  /** The body of a function in place of a call; its locals get names of this instance. */
  private putInPlace(e: Call, definition: FunctionDefinition, need: Part): Pair {
    const instance = `${e.name}${++this.instances}_`;
    const outer = { scope: this.scope, prefix: this.prefix, frame: this.frame, assigned: this.assigned };
    const scope = new Map<string, Local>();
    definition.parameters.forEach(({ name, type }, i) => {
      const local: Local = { name: instance + name, type, value: single(ABSENT) };
      const wants = this.needOf(local);
      const given = type === 'i64' ? this.lower64(e.args[i]!, wants) : single(this.lower(e.args[i]!));
      local.value = pairOf((part) => this.keep(partOf(given, part)), type === 'i64' ? wants : Part.LOW);
      scope.set(name, local);
    });
    this.scope = scope;
    this.prefix = instance;
    this.assigned = assignedIn(definition.body);
    const direct = definition.body.at(-1);
    let result: Pair;
    if (direct?.kind === 'return' && direct.value && definition.body.slice(0, -1).every(({ kind }) => kind === 'let')) {
      this.frame = undefined;
      this.statements(definition.body.slice(0, -1), false);
      result = direct.value.type === 'i64' ? this.lower64(direct.value, need) : single(this.lower(direct.value));
    } else result = this.block(definition, need, instance);
    this.scope = outer.scope;
    this.prefix = outer.prefix;
    this.frame = outer.frame;
    this.assigned = outer.assigned;
    return result;
  }

  private block(definition: FunctionDefinition, need: Part, label: string): Pair {
    const result = pairOf(() => this.declare(definition.result && jsType(definition.result)), need);
    const frame: Frame = { type: definition.result, need, result, label, labelled: false };
    this.frame = frame;
    const { lines } = this.apart(() => this.statements(definition.body, true));
    this.lines.push(`${frame.labelled ? `${label}: ` : ''}{`, ...lines, '}');
    return result;
  }

  /** The body of a row. */
  protected body(list: readonly Statement[]): void {
    this.assigned = assignedIn(list);
    this.statements(list, false);
  }

  /** A function of its own: its text. */
  functionText(definition: FunctionDefinition): string[] {
    const { name, parameters, result } = definition;
    const names = parameters.flatMap((parameter) => {
      const own = parameterName(name, parameter.name);
      const wants = parameter.type === 'i64' ? this.passed(own) : Part.LOW;
      const value = pairOf((part) => v.name(own + ENDINGS[part]!), wants);
      this.scope.set(parameter.name, { name: own, type: parameter.type, value });
      return PARTS.filter((part) => wants & part).map((part) => `${own}${ENDINGS[part]}: ${jsType(parameter.type)}`);
    });
    const { lines: floats } = this.apart(() => {
      for (const local of this.scope.values())
        if (this.needOf(local) & Part.FLOAT)
          local.value = { ...local.value, float: this.reinterpreted(local.value.low, local.value.high) };
    });
    this.frame = { type: result, need: Part.BOTH, result: undefined, label: '', labelled: false };
    this.assigned = assignedIn(definition.body);
    const { lines } = this.apart(() => this.statements(definition.body, true));
    return [
      `function ${functionName(name)}(${names.join(', ')}): ${result ? jsType(result) : 'void'} {`,
      ...floats,
      ...lines,
      '}',
    ];
  }
}

function assignedIn(body: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  eachStatement(body, (statement) => {
    if (statement.kind === 'assign' && statement.scope === 'local') names.add(statement.name);
  });
  return names;
}
