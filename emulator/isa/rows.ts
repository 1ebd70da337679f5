// All rows of the instruction set, base rows first.
import { A } from './a';
import { C } from './c';
import { D } from './d';
import { F } from './f';
import { M } from './m';
import { PRIVILEGED } from './privileged';
import { RV64I } from './rv64i';
import { ZICSR } from './zicsr';
import { ZIFENCEI } from './zifencei';
import type { Row } from './row';

/** Rows of 32-bit instructions: exactly one per operation, but for fence.tso, which is a named case of fence. */
export const BASE_ROWS: readonly Row[] = [...RV64I, ...ZIFENCEI, ...M, ...A, ...ZICSR, ...PRIVILEGED, ...F, ...D];

/** Every row. */
export const ROWS: readonly Row[] = [...BASE_ROWS, ...C];
