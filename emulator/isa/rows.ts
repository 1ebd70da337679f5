// All rows of the instruction set.
import { EXTENSIONS, PRIVILEGED_ARCHITECTURE } from './extensions';
import type { Row } from './row';

/** Every row, those of 32-bit instructions first. */
export const ROWS: readonly Row[] = [...EXTENSIONS, PRIVILEGED_ARCHITECTURE]
  .flatMap(({ rows }) => rows)
  .sort((a, b) => Number(a.expansion !== undefined) - Number(b.expansion !== undefined));

/** Rows of 32-bit instructions: exactly one per operation, but for fence.tso, which is a named case of fence. */
export const BASE_ROWS: readonly Row[] = ROWS.filter(({ expansion }) => expansion === undefined);
