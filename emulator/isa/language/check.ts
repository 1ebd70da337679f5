/**
 * The checker: texts of the row language become typed trees, or an error with title, line and column. Entry points of the language:
 * `parseLibrary` for the functions that rows call, `parseSemantics` for a row.
 */
import { bitsType, HOST, STORES, TYPES } from './builtins';
import { callArguments, expression, hostArguments } from './check-expression';
import { readLibrary, readStatements } from './grammar';
import type {
  Expression,
  FunctionDefinition,
  GlobalDefinition,
  HostName,
  Library,
  RegisterFile,
  Semantics,
  Statement,
  Type,
} from './ir';
import { textError } from './lexer';
import { namesOf, Scope, type FunctionType, type Names } from './scope';
import type { RawExpression, RawFunction, RawLibrary, RawStatement } from './syntax';
import { returns, touchesFloat } from './walk';

/** A file of the library: `title` is what errors call it. */
export interface LibraryText {
  readonly title: string;
  readonly text: string;
}

function typeOf(source: { title: string; text: string }, at: number, name: string): Type {
  if (!TYPES.has(name)) throw textError(source.title, source.text, at, `there is no type ${name}`);
  return name as Type;
}

function statements(scope: Scope, raw: readonly RawStatement[]): Statement[] {
  return raw.map((statement) => checked(scope, statement));
}

function checked(scope: Scope, raw: RawStatement): Statement {
  switch (raw.kind) {
    case 'let':
    case 'var': {
      const value = expression(scope, raw.value, raw.type === undefined ? undefined : typeOf(scope, raw.at, raw.type));
      scope.declare(raw.at, raw.name, value.type, raw.kind === 'var');
      return { kind: 'let', name: raw.name, type: value.type, value };
    }
    case 'assign':
      return assignment(scope, raw.at, raw.name, raw.value);
    case 'if': {
      const condition = expression(scope, raw.condition, 'bool');
      const then = scope.within(() => statements(scope, raw.then));
      return { kind: 'if', condition, then, otherwise: scope.within(() => statements(scope, raw.otherwise)) };
    }
    case 'while': {
      const condition = expression(scope, raw.condition, 'bool');
      return { kind: 'while', condition, body: scope.within(() => statements(scope, raw.body)) };
    }
    case 'return':
      if (scope.fields) scope.fail(raw.at, 'a row does not return');
      if (scope.result === undefined && raw.value) scope.fail(raw.at, 'a function without a result returns nothing');
      if (scope.result !== undefined && !raw.value) scope.fail(raw.at, `return a value of ${scope.result}`);
      return { kind: 'return', value: raw.value && expression(scope, raw.value, scope.result) };
    case 'call':
      return effect(scope, raw.at, raw.name, raw.args);
  }
}

function assignment(scope: Scope, at: number, name: string, raw: RawExpression): Statement {
  if (name === 'rd' || name === 'frd') {
    scope.field(at, 'rd');
    const file: RegisterFile = name === 'rd' ? 'x' : 'f';
    return { kind: 'setRegister', file, value: expression(scope, raw, 'i64') };
  }
  const local = scope.local(name);
  if (local) {
    if (!local.variable) scope.fail(at, `${name} cannot be assigned: it is no var`);
    return { kind: 'assign', scope: 'local', name, value: expression(scope, raw, local.type) };
  }
  const global = scope.names.globals.get(name);
  if (!global) scope.fail(at, `there is no variable ${name}`);
  return { kind: 'assign', scope: 'global', name, value: expression(scope, raw, global) };
}

/** Calls that stand as statements. */
function effect(scope: Scope, at: number, name: string, args: readonly RawExpression[]): Statement {
  const exactly = (count: number): void => {
    if (args.length !== count) scope.fail(at, `${name} takes ${count} operands, not ${args.length}`);
  };
  const rowOnly = (): void => {
    if (!scope.fields) scope.fail(at, `${name}: functions only compute`);
  };
  const bits = STORES[name];
  if (bits) {
    rowOnly();
    exactly(2);
    const address = expression(scope, args[0]!, 'i64');
    return { kind: 'store', bits, address, value: expression(scope, args[1]!, bitsType(bits)) };
  }
  switch (name) {
    case 'jump': {
      rowOnly();
      exactly(1);
      const target = expression(scope, args[0]!, 'i64');
      return { kind: 'jump', target, relative: isRelative(target) };
    }
    case 'trap': {
      rowOnly();
      const cause = expression(scope, args[0]!, 'i32');
      return { kind: 'trap', cause, value: args.length > 1 ? expression(scope, args[1]!, 'i64') : undefined };
    }
    case 'illegal':
      rowOnly();
      exactly(0);
      return { kind: 'illegal' };
    case 'raise':
      exactly(1);
      return { kind: 'raise', flags: expression(scope, args[0]!, 'i32') };
  }
  if (name in HOST) return { kind: 'host', name: name as HostName, args: hostArguments(scope, at, name, args) };
  if (!scope.names.functions.has(name)) scope.fail(at, `there is no function ${name}`);
  return { kind: 'call', name, args: callArguments(scope, at, name, args) };
}

const isRelative = (target: Expression): boolean =>
  target.kind === 'binary' && target.name === '+' && target.left.kind === 'pc' && target.right.kind === 'immediate';

/** Value of a constant's expression: literals, earlier constants, + - * << |. */
function constantValue(source: RawLibrary, known: ReadonlyMap<string, bigint>, raw: RawExpression): bigint {
  const value = (inner: RawExpression): bigint => constantValue(source, known, inner);
  if (raw.kind === 'number') return raw.value;
  if (raw.kind === 'name' && known.has(raw.name)) return known.get(raw.name)!;
  if (raw.kind === 'unary' && raw.name === '-') return -value(raw.operand);
  if (raw.kind === 'binary')
    switch (raw.name) {
      case '+':
        return value(raw.left) + value(raw.right);
      case '-':
        return value(raw.left) - value(raw.right);
      case '*':
        return value(raw.left) * value(raw.right);
      case '<<':
        return value(raw.left) << value(raw.right);
      case '|':
        return value(raw.left) | value(raw.right);
    }
  throw textError(source.title, source.text, raw.at, 'not a constant');
}

function checkFunction(source: RawLibrary, names: Names, raw: RawFunction): FunctionDefinition {
  const { parameters: types, result } = names.functions.get(raw.name)!;
  const scope = new Scope(source.title, source.text, names, undefined, result);
  const parameters = raw.parameters.map(({ name }, i) => {
    scope.declare(raw.at, name, types[i]!, false);
    return { name, type: types[i]! };
  });
  const body = statements(scope, raw.body);
  if (result !== undefined && !returns(body)) scope.fail(raw.at, `${raw.name} does not return on every path`);
  return { name: raw.name, parameters, result, body };
}

/** Checks the files of a library, which may use each other's names. Throws on the first mistake. */
export function parseLibrary(texts: readonly LibraryText[]): Library {
  const raws = texts.map(({ title, text }) => readLibrary(title, text));
  const constants = new Map<string, bigint>();
  const globals = new Map<string, GlobalDefinition>();
  const types = new Map<string, FunctionType>();
  const taken = new Set<string>();
  for (const raw of raws) {
    const claim = (name: string, at: number): void => {
      if (taken.has(name)) throw textError(raw.title, raw.text, at, `${name} is defined twice`);
      taken.add(name);
    };
    for (const { name, value, at } of raw.constants) {
      claim(name, at);
      constants.set(name, constantValue(raw, constants, value));
    }
    for (const { name, type, at } of raw.globals) {
      claim(name, at);
      globals.set(name, { name, type: typeOf(raw, at, type) });
    }
    for (const { name, parameters, result, at } of raw.functions) {
      claim(name, at);
      types.set(name, {
        parameters: parameters.map(({ type }) => typeOf(raw, at, type)),
        result: result === undefined ? undefined : typeOf(raw, at, result),
      });
    }
  }
  const names: Names = {
    functions: types,
    globals: new Map([...globals].map(([name, { type }]) => [name, type])),
    constants,
  };
  const functions = raws.flatMap((raw) => raw.functions.map((fn) => checkFunction(raw, names, fn)));
  return { functions: new Map(functions.map((fn) => [fn.name, fn])), globals, constants };
}

/**
 * The meaning of a row.
 * @param title what errors call it: the mnemonic
 * @param fields names of the fields of its encoding (row.ts)
 */
export function parseSemantics(title: string, text: string, fields: ReadonlySet<string>, library: Library): Semantics {
  const scope = new Scope(title, text, namesOf(library), fields, undefined);
  const body = statements(scope, readStatements(title, text));
  return { body, usesFloat: touchesFloat(body, library) };
}
