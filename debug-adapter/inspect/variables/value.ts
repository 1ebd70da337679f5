/**
 * A value of the program with its name, type and place, as a user of C wants to see it. Everything is read when it is asked
 * for: the text, and the children page by page, so that an array of a hundred thousand elements costs one page.
 * Never writes, and never shows a number where the number is not known.
 */
import { sizeOf, strip, typeName, type ArrayType, type Type, type VariableBound } from '../../symbols/dwarf/info/model';
import { elementsOf, membersOf } from './children';
import { addressOf, readPlace, type Place, type Unreadable } from './place';
import { preview } from './preview';
import { formatScalar, integerOf, isScalar, type FormatContext, type NumberFormat } from './scalars';

/** What values need from the frame or program they belong to. */
export interface ValueContext extends FormatContext {
  /** How many elements an array of variable length has in this frame. */
  elementCount?(bound: VariableBound): number | undefined;
}

/** A value for the editor. Sizes and counts are absent where there are no children of that kind. */
export interface Presentation {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  /** Where a memory view should open: the target of a pointer, the start of anything else in memory. */
  readonly memoryReference: bigint | undefined;
  readonly namedVariables: number | undefined;
  readonly indexedVariables: number | undefined;
  /** An expression that evaluates to this value again. */
  readonly evaluateName: string | undefined;
  /** Why there is no value: optimised out, unreadable memory. */
  readonly unavailable: string | undefined;
}

export interface ValueOptions {
  readonly evaluateName?: string | undefined;
  readonly format?: NumberFormat | undefined;
}

export class Value {
  constructor(
    readonly name: string,
    readonly type: Type,
    readonly place: Place,
    readonly context: ValueContext,
    private readonly options: ValueOptions = {},
  ) {}

  get evaluateName(): string | undefined {
    return this.options.evaluateName;
  }

  get format(): NumberFormat | undefined {
    return this.options.format;
  }

  /** The same value written differently. */
  withFormat(format: NumberFormat | undefined): Value {
    return new Value(this.name, this.type, this.place, this.context, { ...this.options, format });
  }

  /** The number of elements; of arrays of variable length, too. */
  elementCount(type: ArrayType): number | undefined {
    return type.count ?? (type.bound && this.context.elementCount?.(type.bound));
  }

  /** The size in bytes, undefined where it cannot be known. */
  get size(): number | undefined {
    const actual = strip(this.type);
    if (actual.kind !== 'array' || actual.count !== undefined) return sizeOf(this.type);
    const element = sizeOf(actual.element);
    const count = this.elementCount(actual);
    return element === undefined || count === undefined ? undefined : element * count;
  }

  /** The type's name; arrays of variable length with the length they have now. */
  get typeText(): string {
    return typeName(this.withCounts(this.type));
  }

  private withCounts(type: Type): Type {
    if (type.kind !== 'array') return type;
    const element = this.withCounts(type.element);
    const count = this.elementCount(type);
    return count === type.count && element === type.element
      ? type
      : { kind: 'array', element, count, bound: undefined };
  }

  get address(): bigint | undefined {
    return addressOf(this.place);
  }

  /** The bytes of the value, or why they cannot be read. A bit field is shifted to bit 0. */
  read(): Uint8Array | Unreadable {
    const { location } = this.place;
    if (location.kind === 'unavailable') return { unavailable: location.reason };
    const actual = strip(this.type);
    if (actual.kind === 'unknown') return { unavailable: `its type cannot be read: ${actual.reason}` };
    const { size } = this;
    if (size === undefined) return { unavailable: `the size of ${typeName(this.type)} is not known` };
    return readPlace(this.place, size, this.context);
  }

  /** Of an integer, enumeration or pointer: its number. */
  integer(): bigint | Unreadable {
    const actual = strip(this.type);
    if (!isScalar(actual)) return { unavailable: `${typeName(this.type)} is not a number` };
    const bytes = this.read();
    return bytes instanceof Uint8Array ? integerOf(actual, bytes, this.place.bits?.size) : bytes;
  }

  /** The value as one line of text, at most `budget` characters long where it is a compound. */
  text(budget?: number): string {
    const actual = strip(this.type);
    if (actual.kind === 'function') return this.functionText();
    if (!isScalar(actual)) return preview(this, budget);
    const bytes = this.read();
    if (!(bytes instanceof Uint8Array)) return `<${bytes.unavailable}>`;
    return formatScalar(actual, bytes, this.context, this.format, this.place.bits?.size);
  }

  private functionText(): string {
    const { address } = this;
    if (address === undefined) return '<function>';
    return `0x${address.toString(16)} <${this.context.symbolAt?.(address) ?? typeName(this.type)}>`;
  }

  /** Why the value itself cannot be shown; parts of it still may. */
  get unavailable(): string | undefined {
    const { location } = this.place;
    if (location.kind === 'unavailable') return location.reason;
    const actual = strip(this.type);
    const bytes = isScalar(actual) || actual.kind === 'unknown' ? this.read() : undefined;
    return bytes instanceof Uint8Array ? undefined : bytes?.unavailable;
  }

  present(): Presentation {
    const members = membersOf(this);
    const elements = elementsOf(this);
    return {
      name: this.name,
      value: this.text(),
      type: this.typeText,
      memoryReference: this.memoryReference(),
      namedVariables: members?.length || undefined,
      indexedVariables: elements?.count || undefined,
      evaluateName: this.evaluateName,
      unavailable: this.unavailable,
    };
  }

  private memoryReference(): bigint | undefined {
    const actual = strip(this.type);
    if (actual.kind !== 'pointer') return this.address;
    const target = this.integer();
    return typeof target === 'bigint' && target !== 0n ? target : undefined;
  }

  /**
   * Children in order: the members of a struct, the elements of an array from `start`, what a pointer leads to. `count`
   * is the length of the page.
   */
  children(start = 0, count = MAX_CHILDREN): Value[] {
    const length = Math.max(0, Math.min(count, MAX_CHILDREN));
    const from = Math.max(0, Math.floor(start));
    return elementsOf(this)?.page(from, length) ?? membersOf(this)?.slice(from, from + length) ?? [];
  }
}

/** Elements that one request may ask for; the editor pages. */
export const MAX_CHILDREN = 10_000;
