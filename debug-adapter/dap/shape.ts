/**
 * Checks that what a client sent has the shape a request needs, before a handler sees it. A shape names fields and their types; a
 * field that is not named is let through unread, as the protocol asks of both sides.
 */

export type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'count' | 'id';
/** Field name to kind; a trailing `?` makes it optional: `'number?'`. */
export type Shape = Readonly<Record<string, Kind | `${Kind}?`>>;

/** What is wrong with `args`, as a sentence without its full stop, or undefined when they fit. */
export function misfit(args: unknown, shape: Shape): string | undefined {
  const required = Object.values(shape).some((kind) => !kind.endsWith('?'));
  if (args === undefined || args === null) return required ? '`arguments` is missing' : undefined;
  if (typeof args !== 'object' || Array.isArray(args)) return '`arguments` must be an object';
  for (const [name, declared] of Object.entries(shape)) {
    const optional = declared.endsWith('?');
    const kind = (optional ? declared.slice(0, -1) : declared) as Kind;
    const value = (args as Record<string, unknown>)[name];
    if (value === undefined || value === null) {
      if (!optional) return `\`${name}\` is missing`;
    } else if (!fits(value, kind)) return `\`${name}\` must be ${NAMES[kind]}`;
  }
  return undefined;
}

const NAMES: Record<Kind, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
  count: 'an integer from 0',
  id: 'an integer from 0',
};

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'count':
    case 'id':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === kind;
  }
}
