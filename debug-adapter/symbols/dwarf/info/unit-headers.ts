/**
 * Headers of the units in `.debug_info` and `.debug_types` (DWARF 5, sections 7.4 and 7.5.1). They are read up front; a
 * malformed one costs its own unit, unless even its length is wrong.
 */
import { ByteReader, SymbolError } from '../../bytes';
import { Ut } from './constants';
import { readOffset } from './forms';
import { Unit, type InfoContext } from './unit';

/** Reads every unit header of a section; a header that is malformed ends the walk and is reported through `problem`. */
export function readUnitHeaders(context: InfoContext, section: string, problem: (error: SymbolError) => void): void {
  const bytes = context.sections.section(section);
  if (!bytes) return;
  const reader = new ByteReader(section, bytes);
  while (reader.remaining > 0) {
    const start = reader.offset;
    try {
      const unit = readUnitHeader(context, reader, section);
      if (unit) addUnit(context, unit, bytes);
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      problem(error);
      const next = nextUnit(bytes, section, start);
      if (next === undefined) return;
      reader.seek(next);
    }
  }
}

function addUnit(context: InfoContext, unit: Unit, bytes: Uint8Array): void {
  context.units.push(unit);
  const isType = unit.typeOffset !== undefined;
  if (!isType) return;
  // The signature stands in front of the type offset, at the end of the header.
  const at =
    unit.version >= 5
      ? unit.offset + lengthSize(unit) + 4 + unit.offsetSize
      : unit.offset + lengthSize(unit) + 3 + unit.offsetSize;
  context.signatures.set(new ByteReader(unit.section, bytes, at).u64(), unit);
}

const lengthSize = (unit: Unit): number => (unit.offsetSize === 8 ? 12 : 4);

/** Leaves `reader` behind the unit. Returns undefined for padding. */
function readUnitHeader(context: InfoContext, reader: ByteReader, section: string): Unit | undefined {
  const offset = reader.offset;
  const { length, offsetSize } = readInitialLength(reader);
  if (length === 0) return undefined;
  if (length > reader.remaining) reader.fail(`a unit of ${length} bytes, ${reader.remaining} remain`, offset);
  const end = reader.offset + length;
  const body = new ByteReader(section, reader.bytes, reader.offset, end);
  const version = body.u16();
  if (version < 2 || version > 5) body.fail(`DWARF version ${version} is not supported`, offset);
  const isTypes = section === '.debug_types';
  let unitType: number = isTypes ? Ut.type : Ut.compile;
  let addressSize = 0;
  let abbreviationOffset: number;
  if (version >= 5) {
    unitType = body.u8();
    addressSize = body.u8();
    abbreviationOffset = readOffset(body, offsetSize);
  } else {
    abbreviationOffset = readOffset(body, offsetSize);
    addressSize = body.u8();
  }
  if (![2, 4, 8].includes(addressSize)) body.fail(`an address of ${addressSize} bytes`, offset);
  let typeOffset: number | undefined;
  if (unitType === Ut.type || unitType === Ut.split_type) {
    body.u64();
    typeOffset = offset + readOffset(body, offsetSize);
  } else if (version >= 5 && (unitType === Ut.skeleton || unitType === Ut.split_compile)) body.u64();
  reader.seek(end);
  return new Unit(
    context,
    section,
    offset,
    end,
    version,
    offsetSize,
    addressSize,
    unitType,
    abbreviationOffset,
    body.offset,
    typeOffset,
  );
}

/** The initial length that starts units and tables (section 7.4). */
export function readInitialLength(reader: ByteReader): { length: number; offsetSize: 4 | 8 } {
  const first = reader.u32();
  if (first === 0xffffffff) return { length: reader.u64Number(), offsetSize: 8 };
  if (first >= 0xfffffff0) reader.fail(`reserved unit length 0x${first.toString(16)}`, reader.offset - 4);
  return { length: first, offsetSize: 4 };
}

/** Where the unit behind a malformed header starts, when its length can be trusted to stay in the section. */
function nextUnit(bytes: Uint8Array, section: string, start: number): number | undefined {
  try {
    const reader = new ByteReader(section, bytes, start);
    const { length } = readInitialLength(reader);
    return length > 0 && length <= reader.remaining ? reader.offset + length : undefined;
  } catch {
    return undefined;
  }
}
