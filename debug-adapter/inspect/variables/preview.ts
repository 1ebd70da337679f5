/** One line for a struct or an array: `{a = 1, b = {...}}`, `{1, 2, 3, ...}`, `"text"`. Bounded in length and in depth. */
import { sizeOf, strip, typeName, type ArrayType } from '../../symbols/dwarf/info/model';
import { isCharacter } from './scalars';
import { MAX_STRING, stringLiteral } from './text';
import { readPlace } from './place';
import type { Value } from './value';

const BUDGET = 120;
/** What a nested compound needs at least to be worth more than an ellipsis. */
const WORTHWHILE = 20;
const MAX_PARTS = 16;

/** The preview of a value that is no scalar. */
export function preview(value: Value, budget = BUDGET): string {
  const { location } = value.place;
  if (location.kind === 'unavailable') return `<${location.reason}>`;
  const actual = strip(value.type);
  switch (actual.kind) {
    case 'array':
      return isCharacter(actual.element) ? text(value, actual) : arrayPreview(value, actual, budget);
    case 'struct':
      return actual.incomplete
        ? `<incomplete type ${typeName(actual)}>`
        : parts(value, budget, (child) => `${child.name} = `);
    case 'void':
      return '<void>';
    case 'unknown':
      return `<its type cannot be read: ${actual.reason}>`;
    default:
      return value.text();
  }
}

function arrayPreview(value: Value, type: ArrayType, budget: number): string {
  const count = value.elementCount(type);
  if (count === undefined) return '{<length not known>}';
  return parts(value, budget, () => '', count);
}

function parts(value: Value, budget: number, label: (child: Value) => string, total?: number): string {
  const children = value.children(0, MAX_PARTS + 1);
  const texts: string[] = [];
  let left = budget - 2;
  for (const child of children.slice(0, MAX_PARTS)) {
    if (left <= 0) break;
    const prefix = label(child);
    const actual = strip(child.type);
    const isCompound = actual.kind === 'struct' || (actual.kind === 'array' && !isCharacter(actual.element));
    const text = prefix + (isCompound && left < WORTHWHILE ? '{...}' : child.text(left - prefix.length - 5));
    texts.push(text);
    left -= text.length + 2;
  }
  const isCut = texts.length < (total ?? children.length);
  return `{${texts.join(', ')}${isCut ? `${texts.length ? ', ' : ''}...` : ''}}`;
}

/** A character array as a string, up to its first NUL. */
function text(value: Value, type: ArrayType): string {
  const count = value.elementCount(type);
  const size = sizeOf(type.element) ?? 1;
  if (count === undefined) return '{<length not known>}';
  const bytes = readPlace(value.place, Math.min(count * size, MAX_STRING + 1), value.context);
  if (!(bytes instanceof Uint8Array)) return `<${bytes.unavailable}>`;
  const end = bytes.indexOf(0);
  const shown = bytes.subarray(0, end < 0 ? MAX_STRING : Math.min(end, MAX_STRING));
  return stringLiteral(shown) + (shown.length < bytes.length && end < 0 ? '…' : '');
}
