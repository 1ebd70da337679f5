// The meanings of the rows as typed trees, for everything that is made from them. Parsed when first asked for: a process that only
// decodes pays nothing. A mistake in a row or in the library throws here, with its place.
import { parseLibrary, parseSemantics } from './language/check';
import type { Library, Semantics } from './language/ir';
import { FLOAT_FUSED } from './library/float-fused';
import { LIBRARY_TEXTS } from './library/library';
import { Op } from './op';
import { readEncoding, type Row } from './row';
import { BASE_ROWS } from './rows';

let parsedLibrary: Library | undefined;
/** What rows may call: the files of library/. */
export function rowLibrary(): Library {
  return (parsedLibrary ??= parseLibrary(LIBRARY_TEXTS));
}

/** With what templates of translated code may call beside (engine/translator/make-templates.ts). */
export const templateLibrary = (): Library => parseLibrary([...LIBRARY_TEXTS, FLOAT_FUSED]);

/** The meaning of a row of a 32-bit instruction. */
export function parseRow(row: Row): Semantics {
  const fields = new Set(readEncoding(row.encoding).fields.keys());
  return parseSemantics(row.mnemonic, row.semantics ?? '', fields, rowLibrary());
}

let parsedRows: ReadonlyMap<Op, Semantics> | undefined;
/** The meaning of every operation, in the order of the rows; fence.tso means what fence does. */
export function rowSemantics(): ReadonlyMap<Op, Semantics> {
  return (parsedRows ??= new Map(BASE_ROWS.map((row) => [row.op, parseRow(row)])));
}
