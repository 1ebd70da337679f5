/** Types of expressions: raw trees (syntax.ts) become typed ones (ir.ts). A literal takes the type that stands beside or above it. */
import { bitsType, HOST, IMMEDIATES, LOADS, STATE, UNARY } from './builtins';
import type { BinaryName, Expression, HostName, Source, StateName, Type, UnaryName } from './ir';
import type { Scope } from './scope';
import type { RawExpression } from './syntax';

const INTEGERS: readonly Type[] = ['i32', 'i64'];
const FLOATS: readonly Type[] = ['f32', 'f64'];
/** Types that an operator of two operands takes. */
const OPERANDS: Readonly<Record<BinaryName, readonly Type[]>> = {
  '+': [...INTEGERS, ...FLOATS],
  '-': [...INTEGERS, ...FLOATS],
  '*': [...INTEGERS, ...FLOATS],
  '/': FLOATS,
  '/s': INTEGERS,
  '/u': INTEGERS,
  '%s': INTEGERS,
  '%u': INTEGERS,
  '&': INTEGERS,
  '|': INTEGERS,
  '^': INTEGERS,
  '<<': INTEGERS,
  '>>s': INTEGERS,
  '>>u': INTEGERS,
  rotl: INTEGERS,
  rotr: INTEGERS,
  '==': ['bool', ...INTEGERS, ...FLOATS],
  '!=': ['bool', ...INTEGERS, ...FLOATS],
  '<s': INTEGERS,
  '<u': INTEGERS,
  '<=s': INTEGERS,
  '<=u': INTEGERS,
  '<': FLOATS,
  '<=': FLOATS,
  '&&': ['bool'],
  '||': ['bool'],
};
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<s', '<u', '<=s', '<=u', '<', '<=', '&&', '||']);

/** Is the expression made of literals and constants alone, so that its type comes from elsewhere? */
function untyped(scope: Scope, raw: RawExpression): boolean {
  switch (raw.kind) {
    case 'number':
      return raw.suffix === undefined;
    case 'name':
      return scope.names.constants.has(raw.name);
    case 'unary':
      return raw.name !== '!' && untyped(scope, raw.operand);
    case 'binary':
      return !COMPARISONS.has(raw.name) && untyped(scope, raw.left) && untyped(scope, raw.right);
    case 'choice':
      return untyped(scope, raw.then) && untyped(scope, raw.otherwise);
    default:
      return false;
  }
}

function literal(scope: Scope, at: number, value: bigint, type: Type | undefined): Expression {
  if (type !== 'i32' && type !== 'i64')
    scope.fail(at, type ? `a number where ${type} is expected` : 'what type has this number? Write 5i32 or 5i64');
  const width = type === 'i32' ? 32 : 64;
  if (BigInt.asIntN(width, value) !== value && BigInt.asUintN(width, value) !== value)
    scope.fail(at, `${value} does not fit in ${type}`);
  return { kind: 'constant', type, value: BigInt.asIntN(width, value) };
}

/** @param expected the type of the place, if it has one: what a literal becomes, and what anything else must be */
export function expression(scope: Scope, raw: RawExpression, expected?: Type): Expression {
  const typed = typedOf(scope, raw, expected);
  if (expected && typed.type !== expected) scope.fail(raw.at, `${typed.type} where ${expected} is expected`);
  return typed;
}

function typedOf(scope: Scope, raw: RawExpression, expected: Type | undefined): Expression {
  switch (raw.kind) {
    case 'number':
      return literal(scope, raw.at, raw.value, raw.suffix ?? expected);
    case 'name':
      return named(scope, raw.at, raw.name, expected);
    case 'field':
      scope.field(raw.at, raw.name);
      if (!/^(rd|rs[123])$/.test(raw.name)) scope.fail(raw.at, `#${raw.name} is no register field`);
      return { kind: 'number', type: 'i32', field: raw.name as Source };
    case 'unary':
      return prefix(scope, raw, expected);
    case 'binary':
      return binary(scope, raw.at, raw.name as BinaryName, raw.left, raw.right, expected);
    case 'choice': {
      const condition = expression(scope, raw.condition, 'bool');
      const [then, otherwise] = pair(scope, raw.then, raw.otherwise, expected);
      return { kind: 'choice', type: then.type, condition, then, otherwise };
    }
    case 'call':
      return call(scope, raw.at, raw.name, raw.args, expected);
  }
}

/** Two expressions of one type. */
function pair(
  scope: Scope,
  left: RawExpression,
  right: RawExpression,
  expected: Type | undefined,
): [Expression, Expression] {
  if (expected === undefined && untyped(scope, left)) {
    const typed = expression(scope, right);
    return [expression(scope, left, typed.type), typed];
  }
  const typed = expression(scope, left, expected);
  return [typed, expression(scope, right, typed.type)];
}

function binary(
  scope: Scope,
  at: number,
  name: BinaryName,
  rawLeft: RawExpression,
  rawRight: RawExpression,
  expected: Type | undefined,
): Expression {
  const compares = COMPARISONS.has(name);
  const operands = name === '&&' || name === '||' ? 'bool' : compares ? undefined : expected;
  const [left, right] = pair(scope, rawLeft, rawRight, operands);
  if (!OPERANDS[name].includes(left.type)) scope.fail(at, `${name} does not take ${left.type}`);
  return { kind: 'binary', type: compares ? 'bool' : left.type, name, left, right };
}

function prefix(scope: Scope, raw: RawExpression & { kind: 'unary' }, expected: Type | undefined): Expression {
  if (raw.name === '-' && raw.operand.kind === 'number')
    return literal(scope, raw.at, -raw.operand.value, raw.operand.suffix ?? expected);
  const operand = expression(scope, raw.operand, raw.name === '!' ? 'bool' : expected);
  const takes: readonly Type[] = raw.name === '!' ? ['bool'] : raw.name === '~' ? INTEGERS : [...INTEGERS, ...FLOATS];
  if (!takes.includes(operand.type)) scope.fail(raw.at, `${raw.name} does not take ${operand.type}`);
  return { kind: 'unary', type: operand.type, name: raw.name as UnaryName, operand };
}

function named(scope: Scope, at: number, name: string, expected: Type | undefined): Expression {
  const local = scope.local(name);
  if (local) return { kind: 'local', type: local.type, name };
  const constant = scope.names.constants.get(name);
  if (constant !== undefined) return literal(scope, at, constant, expected);
  const global = scope.names.globals.get(name);
  if (global) return { kind: 'global', type: global, name };
  if (name === 'true' || name === 'false') return { kind: 'constant', type: 'bool', value: name === 'true' ? 1n : 0n };
  if (name in STATE) return { kind: 'state', type: STATE[name as StateName], name: name as StateName };
  return ofInstruction(scope, at, name);
}

/** Names that only rows know. */
function ofInstruction(scope: Scope, at: number, name: string): Expression {
  if (/^f?rs[123]$/.test(name)) {
    const field = name.replace(/^f/, '') as Source;
    scope.field(at, field);
    return { kind: 'register', type: 'i64', file: name.startsWith('f') ? 'f' : 'x', field };
  }
  if (IMMEDIATES.has(name)) {
    scope.field(at, name);
    return { kind: 'immediate', type: 'i64' };
  }
  if (name === 'zimm') {
    scope.field(at, name);
    return { kind: 'unary', type: 'i64', name: 'zext64', operand: { kind: 'number', type: 'i32', field: 'rs1' } };
  }
  if (name === 'rm') {
    scope.field(at, name);
    return { kind: 'rounding', type: 'i32' };
  }
  if ((name === 'pc' || name === 'length') && scope.fields) return { kind: name, type: 'i64' };
  return scope.fail(at, `${name} has no meaning here`);
}

function call(
  scope: Scope,
  at: number,
  name: string,
  args: readonly RawExpression[],
  expected: Type | undefined,
): Expression {
  const count = (wanted: number): void => {
    if (args.length !== wanted) scope.fail(at, `${name} takes ${wanted} operands, not ${args.length}`);
  };
  const forms = UNARY.get(name as UnaryName);
  if (forms) {
    count(1);
    // With one form, or where the place says which, a literal has a type.
    const known = forms.length === 1 ? forms[0] : forms.find(([, result]) => result === expected && name !== 'zext64');
    const operand = expression(scope, args[0]!, untyped(scope, args[0]!) ? known?.[0] : undefined);
    const form =
      forms.find(([from]) => from === operand.type) ?? scope.fail(at, `${name} does not take ${operand.type}`);
    return { kind: 'unary', type: form[1], name: name as UnaryName, operand };
  }
  if (name === 'rotl' || name === 'rotr') {
    count(2);
    return binary(scope, at, name, args[0]!, args[1]!, expected);
  }
  if (name === 'fused') {
    count(3);
    const typed = args.map((arg) => expression(scope, arg));
    const [{ type }] = typed as [Expression];
    if ((type !== 'f32' && type !== 'f64') || typed.some((arg) => arg.type !== type))
      scope.fail(at, 'fused takes three floats of one type');
    return { kind: 'intrinsic', type, name, args: typed };
  }
  const bits = LOADS[name];
  if (bits) {
    count(1);
    if (!scope.fields) scope.fail(at, 'functions do not load');
    return { kind: 'load', type: bitsType(bits), bits, address: expression(scope, args[0]!, 'i64') };
  }
  const host = HOST[name as HostName] as (typeof HOST)[HostName] | undefined;
  if (host) {
    if (!host.result) scope.fail(at, `${name} has no result`);
    return { kind: 'host', type: host.result, name: name as HostName, args: hostArguments(scope, at, name, args) };
  }
  const type = scope.names.functions.get(name) ?? scope.fail(at, `there is no function ${name}`);
  if (!type.result) scope.fail(at, `${name} has no result`);
  return { kind: 'call', type: type.result, name, args: callArguments(scope, at, name, args) };
}

/** Arguments of one of HOST. */
export function hostArguments(scope: Scope, at: number, name: string, args: readonly RawExpression[]): Expression[] {
  if (!scope.fields) scope.fail(at, `${name}: functions only compute`);
  return typedArguments(scope, at, name, args, HOST[name as HostName].args);
}

/** Arguments of a function of the library. */
export function callArguments(scope: Scope, at: number, name: string, args: readonly RawExpression[]): Expression[] {
  return typedArguments(scope, at, name, args, scope.names.functions.get(name)!.parameters);
}

function typedArguments(
  scope: Scope,
  at: number,
  name: string,
  args: readonly RawExpression[],
  types: readonly Type[],
): Expression[] {
  if (args.length !== types.length) scope.fail(at, `${name} takes ${types.length} operands, not ${args.length}`);
  return args.map((arg, i) => expression(scope, arg, types[i]));
}
