/**
 * Attribute forms (DWARF 5, section 7.5.6): how a value is encoded, and its class. Values that go through another section
 * are resolved here as far as the form alone decides; what needs a unit's base attributes stays an index.
 */
import type { ByteReader } from '../../bytes';
import { Form } from './constants';

/** What decoding a form depends on: the header of its unit. */
export interface FormContext {
  readonly version: number;
  readonly addressSize: number;
  /** 4 in 32-bit DWARF, 8 in 64-bit DWARF. */
  readonly offsetSize: number;
  /** Offset of the unit's header in its section; the origin of the unit-relative references. */
  readonly offset: number;
}

export type StringSection = '.debug_str' | '.debug_line_str';

/** A value by class (section 7.5.5). References are offsets in the section that `local` says: the unit's own, or `.debug_info`. */
export type AttributeValue =
  | { readonly class: 'address'; readonly value: bigint }
  | { readonly class: 'addressIndex'; readonly index: number }
  | { readonly class: 'constant'; readonly value: bigint }
  | { readonly class: 'block'; readonly bytes: Uint8Array }
  | { readonly class: 'exprloc'; readonly bytes: Uint8Array }
  | { readonly class: 'flag'; readonly value: boolean }
  | { readonly class: 'reference'; readonly offset: number; readonly local: boolean }
  | { readonly class: 'signature'; readonly signature: bigint }
  | { readonly class: 'sectionOffset'; readonly offset: number }
  | { readonly class: 'listIndex'; readonly index: number }
  | { readonly class: 'string'; readonly value: string }
  | { readonly class: 'stringOffset'; readonly section: StringSection; readonly offset: number }
  | { readonly class: 'stringIndex'; readonly index: number }
  /** A reference into a supplementary file, which this reader does not open. */
  | { readonly class: 'supplementary' };

const OFFSET_SIZED = -1;
const ADDRESS_SIZED = -2;

/** Sizes of the forms that have one. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [Form.addr, ADDRESS_SIZED],
  [Form.data1, 1],
  [Form.data2, 2],
  [Form.data4, 4],
  [Form.data8, 8],
  [Form.data16, 16],
  [Form.flag, 1],
  [Form.flag_present, 0],
  [Form.implicit_const, 0],
  [Form.strp, OFFSET_SIZED],
  [Form.line_strp, OFFSET_SIZED],
  [Form.strp_sup, OFFSET_SIZED],
  [Form.sec_offset, OFFSET_SIZED],
  [Form.ref1, 1],
  [Form.ref2, 2],
  [Form.ref4, 4],
  [Form.ref8, 8],
  [Form.ref_sig8, 8],
  [Form.ref_sup4, 4],
  [Form.ref_sup8, 8],
  [Form.strx1, 1],
  [Form.strx2, 2],
  [Form.strx3, 3],
  [Form.strx4, 4],
  [Form.addrx1, 1],
  [Form.addrx2, 2],
  [Form.addrx3, 3],
  [Form.addrx4, 4],
]);

/** The encoded size of `form`, or undefined where it depends on the value. DW_FORM_ref_addr is left out: version 2 differs. */
export function fixedFormSize(form: number, addressSize: number, offsetSize: number): number | undefined {
  const size = FIXED.get(form);
  return size === OFFSET_SIZED ? offsetSize : size === ADDRESS_SIZED ? addressSize : size;
}

/** Moves `reader` behind one value. */
export function skipForm(reader: ByteReader, form: number, context: FormContext): void {
  const size = fixedFormSize(form, context.addressSize, context.offsetSize);
  if (size !== undefined) reader.raw(size);
  else if (form === Form.string) reader.cString();
  else readForm(reader, form, 0n, context);
}

/** Reads one value. `implicit` is the constant of a DW_FORM_implicit_const. Throws a SymbolError for an unknown form. */
export function readForm(reader: ByteReader, form: number, implicit: bigint, context: FormContext): AttributeValue {
  if (form === Form.indirect) {
    const at = reader.offset;
    const actual = reader.ulebNumber();
    if (actual === Form.indirect || actual === Form.implicit_const)
      reader.fail('DW_FORM_indirect names a form it may not', at);
    return readForm(reader, actual, 0n, context);
  }
  return (
    readConstant(reader, form, implicit, context) ??
    readString(reader, form, context) ??
    readReference(reader, form, context) ??
    readOther(reader, form, context) ??
    reader.fail(`unknown attribute form 0x${form.toString(16)}`)
  );
}

function readConstant(
  reader: ByteReader,
  form: number,
  implicit: bigint,
  context: FormContext,
): AttributeValue | undefined {
  // Before version 4 a section offset had no form of its own; who asks for one accepts a constant (see `sectionOffsetOf`).
  const constant = (value: bigint): AttributeValue => ({ class: 'constant', value });
  switch (form) {
    case Form.data1:
      return constant(BigInt(reader.u8()));
    case Form.data2:
      return constant(BigInt(reader.u16()));
    case Form.data4:
      return constant(BigInt(reader.u32()));
    case Form.data8:
      return constant(reader.u64());
    case Form.sdata:
      return constant(reader.sleb());
    case Form.udata:
      return constant(reader.uleb());
    case Form.implicit_const:
      return constant(implicit);
    case Form.data16:
      return { class: 'block', bytes: reader.raw(16) };
    case Form.flag:
      return { class: 'flag', value: reader.u8() !== 0 };
    case Form.flag_present:
      return { class: 'flag', value: true };
    case Form.addr:
      return { class: 'address', value: readAddress(reader, context.addressSize) };
    default:
      return undefined;
  }
}

function readString(reader: ByteReader, form: number, context: FormContext): AttributeValue | undefined {
  const index = (value: number): AttributeValue => ({ class: 'stringIndex', index: value });
  switch (form) {
    case Form.string:
      return { class: 'string', value: reader.cString() };
    case Form.strp:
      return { class: 'stringOffset', section: '.debug_str', offset: readOffset(reader, context.offsetSize) };
    case Form.line_strp:
      return { class: 'stringOffset', section: '.debug_line_str', offset: readOffset(reader, context.offsetSize) };
    case Form.strp_sup:
      reader.raw(context.offsetSize);
      return { class: 'supplementary' };
    case Form.strx:
    case Form.GNU_str_index:
      return index(reader.ulebNumber());
    case Form.strx1:
      return index(reader.u8());
    case Form.strx2:
      return index(reader.u16());
    case Form.strx3:
      return index(read24(reader));
    case Form.strx4:
      return index(reader.u32());
    default:
      return undefined;
  }
}

function readReference(reader: ByteReader, form: number, context: FormContext): AttributeValue | undefined {
  const local = (offset: number): AttributeValue => ({
    class: 'reference',
    offset: context.offset + offset,
    local: true,
  });
  switch (form) {
    case Form.ref1:
      return local(reader.u8());
    case Form.ref2:
      return local(reader.u16());
    case Form.ref4:
      return local(reader.u32());
    case Form.ref8:
      return local(reader.u64Number());
    case Form.ref_udata:
      return local(reader.ulebNumber());
    case Form.ref_addr: {
      const size = context.version <= 2 ? context.addressSize : context.offsetSize;
      return { class: 'reference', offset: readOffset(reader, size), local: false };
    }
    case Form.ref_sig8:
      return { class: 'signature', signature: reader.u64() };
    case Form.ref_sup4:
    case Form.ref_sup8:
      reader.raw(form === Form.ref_sup4 ? 4 : 8);
      return { class: 'supplementary' };
    default:
      return undefined;
  }
}

function readOther(reader: ByteReader, form: number, context: FormContext): AttributeValue | undefined {
  const address = (index: number): AttributeValue => ({ class: 'addressIndex', index });
  switch (form) {
    case Form.block1:
      return { class: 'block', bytes: reader.raw(reader.u8()) };
    case Form.block2:
      return { class: 'block', bytes: reader.raw(reader.u16()) };
    case Form.block4:
      return { class: 'block', bytes: reader.raw(reader.u32()) };
    case Form.block:
      return { class: 'block', bytes: reader.raw(reader.ulebNumber()) };
    case Form.exprloc:
      return { class: 'exprloc', bytes: reader.raw(reader.ulebNumber()) };
    case Form.sec_offset:
      return { class: 'sectionOffset', offset: readOffset(reader, context.offsetSize) };
    case Form.loclistx:
    case Form.rnglistx:
      return { class: 'listIndex', index: reader.ulebNumber() };
    case Form.addrx:
    case Form.GNU_addr_index:
      return address(reader.ulebNumber());
    case Form.addrx1:
      return address(reader.u8());
    case Form.addrx2:
      return address(reader.u16());
    case Form.addrx3:
      return address(read24(reader));
    case Form.addrx4:
      return address(reader.u32());
    default:
      return undefined;
  }
}

/** An offset into a section: 4 or 8 bytes. */
export function readOffset(reader: ByteReader, size: number): number {
  return size === 8 ? reader.u64Number() : reader.u32();
}

/** An address of the target, kept exact. */
export function readAddress(reader: ByteReader, size: number): bigint {
  return size === 8 ? reader.u64() : size === 4 ? BigInt(reader.u32()) : BigInt(reader.u16());
}

function read24(reader: ByteReader): number {
  return reader.u16() | (reader.u8() << 16);
}
