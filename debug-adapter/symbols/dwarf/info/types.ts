/**
 * The type model that the rest of the debugger sees: plain data, with the parts that may lead back to the type itself read
 * on demand. Knows C; knows nothing about entries, forms or sections.
 */

/** An integer, floating point, boolean or character type of the language. */
export interface BaseType {
  readonly kind: 'base';
  readonly name: string;
  readonly size: number;
  readonly encoding: 'signed' | 'unsigned' | 'float' | 'boolean' | 'char' | 'unsignedChar' | 'complex' | 'other';
}

export interface PointerType {
  readonly kind: 'pointer';
  readonly size: number;
  /** C++ references are pointers that are followed without being asked to. */
  readonly symbol: '*' | '&' | '&&';
  readonly target: Type;
}

export interface Member {
  /** Undefined for an unnamed struct or union, whose members belong to the outer one. */
  readonly name: string | undefined;
  readonly type: Type;
  /** From the start of the struct; undefined where the offset is not a constant. */
  readonly byteOffset: number | undefined;
  /** Of a bit field: the first bit counted from bit 0 of byte 0, and the width. */
  readonly bits: { readonly offset: number; readonly size: number } | undefined;
  /** A C++ base class. */
  readonly inherited: boolean;
}

export interface StructType {
  readonly kind: 'struct';
  readonly keyword: 'struct' | 'union' | 'class';
  readonly name: string | undefined;
  readonly size: number | undefined;
  /** True where no unit of the program defines it; then there are no members. */
  readonly incomplete: boolean;
  readonly members: readonly Member[];
}

/** How many elements an array of variable length has: an expression, or a variable that holds the count. */
export interface VariableBound {
  /** What to add to the expression's value: an upper bound counts one less than a count. */
  readonly plus: number;
  /** Undefined: the expression gives the number. Else it gives the place to read a number of that many bytes from. */
  readonly load: number | undefined;
  /** Undefined where the compiler did not keep it at this pc. */
  expressionAt(pc: number): Uint8Array | undefined;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: Type;
  /** Undefined for a flexible array member, `extern int a[]`, and arrays of variable length. */
  readonly count: number | undefined;
  readonly bound: VariableBound | undefined;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string | undefined;
  readonly size: number;
  readonly signed: boolean;
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
}

export interface TypedefType {
  readonly kind: 'typedef';
  readonly name: string;
  readonly target: Type;
}

export interface QualifiedType {
  readonly kind: 'qualified';
  readonly qualifier: 'const' | 'volatile' | 'restrict' | '_Atomic';
  readonly target: Type;
}

export interface FunctionType {
  readonly kind: 'function';
  readonly returns: Type;
  readonly parameters: readonly Type[];
  readonly variadic: boolean;
  /** False for `int f()`, which says nothing about its parameters. */
  readonly prototyped: boolean;
}

export interface VoidType {
  readonly kind: 'void';
}

/** A type this reader cannot describe: malformed bytes, or a kind C does not have. */
export interface UnknownType {
  readonly kind: 'unknown';
  readonly reason: string;
}

export type Type =
  | BaseType
  | PointerType
  | StructType
  | ArrayType
  | EnumType
  | TypedefType
  | QualifiedType
  | FunctionType
  | VoidType
  | UnknownType;

export const VOID: VoidType = { kind: 'void' };

/** Typedefs and qualifiers stand at most this deep on each other. */
export const MAX_TYPE_CHAIN = 64;

/** The type behind typedefs and qualifiers. */
export function strip(type: Type): Exclude<Type, TypedefType | QualifiedType> {
  let at = type;
  for (let i = 0; i < MAX_TYPE_CHAIN; i++) {
    if (at.kind !== 'typedef' && at.kind !== 'qualified') return at;
    at = at.target;
  }
  return { kind: 'unknown', reason: `the type is defined by more than ${MAX_TYPE_CHAIN} others, or by itself` };
}

/** Size in bytes as `sizeof` gives it, undefined where it is not known before the program runs. */
export function sizeOf(type: Type, depth = 0): number | undefined {
  const actual = strip(type);
  switch (actual.kind) {
    case 'base':
    case 'pointer':
    case 'enum':
    case 'struct':
      return actual.size;
    case 'array': {
      const element = depth < MAX_TYPE_CHAIN ? sizeOf(actual.element, depth + 1) : undefined;
      const size = element === undefined || actual.count === undefined ? undefined : element * actual.count;
      return Number.isSafeInteger(size) ? size : undefined;
    }
    default:
      return undefined;
  }
}

const INTEGER_WORDS = new Set(['signed', 'unsigned', 'char', 'short', 'int', 'long']);

/**
 * One spelling for each integer type of C, whose words may stand in any order: `long unsigned int` is `unsigned long`.
 * Other names are returned as they are.
 */
export function canonicalName(name: string): string {
  const words = name.split(' ').filter(Boolean);
  if (words.length === 0 || words.length > 5 || !words.every((word) => INTEGER_WORDS.has(word))) return name;
  const longs = words.filter((word) => word === 'long').length;
  const isUnsigned = words.includes('unsigned');
  if (words.includes('char')) return isUnsigned ? 'unsigned char' : words.includes('signed') ? 'signed char' : 'char';
  const width = longs > 1 ? 'long long' : longs === 1 ? 'long' : words.includes('short') ? 'short' : 'int';
  return isUnsigned ? `unsigned ${width}` : width;
}

/** Computes a value once, when it is first needed. */
export function lazy<T>(compute: () => T): () => T {
  let known: { value: T } | undefined;
  return () => (known ??= { value: compute() }).value;
}

export function pointerTo(target: Type, size: number): PointerType {
  return { kind: 'pointer', size, symbol: '*', target };
}
