/**
 * Location lists: which expression describes a variable at a pc. `.debug_loc` (DWARF 4, section 2.6.2) and
 * `.debug_loclists` (DWARF 5, sections 2.6.2 and 7.29).
 */
import { ByteReader } from '../../bytes';
import { Lle } from './constants';
import { readAddress } from './forms';
import { baseAddress, listOffset } from './ranges';
import type { Entry, Unit } from './unit';

/** A list of more entries than this is not one a compiler wrote. */
export const MAX_LOCATIONS = 1 << 14;

/**
 * The expression of a location attribute at `pc`. `undefined`: the attribute is there and says nothing about this pc, or
 * it is absent; either way there is no location. Throws where the bytes are malformed.
 */
export function expressionAt(entry: Entry, at: number, pc: number): Uint8Array | undefined {
  const value = entry.attribute(at);
  if (!value) return undefined;
  if (value.class === 'exprloc' || value.class === 'block') return value.bytes;
  const { unit } = entry;
  if (value.class === 'listIndex') return readLocationLists(unit, listOffset(unit, '.debug_loclists', value.index), pc);
  const offset = entry.sectionOffset(at);
  if (offset === undefined) return undefined;
  return unit.version >= 5 ? readLocationLists(unit, offset, pc) : readLocations(unit, offset, pc);
}

function readLocations(unit: Unit, offset: number, pc: number): Uint8Array | undefined {
  const reader = new ByteReader('.debug_loc', unit.context.bytes('.debug_loc')).seek(offset);
  const highest = (1n << BigInt(8 * unit.addressSize)) - 1n;
  const wanted = BigInt(pc);
  let base = baseAddress(unit);
  for (let i = 0; i < MAX_LOCATIONS; i++) {
    const low = readAddress(reader, unit.addressSize);
    const high = readAddress(reader, unit.addressSize);
    if (low === 0n && high === 0n) return undefined;
    if (low === highest) {
      base = high;
      continue;
    }
    const bytes = reader.raw(reader.u16());
    if (wanted >= base + low && wanted < base + high) return bytes;
  }
  return reader.fail(`a location list of more than ${MAX_LOCATIONS} entries`, offset);
}

function readLocationLists(unit: Unit, offset: number, pc: number): Uint8Array | undefined {
  const reader = new ByteReader('.debug_loclists', unit.context.bytes('.debug_loclists')).seek(offset);
  const address = (): bigint => readAddress(reader, unit.addressSize);
  const indexed = (): bigint => unit.addressAt(reader.ulebNumber());
  const wanted = BigInt(pc);
  let base = baseAddress(unit);
  let fallback: Uint8Array | undefined;
  for (let i = 0; i < MAX_LOCATIONS; i++) {
    const kind = reader.u8();
    let low = 0n;
    let high = 0n;
    switch (kind) {
      case Lle.end_of_list:
        return fallback;
      case Lle.base_addressx:
        base = indexed();
        continue;
      case Lle.base_address:
        base = address();
        continue;
      case Lle.startx_endx:
        low = indexed();
        high = indexed();
        break;
      case Lle.startx_length:
        low = indexed();
        high = low + reader.uleb();
        break;
      case Lle.offset_pair:
        low = base + reader.uleb();
        high = base + reader.uleb();
        break;
      case Lle.default_location:
        fallback = reader.raw(reader.ulebNumber());
        continue;
      case Lle.start_end:
        low = address();
        high = address();
        break;
      case Lle.start_length:
        low = address();
        high = low + reader.uleb();
        break;
      default:
        // GNU view pairs stand in front of the list and are never inside it, so nothing else can follow.
        reader.fail(`unknown location list entry 0x${kind.toString(16)}`, reader.offset - 1);
    }
    const bytes = reader.raw(reader.ulebNumber());
    if (wanted >= low && wanted < high) return bytes;
  }
  return reader.fail(`a location list of more than ${MAX_LOCATIONS} entries`, offset);
}
