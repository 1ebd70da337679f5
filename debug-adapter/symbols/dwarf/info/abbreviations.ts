/**
 * `.debug_abbrev` (DWARF 5, section 7.5.3): what the entries of a unit look like. A table is read once per offset by the
 * unit that needs it; an entry whose forms all have a fixed size can then be skipped without looking at its attributes.
 */
import { ByteReader } from '../../bytes';
import { fixedFormSize } from './forms';
import { Form } from './constants';

/** The shape of one kind of entry. `names`, `forms` and `implicit` run in parallel. */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly names: readonly number[];
  readonly forms: readonly number[];
  /** The value of a DW_FORM_implicit_const, which is kept here and not in the entry. */
  readonly implicit: readonly bigint[];
}

export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

/** Real compilers stay below 40; the limit keeps a hostile table from making every one-byte entry expensive. */
export const MAX_ATTRIBUTES = 512;
const MAX_ABBREVIATIONS = 1 << 20;

/** Reads the table at `offset`. Throws a SymbolError where it is malformed. */
export function readAbbreviations(section: Uint8Array, offset: number): AbbreviationTable {
  const reader = new ByteReader('.debug_abbrev', section);
  if (offset > section.length) reader.fail('abbreviation table lies outside the section', offset);
  reader.seek(offset);
  const table = new Map<number, Abbreviation>();
  while (reader.remaining > 0) {
    const at = reader.offset;
    const code = reader.ulebNumber();
    if (code === 0) break;
    if (table.has(code)) reader.fail(`abbreviation ${code} is declared twice`, at);
    if (table.size >= MAX_ABBREVIATIONS) reader.fail(`more than ${MAX_ABBREVIATIONS} abbreviations`, at);
    table.set(code, readAbbreviation(reader));
  }
  return table;
}

function readAbbreviation(reader: ByteReader): Abbreviation {
  const tag = reader.ulebNumber();
  const hasChildren = reader.u8() !== 0;
  const names: number[] = [];
  const forms: number[] = [];
  const implicit: bigint[] = [];
  for (;;) {
    const at = reader.offset;
    const name = reader.ulebNumber();
    const form = reader.ulebNumber();
    const value = form === Form.implicit_const ? reader.sleb() : 0n;
    if (name === 0 && form === 0) return { tag, hasChildren, names, forms, implicit };
    if (names.length >= MAX_ATTRIBUTES) reader.fail(`an entry with more than ${MAX_ATTRIBUTES} attributes`, at);
    names.push(name);
    forms.push(form);
    implicit.push(value);
  }
}

/** The size of the attribute values of an entry when every form has a fixed one. */
export function fixedEntrySize(
  abbreviation: Abbreviation,
  addressSize: number,
  offsetSize: number,
): number | undefined {
  let total = 0;
  for (const form of abbreviation.forms) {
    const size = fixedFormSize(form, addressSize, offsetSize);
    if (size === undefined) return undefined;
    total += size;
  }
  return total;
}
