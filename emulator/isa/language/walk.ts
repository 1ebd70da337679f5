/** Questions about typed trees that more than one reader of them asks. */
import type { Expression, Library, Statement } from './ir';

/** Calls `visit` with every expression under an expression, itself included. */
export function eachExpression(root: Expression, visit: (expression: Expression) => void): void {
  visit(root);
  if (root.kind === 'block') everyExpression(root.body, visit);
  for (const child of children(root)) eachExpression(child, visit);
}

function children(parent: Expression): readonly Expression[] {
  switch (parent.kind) {
    case 'unary':
      return [parent.operand];
    case 'binary':
      return [parent.left, parent.right];
    case 'choice':
      return [parent.condition, parent.then, parent.otherwise];
    case 'call':
    case 'host':
    case 'intrinsic':
      return parent.args;
    case 'load':
    case 'loadFloat':
      return [parent.address];
    default:
      return [];
  }
}

/** Expressions that stand in a statement itself, not in statements inside it. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case 'let':
    case 'assign':
    case 'setRegister':
    case 'setFloatRegister':
    case 'setFloatCsr':
      return [statement.value];
    case 'if':
    case 'while':
      return [statement.condition];
    case 'return':
      return statement.value ? [statement.value] : [];
    case 'store':
    case 'storeFloat':
      return [statement.address, statement.value];
    case 'jump':
      return [statement.target];
    case 'trap':
      return statement.value ? [statement.cause, statement.value] : [statement.cause];
    case 'raise':
      return [statement.flags];
    case 'host':
    case 'call':
      return statement.args;
    case 'illegal':
      return [];
  }
}

/** Calls `visit` with every statement of a body, inner ones included. */
export function eachStatement(body: readonly Statement[], visit: (statement: Statement) => void): void {
  for (const statement of body) {
    visit(statement);
    if (statement.kind === 'if') {
      eachStatement(statement.then, visit);
      eachStatement(statement.otherwise, visit);
    } else if (statement.kind === 'while') eachStatement(statement.body, visit);
  }
}

/** Calls `visit` with every expression anywhere in a body. */
export function everyExpression(body: readonly Statement[], visit: (expression: Expression) => void): void {
  eachStatement(body, (statement) => expressionsOf(statement).forEach((root) => eachExpression(root, visit)));
}

/** Does every path through the body end in a return? */
export function returns(body: readonly Statement[]): boolean {
  const last = body.at(-1);
  return last?.kind === 'return' || (last?.kind === 'if' && returns(last.then) && returns(last.otherwise));
}

/** Names of the functions that a body calls, directly or through others. */
export function calledBy(body: readonly Statement[], library: Library): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    collect(library.functions.get(name)?.body ?? []);
  };
  const collect = (inner: readonly Statement[]): void => {
    eachStatement(inner, (statement) => {
      if (statement.kind === 'call') add(statement.name);
    });
    everyExpression(inner, (expression) => {
      if (expression.kind === 'call') add(expression.name);
    });
  };
  collect(body);
  return found;
}

/** Does a row need mstatus.FS on: f registers, the rounding mode, accrued flags, here or in what it calls? */
export function touchesFloat(body: readonly Statement[], library: Library): boolean {
  const bodies = [body, ...[...calledBy(body, library)].map((name) => library.functions.get(name)!.body)];
  let found = false;
  for (const one of bodies) {
    eachStatement(one, (statement) => {
      found ||= statement.kind === 'raise' || (statement.kind === 'setRegister' && statement.file === 'f');
    });
    everyExpression(one, (expression) => {
      found ||=
        expression.kind === 'rounding' ||
        (expression.kind === 'register' && expression.file === 'f') ||
        (expression.kind === 'state' && (expression.name === 'frm' || expression.name === 'fflags'));
    });
  }
  return found;
}
