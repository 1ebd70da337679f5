/** Types as C spells them: `char *[4]`, `int (*)(void)`, `struct node *`; and the full definition behind a name. */
import { strip, type Type } from './types';

/** Deeper types are cut with an ellipsis; declarators grow with depth, and hostile types have no end. */
const MAX_DEPTH = 24;
const MAX_LENGTH = 400;
const MAX_PARAMETERS = 32;
const ELLIPSIS = '…';

/** The name of a type, as in a cast. */
export function typeName(type: Type): string {
  return cut(declare(type, '', 0));
}

/** A declaration of `name` with this type: `int (*handler)(void)`. */
export function declaration(type: Type, name: string): string {
  return cut(declare(type, name, 0));
}

const cut = (text: string): string => (text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH - 1) + ELLIPSIS : text);

/** Builds a declarator inside out: `inner` is what has been spelled so far. */
function declare(type: Type, inner: string, depth: number): string {
  if (depth > MAX_DEPTH || inner.length > MAX_LENGTH) return join(ELLIPSIS, inner);
  switch (type.kind) {
    case 'pointer': {
      const wrapped = bindsTighter(type.target) ? `(${type.symbol}${inner})` : type.symbol + inner;
      return declare(type.target, wrapped, depth + 1);
    }
    case 'array':
      return declare(type.element, `${inner}[${type.count ?? ''}]`, depth + 1);
    case 'function':
      return declare(type.returns, `${inner}(${parameterList(type, depth + 1)})`, depth + 1);
    case 'qualified':
      // A qualifier of a pointer follows the star; of anything else it stands in front.
      if (type.target.kind === 'pointer')
        return declare(type.target, inner ? join(type.qualifier, inner) : type.qualifier, depth + 1);
      return `${type.qualifier} ${declare(type.target, inner, depth + 1)}`;
    default:
      return join(simpleName(type), inner);
  }
}

function simpleName(type: Type): string {
  switch (type.kind) {
    case 'struct':
      return `${type.keyword} ${type.name ?? '{...}'}`;
    case 'enum':
      return `enum ${type.name ?? '{...}'}`;
    case 'base':
    case 'typedef':
      return type.name;
    case 'void':
      return 'void';
    default:
      return '<unknown type>';
  }
}

function parameterList(type: Extract<Type, { kind: 'function' }>, depth: number): string {
  const names = type.parameters.slice(0, MAX_PARAMETERS).map((parameter) => declare(parameter, '', depth));
  if (type.parameters.length > MAX_PARAMETERS) names.push(ELLIPSIS);
  if (type.variadic && type.prototyped) names.push('...');
  return names.length === 0 && type.prototyped ? 'void' : names.join(', ');
}

const bindsTighter = (target: Type): boolean => target.kind === 'array' || target.kind === 'function';

const join = (left: string, right: string): string =>
  right === '' || (right.startsWith('[') && left === '') ? left + right : `${left} ${right}`;

const MAX_LINES = 200;

/** The definition of a type: members with their types, enumerators with their values. For a hover. */
export function describeType(type: Type): string {
  const actual = strip(type);
  const lines: string[] = [];
  if (actual.kind === 'struct' || actual.kind === 'enum') definition(actual, '', '', lines, 0);
  else lines.push(typeName(actual));
  return lines.slice(0, MAX_LINES).join('\n') + (lines.length > MAX_LINES ? `\n${ELLIPSIS}` : '');
}

function definition(type: Type, name: string, indent: string, lines: string[], depth: number): void {
  const suffix = name ? ` ${name};` : '';
  const end = depth > 0 ? suffix || ';' : '';
  if (type.kind === 'enum') {
    const values = type.enumerators.slice(0, MAX_LINES).map((e) => `${e.name} = ${e.value}`);
    lines.push(`${indent}enum ${type.name ? type.name + ' ' : ''}{${values.join(', ')}}${end}`);
    return;
  }
  if (type.kind !== 'struct') return;
  const head = `${indent}${type.keyword} ${type.name ? type.name + ' ' : ''}`;
  if (type.incomplete) {
    lines.push(`${head}{<incomplete type>}${end}`);
    return;
  }
  lines.push(`${head}{`);
  for (const member of type.members) {
    if (lines.length > MAX_LINES) break;
    const unnamed = (member.type.kind === 'struct' || member.type.kind === 'enum') && member.type.name === undefined;
    const width = member.bits ? ` : ${member.bits.size}` : '';
    if (unnamed && depth < MAX_DEPTH) definition(member.type, member.name ?? '', indent + '    ', lines, depth + 1);
    else lines.push(`${indent}    ${declaration(member.type, member.name ?? '')}${width};`);
  }
  lines.push(`${indent}}${end}`);
}
