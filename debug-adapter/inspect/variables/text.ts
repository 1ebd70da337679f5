/** Characters and strings of the program as C literals. Whatever the bytes are, the result is printable text on one line. */
import type { TargetAccess } from './place';

/** Characters of a string that are shown. */
export const MAX_STRING = 200;
/** Strings are read in aligned chunks, so that one that ends before an unmapped page can be read. */
const CHUNK = 64n;

const NAMED: ReadonlyMap<number, string> = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x1b, '\\033'],
  [0x5c, '\\\\'],
]);

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** One byte inside of quotes. */
function escapeByte(byte: number, quote: string): string {
  const named = NAMED.get(byte);
  if (named) return named;
  if (byte < 0x20 || byte >= 0x7f) return octal(byte);
  const character = String.fromCharCode(byte);
  return character === quote ? `\\${quote}` : character;
}

/** A character as gdb and C write it: `'a'`, `'\n'`, `'\373'`. */
export const characterLiteral = (byte: number): string => `'${escapeByte(byte & 0xff, "'")}'`;

/** Unassigned or invisible characters, and those that change the direction of text around them. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;
const strict = new TextDecoder('utf-8', { fatal: true });

/** Bytes as a string literal. UTF-8 is shown as such when all of it is valid and visible. */
export function stringLiteral(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const character = bytes[i]! >= 0x80 ? visibleCharacterAt(bytes, i) : undefined;
    text += character?.text ?? escapeByte(bytes[i]!, '"');
    i += character?.length ?? 1;
  }
  return `"${text}"`;
}

function visibleCharacterAt(bytes: Uint8Array, at: number): { text: string; length: number } | undefined {
  const lead = bytes[at]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || at + length > bytes.length) return undefined;
  try {
    const text = strict.decode(bytes.subarray(at, at + length));
    return UNSAFE.test(text) ? undefined : { text, length };
  } catch {
    return undefined;
  }
}

/** The string at an address as a literal, cut with an ellipsis; undefined where not one byte of it can be read. */
export function readString(target: TargetAccess, address: bigint): string | undefined {
  const bytes: number[] = [];
  while (bytes.length <= MAX_STRING) {
    const at = address + BigInt(bytes.length);
    const chunk = target.readMemory(at, Number(CHUNK - (at % CHUNK)));
    if (!chunk) return bytes.length > 0 ? `${stringLiteral(Uint8Array.from(bytes))}… <cannot read on>` : undefined;
    const end = chunk.indexOf(0);
    bytes.push(...(end < 0 ? chunk : chunk.subarray(0, end)));
    if (end >= 0 && bytes.length <= MAX_STRING) return stringLiteral(Uint8Array.from(bytes));
  }
  return `${stringLiteral(Uint8Array.from(bytes.slice(0, MAX_STRING)))}…`;
}
