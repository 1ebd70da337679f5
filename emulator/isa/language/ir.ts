/**
 * What the text of a row, or of a function that rows call, becomes: a typed tree. Every backend (the WebAssembly interpreter, the
 * TypeScript interpreter, the evaluator of the tests, the documentation) starts from this and knows no instruction by name.
 *
 * Values have an explicit width and no sign: `i32`, `i64`; operators carry the sign (`<s`, `>>u`). `bool` is what a comparison
 * gives. `f32` and `f64` are the host's binary32 and binary64 with round to nearest, ties to even; the bits of a NaN that the host
 * made are not defined, so no function may look at them.
 */

export type Type = 'bool' | 'i32' | 'i64' | 'f32' | 'f64';

/** Operators of one operand, named as they are written in the language. */
export type UnaryName =
  /** Two's complement negation, or the sign of a float turned. */
  | '-'
  /** Every bit turned. */
  | '~'
  /** Of a bool. */
  | '!'
  | 'clz'
  | 'ctz'
  | 'popcnt'
  /** The low 8, 16 or 32 bits, sign- or zero-extended to the operand's own width. */
  | 'sext8'
  | 'sext16'
  | 'sext32'
  | 'zext8'
  | 'zext16'
  | 'zext32'
  /** i64 to i32: the low half. */
  | 'low32'
  /** i32 (or bool, for zext64) to i64. */
  | 'sext64'
  | 'zext64'
  /** bool to i32: 0 or 1. */
  | 'bit'
  /** The same bits as another type. */
  | 'asF32'
  | 'asI32'
  | 'asF64'
  | 'asI64'
  /** f32 to f64, exact; f64 to f32, rounded to nearest. */
  | 'promote'
  | 'demote'
  | 'sqrt'
  | 'abs'
  /** i32 to f64, exact: signed, unsigned. */
  | 'signedToF64'
  | 'unsignedToF64'
  /** f64 to i32, towards zero; only for values inside the range of i32. */
  | 'truncateToI32';

/**
 * Operators of two operands of one type. A shift or rotation by n counts n modulo the width, as the manual's do. The integer
 * divisions are not defined for a divisor of zero nor for the one signed quotient that overflows: the text tests before.
 */
export type BinaryName =
  | '+'
  | '-'
  | '*'
  | '/'
  | '/s'
  | '/u'
  | '%s'
  | '%u'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>s'
  | '>>u'
  | 'rotl'
  | 'rotr'
  /** Comparisons of integers, bools (== and != only) and floats (without a letter); false where an operand is a NaN, but for !=. */
  | '=='
  | '!='
  | '<s'
  | '<u'
  | '<=s'
  | '<=u'
  | '<'
  | '<='
  /** Of bools; the right side is evaluated only when it decides. */
  | '&&'
  | '||';

export type Bits = 8 | 16 | 32 | 64;
export type Source = 'rs1' | 'rs2' | 'rs3';
/** `x`: an integer register. `f`: a floating-point register, as its raw 64 bits. */
export type RegisterFile = 'x' | 'f';

/**
 * What the hart's side of an engine does (engine/host.ts), because it is not a computation: CSRs, privilege, reservations. Each may
 * trap; then nothing behind it in the row takes place.
 *
 * - `readCsr(number: i64, writes: bool): i64` the CSR, after the check that this instruction may read and (`writes`) write it;
 * - `writeCsr(number: i64, value: i64)`;
 * - `loadReserved32/64(address): i32/i64`, `storeConditional32/64(address, value): i64` 0 when it stored, 1 when not;
 * - `amoLoad32/64(address): i32/i64` checks that the address is aligned and may be read and written, all faults being those of a store;
 *   `amoStore32/64(address, value)` stores to the address that was just checked;
 * - `returnFromTrap(level: i32)` xRET of S (1) or M (3);
 * - `wait()` WFI; `fenceTranslations()` SFENCE.VMA; `fenceInstructions()` FENCE.I;
 * - `cacheBlock(address: i64, writes: bool)` checks that a cache-block operation may touch the block; `zeroBlock(address)` cbo.zero.
 */
export type HostName =
  | 'readCsr'
  | 'writeCsr'
  | 'loadReserved32'
  | 'loadReserved64'
  | 'storeConditional32'
  | 'storeConditional64'
  | 'amoLoad32'
  | 'amoLoad64'
  | 'amoStore32'
  | 'amoStore64'
  | 'returnFromTrap'
  | 'wait'
  | 'fenceTranslations'
  | 'fenceInstructions'
  | 'cacheBlock'
  | 'zeroBlock';

/** State that is read by name: all i32 but mstatus, menvcfg and senvcfg, which are i64. `fflags` and `frm` are fields of fcsr. */
export type StateName = 'privilege' | 'frm' | 'fflags' | 'mstatus' | 'menvcfg' | 'senvcfg';

export type Expression =
  | { readonly kind: 'constant'; readonly type: 'i32' | 'i64' | 'bool'; readonly value: bigint }
  | { readonly kind: 'local'; readonly type: Type; readonly name: string }
  | { readonly kind: 'global'; readonly type: Type; readonly name: string }
  /** A source register of the row. */
  | { readonly kind: 'register'; readonly type: 'i64'; readonly file: RegisterFile; readonly field: Source }
  /** `#rs1`: the number in the field, 0 … 31. */
  | { readonly kind: 'number'; readonly type: 'i32'; readonly field: Source | 'rd' }
  /** `imm` (also written shamt, csr, zimm, uimm): the immediate, extended as the encoding says. */
  | { readonly kind: 'immediate'; readonly type: 'i64' }
  /** Address of the instruction, and its length in bytes. */
  | { readonly kind: 'pc'; readonly type: 'i64' }
  | { readonly kind: 'length'; readonly type: 'i64' }
  /** `rm`: the rounding mode in force, 0 … 4, DYN resolved by frm; an illegal instruction where it is reserved. */
  | { readonly kind: 'rounding'; readonly type: 'i32' }
  | { readonly kind: 'state'; readonly type: 'i32' | 'i64'; readonly name: StateName }
  | { readonly kind: 'unary'; readonly type: Type; readonly name: UnaryName; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly type: Type;
      readonly name: BinaryName;
      readonly left: Expression;
      readonly right: Expression;
    }
  /** `c ? a : b`: only the chosen one is evaluated. */
  | {
      readonly kind: 'choice';
      readonly type: Type;
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
      /** In templates: the condition is seldom false. */
      readonly likely?: true;
    }
  | { readonly kind: 'call'; readonly type: Type; readonly name: string; readonly args: readonly Expression[] }
  /** `load8(a)` … `load32(a)`: i32, zero-extended; `load64(a)`: i64. May trap. */
  | { readonly kind: 'load'; readonly type: 'i32' | 'i64'; readonly bits: Bits; readonly address: Expression }
  | {
      readonly kind: 'host';
      readonly type: 'i32' | 'i64';
      readonly name: HostName;
      readonly args: readonly Expression[];
    }
  | TemplateExpression;

/** Operators of floats that only templates have. */
export type IntrinsicName =
  /** a * b + c, rounded once; the bits of a NaN are not defined. No text that interpreters are made from says it. */
  | 'fused'
  /** The first with the sign of the second, bit by bit. */
  | 'copysign'
  /** f64 to f32: its low 32 bits as they are. f32 to f64: its bits with ones above, as an f register holds a binary32 number. */
  | 'single'
  | 'boxed';

/** What no text says, but a template has (engine/translator/templates.ts). There a floating-point register is an f64. */
export type TemplateExpression =
  /** A float by its bits. */
  | { readonly kind: 'float'; readonly type: 'f32' | 'f64'; readonly bits: bigint }
  /** A floating-point source register. */
  | { readonly kind: 'floatRegister'; readonly type: 'f64'; readonly field: Source }
  | { readonly kind: 'loadFloat'; readonly type: 'f64'; readonly address: Expression }
  | {
      readonly kind: 'intrinsic';
      readonly type: 'f32' | 'f64';
      readonly name: IntrinsicName;
      readonly args: readonly Expression[];
    }
  /** The value that the body returns: a function in place of its call. */
  | { readonly kind: 'block'; readonly type: Type; readonly body: readonly Statement[] };

export type Statement =
  /** `let` names a value, `var` a variable. */
  | { readonly kind: 'let'; readonly name: string; readonly type: Type; readonly value: Expression }
  | { readonly kind: 'assign'; readonly scope: 'local' | 'global'; readonly name: string; readonly value: Expression }
  /** `rd = …` or `frd = …`: always 64 bits. */
  | { readonly kind: 'setRegister'; readonly file: RegisterFile; readonly value: Expression }
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: 'while'; readonly condition: Expression; readonly body: readonly Statement[] }
  /** In functions only; the last statement on every path of a function with a result. */
  | { readonly kind: 'return'; readonly value: Expression | undefined }
  | { readonly kind: 'store'; readonly bits: Bits; readonly address: Expression; readonly value: Expression }
  /** Rows only, the last thing on its path. `relative`: the target is exactly `pc + imm`, known when the instruction is decoded. */
  | { readonly kind: 'jump'; readonly target: Expression; readonly relative: boolean }
  /** An exception: `trap(cause)`, `trap(cause, tval)`. Ends the instruction. */
  | { readonly kind: 'trap'; readonly cause: Expression; readonly value: Expression | undefined }
  /** Illegal-instruction exception; tval is the instruction's bits. */
  | { readonly kind: 'illegal' }
  /** `raise(flags)`: ors into fflags. */
  | { readonly kind: 'raise'; readonly flags: Expression }
  | { readonly kind: 'host'; readonly name: HostName; readonly args: readonly Expression[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | TemplateStatement;

/** What no text says, but a template has. */
export type TemplateStatement =
  | { readonly kind: 'setFloatRegister'; readonly value: Expression }
  | { readonly kind: 'storeFloat'; readonly address: Expression; readonly value: Expression }
  /** fcsr, or one of its fields, becomes the low bits of an i32. */
  | { readonly kind: 'setFloatCsr'; readonly field: FloatCsr; readonly value: Expression };

export type FloatCsr = 'fflags' | 'frm' | 'fcsr';

export interface Parameter {
  readonly name: string;
  readonly type: Type;
}

/** `fn name(a: i64, b: i32) -> i64 { … }`. Functions see parameters, locals, globals, state and other functions; no registers. */
export interface FunctionDefinition {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly result: Type | undefined;
  readonly body: readonly Statement[];
}

/** `global name: i64;`: a further result of a function. It means nothing before it was assigned in the same instruction. */
export interface GlobalDefinition {
  readonly name: string;
  readonly type: Type;
}

/** Everything that rows may call. */
export interface Library {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly globals: ReadonlyMap<string, GlobalDefinition>;
  /** `const NAME = 5;`: untyped integers. */
  readonly constants: ReadonlyMap<string, bigint>;
}

/** The meaning of one row. */
export interface Semantics {
  readonly body: readonly Statement[];
  /** Reads or writes an f register, or raises flags: mstatus.FS must not be Off. Decided from the body and the row's operands. */
  readonly usesFloat: boolean;
}
