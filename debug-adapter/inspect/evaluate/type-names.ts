/** From a type as it is written in an expression to a type of the program. */
import { canonicalName, pointerTo, VOID, type Type } from '../../symbols/dwarf/info/model';
import type { FrameScope } from '../variables/frame';
import { errors } from './errors';
import { POINTER_SIZE } from './lvalues';
import { BUILT_IN } from './numbers';
import type { TypeSyntax } from './syntax';

/** Whether a name is a typedef here, and not a variable that hides it. */
export function isTypeName(scope: FrameScope, name: string): boolean {
  if (scope.program.info.typeNamed(name, '', scope.frame.pc) === undefined) return false;
  return scope.lookUp(name) === undefined;
}

/** Throws an EvaluateError where the program has no such type. */
export function resolveType(scope: FrameScope, syntax: TypeSyntax): Type {
  let type = specified(scope, syntax);
  for (let i = 0; i < syntax.pointers; i++) type = pointerTo(type, POINTER_SIZE);
  for (const count of [...syntax.lengths].reverse()) type = { kind: 'array', element: type, count, bound: undefined };
  return type;
}

function specified(scope: FrameScope, { keyword, name, column }: TypeSyntax): Type {
  if (keyword === '' && name === 'void') return VOID;
  const found = scope.program.info.typeNamed(name, keyword, scope.frame.pc);
  if (found) return found;
  const builtIn = keyword === '' ? BUILT_IN.get(canonicalName(name)) : undefined;
  if (!builtIn) throw errors.unknownType(keyword === '' ? name : `${keyword} ${name}`, column);
  return builtIn;
}
