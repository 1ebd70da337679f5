/** What a DWARF expression needs from outside: a frame to ask, and the unit it stands in. */
import type { OperandType } from './operand';

/** What an expression may ask for. `undefined` always means that it cannot be known. */
export interface EvaluationContext {
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  /** By DWARF number; the bits of the register. */
  readRegister(register: number): bigint | undefined;
  frameBase?(): bigint | undefined;
  cfa?(): bigint | undefined;
  /** What the program was moved by when it was loaded: added to the addresses of the file. */
  readonly loadBias?: bigint;
  /** The value that an expression (a register, mostly) had when the function was entered. */
  entryValue?(expression: Uint8Array): bigint | undefined;
  /** The address of the object whose type or member this expression describes. */
  readonly objectAddress?: bigint;
}

/** What an expression needs from the unit it stands in. */
export interface ExpressionUnit {
  readonly addressSize: number;
  readonly offsetSize: number;
  /** Entry `index` of the unit's part of `.debug_addr`. May throw a SymbolError. */
  addressAt?(index: number): bigint;
  /** The base type whose entry is `offset` into the unit. May throw a SymbolError. */
  baseTypeAt?(offset: number): OperandType | undefined;
  /** The location expression of the entry `offset` into the unit (or section, for DW_OP_call_ref). */
  expressionAt?(offset: number, inSection: boolean): Uint8Array | undefined;
}
