/**
 * Checks that what a client sent has the shape a request needs, before a handler sees it. A shape names fields and their types; a
 * field that is not named is let through unread, as the protocol asks of both sides.
 */

export type Kind = 'string' | 'number' | 'boolean' | 'object' | 'count' | 'source' | 'lines' | 'places' | 'strings';
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
  count: 'an integer from 0',
  source: 'an object whose `path`, if any, is a string',
  lines: 'an array of integers',
  strings: 'an array of strings',
  places: 'an array of objects with an integer `line`',
};

function fits(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'object':
      return isObject(value);
    case 'source':
      return isObject(value) && ['string', 'undefined'].includes(typeof value['path']);
    case 'lines':
      return Array.isArray(value) && value.every(Number.isSafeInteger);
    case 'places':
      return Array.isArray(value) && value.every((one) => isObject(one) && Number.isSafeInteger(one['line']));
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === kind;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
