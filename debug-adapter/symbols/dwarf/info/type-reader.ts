/**
 * From entries to the type model (DWARF 5, chapter 5). Each entry becomes one object, made when it is asked for and then
 * kept, so a type may contain itself. Malformed types become an UnknownType that says why; nothing is thrown.
 */
import { SymbolError } from '../../bytes';
import { Ate, At, Tag } from './constants';
import { expressionAt } from './locations';
import {
  canonicalName,
  lazy,
  VOID,
  type BaseType,
  type EnumType,
  type Member,
  type StructType,
  type Type,
  type VariableBound,
} from './types';
import type { Entry } from './unit';

/** Finds the definition of a struct, union or enum that a unit only declares. */
export type DefinitionFinder = (name: string, tag: number, from: Entry) => Entry | undefined;

export class TypeReader {
  private readonly known = new Map<Entry, Type>();

  constructor(private readonly definitionOf: DefinitionFinder) {}

  /** The type that the DW_AT_type of an entry names; none means void. */
  typeOf(entry: Entry): Type {
    return this.guard(() => {
      const target = entry.reference(At.type);
      return target ? this.read(target) : VOID;
    });
  }

  read(entry: Entry): Type {
    const known = this.known.get(entry);
    if (known) return known;
    const type = this.guard(() => this.build(entry));
    this.known.set(entry, type);
    return type;
  }

  private guard(read: () => Type): Type {
    try {
      return read();
    } catch (error) {
      if (error instanceof SymbolError) return { kind: 'unknown', reason: error.message };
      throw error;
    }
  }

  private build(entry: Entry): Type {
    const target = lazy(() => this.typeOf(entry));
    switch (entry.tag) {
      case Tag.base_type:
        return readBase(entry);
      case Tag.pointer_type:
      case Tag.reference_type:
      case Tag.rvalue_reference_type:
        return {
          kind: 'pointer',
          size: boundedSize(entry) ?? entry.unit.addressSize,
          symbol: entry.tag === Tag.pointer_type ? '*' : entry.tag === Tag.reference_type ? '&' : '&&',
          get target() {
            return target();
          },
        };
      case Tag.typedef:
        return {
          kind: 'typedef',
          name: entry.string(At.name) ?? '<unnamed typedef>',
          get target() {
            return target();
          },
        };
      case Tag.const_type:
      case Tag.volatile_type:
      case Tag.restrict_type:
      case Tag.atomic_type:
      case Tag.immutable_type:
        return {
          kind: 'qualified',
          qualifier: QUALIFIERS.get(entry.tag) ?? 'const',
          get target() {
            return target();
          },
        };
      case Tag.structure_type:
      case Tag.union_type:
      case Tag.class_type:
        return this.readStruct(entry);
      case Tag.enumeration_type:
        return this.readEnum(entry);
      case Tag.array_type:
        return this.readArray(entry, target);
      case Tag.subroutine_type:
        return this.readFunction(entry, target);
      case Tag.unspecified_type:
        return { kind: 'unknown', reason: `type ${entry.string(At.name) ?? ''} is not specified` };
      case Tag.subrange_type:
        return target();
      default:
        return { kind: 'unknown', reason: `an entry with tag 0x${entry.tag.toString(16)} is not a type` };
    }
  }

  /** A declaration stands for the definition that some unit of the program has. */
  private definition(entry: Entry): Entry {
    // The type itself may be in a type unit; what stands here is then only its signature.
    const signature = entry.has(At.signature) ? entry.reference(At.signature) : undefined;
    if (signature && signature.tag === entry.tag) return signature;
    if (!entry.flag(At.declaration)) return entry;
    const name = entry.string(At.name);
    return (name !== undefined && this.definitionOf(name, entry.tag, entry)) || entry;
  }

  private readStruct(declared: Entry): StructType {
    const entry = this.definition(declared);
    const members = lazy(() => this.readMembers(entry));
    return {
      kind: 'struct',
      keyword: entry.tag === Tag.union_type ? 'union' : entry.tag === Tag.class_type ? 'class' : 'struct',
      name: entry.string(At.name),
      size: boundedSize(entry),
      incomplete: entry.flag(At.declaration),
      get members() {
        return members();
      },
    };
  }

  private readMembers(entry: Entry): Member[] {
    const members: Member[] = [];
    for (const child of entry.children) {
      if (child.tag !== Tag.member && child.tag !== Tag.inheritance) continue;
      try {
        // A static member of C++ is a variable elsewhere.
        if (child.flag(At.external) || child.flag(At.declaration)) continue;
        members.push(this.readMember(child));
      } catch (error) {
        if (!(error instanceof SymbolError)) throw error;
        members.push({
          name: '<malformed>',
          type: { kind: 'unknown', reason: error.message },
          byteOffset: undefined,
          bits: undefined,
          inherited: false,
        });
      }
    }
    return members;
  }

  private readMember(entry: Entry): Member {
    const type = lazy(() => this.typeOf(entry));
    const name = entry.string(At.name);
    const byteOffset = memberOffset(entry);
    return {
      name: name === '' ? undefined : name,
      get type() {
        return type();
      },
      byteOffset,
      bits: this.bitField(entry, byteOffset),
      inherited: entry.tag === Tag.inheritance,
    };
  }

  /** DWARF 4 and later count from the start of the struct; before, from the high end of a storage unit (section 5.7.6). */
  private bitField(entry: Entry, byteOffset: number | undefined): Member['bits'] {
    const size = entry.number(At.bit_size);
    if (size === undefined || size < 0 || size > 128) return undefined;
    const fromStart = entry.number(At.data_bit_offset);
    if (fromStart !== undefined) return fromStart < 0 ? undefined : { offset: fromStart, size };
    const fromHighEnd = entry.number(At.bit_offset);
    if (byteOffset === undefined) return undefined;
    if (fromHighEnd === undefined) return { offset: 8 * byteOffset, size };
    const declared = entry.reference(At.type);
    const storage = boundedSize(entry) ?? (declared ? sizeOfEntry(declared) : undefined);
    const offset = storage === undefined ? -1 : 8 * (byteOffset + storage) - fromHighEnd - size;
    return offset < 0 ? undefined : { offset, size };
  }

  private readEnum(declared: Entry): EnumType {
    const entry = this.definition(declared);
    const enumerators = lazy(() => readEnumerators(entry));
    const underlying = entry.reference(At.type);
    const encoding = underlying?.number(At.encoding);
    return {
      kind: 'enum',
      name: entry.string(At.name),
      size: boundedSize(entry) ?? 4,
      get signed() {
        return encoding === undefined ? enumerators().some((e) => e.value < 0n) : isSigned(encoding);
      },
      get enumerators() {
        return enumerators();
      },
    };
  }

  /** Dimensions nest: `int m[2][3]` is an array of 2 arrays of 3. */
  private readArray(entry: Entry, element: () => Type): Type {
    let type: (() => Type) | undefined;
    const dimensions = entry.children.filter(
      (child) => child.tag === Tag.subrange_type || child.tag === Tag.enumeration_type,
    );
    const bounds = dimensions.length === 0 ? [{ count: undefined, bound: undefined }] : dimensions.map(readBound);
    for (const { count, bound } of bounds.reverse()) {
      const of = type ?? element;
      const array: Type = {
        kind: 'array',
        count,
        bound,
        get element() {
          return of();
        },
      };
      type = () => array;
    }
    return (type ?? element)();
  }

  private readFunction(entry: Entry, returns: () => Type): Type {
    return functionType(entry, returns, (parameter) => this.typeOf(parameter));
  }
}

const QUALIFIERS: ReadonlyMap<number, 'const' | 'volatile' | 'restrict' | '_Atomic'> = new Map([
  [Tag.const_type, 'const'],
  [Tag.immutable_type, 'const'],
  [Tag.volatile_type, 'volatile'],
  [Tag.restrict_type, 'restrict'],
  [Tag.atomic_type, '_Atomic'],
]);

/** The type of a function, from a DW_TAG_subroutine_type or a DW_TAG_subprogram. */
export function functionType(entry: Entry, returns: () => Type, typeOf: (parameter: Entry) => Type): Type {
  const parameters = lazy(() => entry.children.filter((c) => c.tag === Tag.formal_parameter).map(typeOf));
  return {
    kind: 'function',
    get returns() {
      return returns();
    },
    get parameters() {
      return parameters();
    },
    variadic: entry.children.some((child) => child.tag === Tag.unspecified_parameters),
    prototyped: entry.flag(At.prototyped),
  };
}

const isSigned = (encoding: number): boolean => encoding === Ate.signed || encoding === Ate.signed_char;

/** DW_AT_byte_size where it is a size something in memory can have. */
function boundedSize(entry: Entry): number | undefined {
  const size = entry.number(At.byte_size);
  return size !== undefined && size >= 0 ? size : undefined;
}

/** The size of a scalar type by its entry, through typedefs and qualifiers. */
function sizeOfEntry(entry: Entry): number | undefined {
  let at: Entry | undefined = entry;
  for (let i = 0; i < 16 && at; i++) {
    const size = boundedSize(at);
    if (size !== undefined) return size;
    at = at.reference(At.type);
  }
  return undefined;
}

const MAX_SCALAR = 32; // bytes; a complex long double

function readBase(entry: Entry): Type {
  const name = canonicalName(entry.string(At.name) ?? '<unnamed>');
  const size = boundedSize(entry) ?? 0;
  if (size > MAX_SCALAR) return { kind: 'unknown', reason: `base type ${name} of ${size} bytes` };
  return { kind: 'base', name, size, encoding: encodingOf(entry.number(At.encoding)) };
}

function encodingOf(code: number | undefined): BaseType['encoding'] {
  switch (code) {
    case Ate.signed:
      return 'signed';
    case Ate.unsigned:
    case Ate.address:
      return 'unsigned';
    case Ate.float:
      return 'float';
    case Ate.boolean:
      return 'boolean';
    case Ate.signed_char:
      return 'char';
    case Ate.unsigned_char:
      return 'unsignedChar';
    case Ate.UTF:
    case Ate.UCS:
    case Ate.ASCII:
      return 'unsigned';
    case Ate.complex_float:
      return 'complex';
    default:
      return 'other';
  }
}

/** A constant, or in versions 2 and 3 the expression DW_OP_plus_uconst. */
function memberOffset(entry: Entry): number | undefined {
  const value = entry.attribute(At.data_member_location);
  if (!value) return entry.has(At.data_bit_offset) ? undefined : 0;
  if (value.class === 'constant') return entry.number(At.data_member_location);
  if (value.class !== 'block' && value.class !== 'exprloc') return undefined;
  const PLUS_UCONST = 0x23;
  const { bytes } = value;
  if (bytes[0] !== PLUS_UCONST || bytes.length < 2 || bytes.length > 6) return undefined;
  return bytes.slice(1).reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);
}

function readEnumerators(entry: Entry): EnumType['enumerators'] {
  const found: { name: string; value: bigint }[] = [];
  for (const child of entry.children) {
    if (child.tag !== Tag.enumerator) continue;
    try {
      const name = child.string(At.name);
      const value = child.attribute(At.const_value);
      if (name !== undefined && value?.class === 'constant') found.push({ name, value: value.value });
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error; // an enumerator that cannot be read is left out
    }
  }
  return found;
}

interface Bound {
  readonly count: number | undefined;
  readonly bound: VariableBound | undefined;
}

function readBound(entry: Entry): Bound {
  if (entry.has(At.count)) return boundFrom(entry, At.count, 0);
  // C counts from 0; a language that does not gives its lower bound.
  return boundFrom(entry, At.upper_bound, 1 - (entry.number(At.lower_bound) ?? 0));
}

function boundFrom(entry: Entry, at: number, plus: number): Bound {
  const value = entry.attribute(at);
  if (value?.class === 'constant') {
    // The upper bound of an empty array is -1, which some compilers write as an unsigned number.
    const count = Number(BigInt.asIntN(64, value.value)) + plus;
    return { count: Number.isSafeInteger(count) && count >= 0 ? count : undefined, bound: undefined };
  }
  if (value?.class === 'exprloc' || value?.class === 'block')
    return { count: undefined, bound: { plus, load: undefined, expressionAt: () => value.bytes } };
  const variable = value?.class === 'reference' ? entry.reference(at) : undefined;
  const type = variable?.reference(At.type);
  if (!variable || !type) return { count: undefined, bound: undefined };
  return {
    count: undefined,
    bound: { plus, load: sizeOfEntry(type) ?? 8, expressionAt: (pc) => locationOf(variable, pc) },
  };
}

function locationOf(variable: Entry, pc: number): Uint8Array | undefined {
  try {
    return expressionAt(variable, At.location, pc);
  } catch (error) {
    if (error instanceof SymbolError) return undefined;
    throw error;
  }
}
