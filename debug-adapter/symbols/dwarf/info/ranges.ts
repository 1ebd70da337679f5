/**
 * Which addresses an entry covers: low_pc and high_pc, `.debug_ranges` (DWARF 4, section 2.17.3), `.debug_rnglists`
 * (DWARF 5, sections 2.17.3 and 7.28) and `.debug_aranges` (section 6.1.2). Dead code is left out: linkers leave address
 * 0, 1 or the highest address where they dropped a function.
 */
import { ByteReader } from '../../bytes';
import { At, Rle } from './constants';
import { readAddress, readOffset } from './forms';
import type { AddressRange } from './intervals';
import type { Entry, InfoContext, Unit } from './unit';
import { readInitialLength } from './unit-headers';

/** No function is cut into more pieces than this. */
export const MAX_RANGES = 1 << 16;

const known = new WeakMap<Entry, AddressRange[]>();

/** The ranges of an entry, in the order of the file; empty when it has none. Throws where they are malformed. */
export function rangesOf(entry: Entry): AddressRange[] {
  let ranges = known.get(entry);
  if (!ranges) {
    // Lists do not overlap in honest files, so all of them together are no longer than their sections.
    const { context } = entry.unit;
    context.spendRanges(0, entry);
    ranges = readRangesOf(entry);
    context.spendRanges(ranges.length, entry);
    known.set(entry, ranges);
  }
  return ranges;
}

function readRangesOf(entry: Entry): AddressRange[] {
  const list = entry.attribute(At.ranges);
  if (list?.class === 'listIndex')
    return readRangeLists(entry.unit, listOffset(entry.unit, '.debug_rnglists', list.index));
  const offset = entry.sectionOffset(At.ranges);
  if (offset !== undefined)
    return entry.unit.version >= 5 ? readRangeLists(entry.unit, offset) : readRanges(entry.unit, offset);
  return lowHigh(entry);
}

function lowHigh(entry: Entry): AddressRange[] {
  const low = entry.address(At.low_pc);
  if (low === undefined) return [];
  const absolute = entry.address(At.high_pc);
  const size = entry.attribute(At.high_pc);
  const high = absolute ?? (size?.class === 'constant' ? low + size.value : undefined);
  const ranges: AddressRange[] = [];
  if (high !== undefined) add(ranges, low, high);
  return ranges;
}

/** The base address of a unit: the low_pc of its own entry, else 0. */
export function baseAddress(unit: Unit): bigint {
  return unit.root.address(At.low_pc) ?? 0n;
}

/** Keeps a range that can be one. Addresses above 2^53 are no code of ours; the linker writes -1 for what it dropped. */
function add(ranges: AddressRange[], low: bigint, high: bigint): void {
  if (high > low && high <= BigInt(Number.MAX_SAFE_INTEGER)) ranges.push({ low: Number(low), high: Number(high) });
}

/** Resolves DW_FORM_rnglistx and DW_FORM_loclistx: entry `index` of the offset array that follows a list table's header. */
export function listOffset(unit: Unit, section: '.debug_rnglists' | '.debug_loclists', index: number): number {
  const headerSize = unit.offsetSize === 8 ? 20 : 12;
  const base = (section === '.debug_rnglists' ? unit.base.ranges : unit.base.locations) ?? headerSize;
  return base + readOffset(unit.tableReader(section, base, index, unit.offsetSize), unit.offsetSize);
}

function readRanges(unit: Unit, offset: number): AddressRange[] {
  const reader = new ByteReader('.debug_ranges', unit.context.bytes('.debug_ranges')).seek(offset);
  const highest = (1n << BigInt(8 * unit.addressSize)) - 1n;
  const ranges: AddressRange[] = [];
  let base = baseAddress(unit);
  for (let i = 0; i < MAX_RANGES; i++) {
    const low = readAddress(reader, unit.addressSize);
    const high = readAddress(reader, unit.addressSize);
    if (low === 0n && high === 0n) return ranges;
    if (low === highest) base = high;
    else add(ranges, base + low, base + high);
  }
  return reader.fail(`a range list of more than ${MAX_RANGES} entries`, offset);
}

function readRangeLists(unit: Unit, offset: number): AddressRange[] {
  const reader = new ByteReader('.debug_rnglists', unit.context.bytes('.debug_rnglists')).seek(offset);
  const address = (): bigint => readAddress(reader, unit.addressSize);
  const indexed = (): bigint => unit.addressAt(reader.ulebNumber());
  const ranges: AddressRange[] = [];
  let base = baseAddress(unit);
  for (let i = 0; i < MAX_RANGES; i++) {
    const kind = reader.u8();
    let low: bigint;
    switch (kind) {
      case Rle.end_of_list:
        return ranges;
      case Rle.base_addressx:
        base = indexed();
        break;
      case Rle.base_address:
        base = address();
        break;
      case Rle.startx_endx:
        low = indexed();
        add(ranges, low, indexed());
        break;
      case Rle.startx_length:
        low = indexed();
        add(ranges, low, low + reader.uleb());
        break;
      case Rle.offset_pair:
        low = base + reader.uleb();
        add(ranges, low, base + reader.uleb());
        break;
      case Rle.start_end:
        low = address();
        add(ranges, low, address());
        break;
      case Rle.start_length:
        low = address();
        add(ranges, low, low + reader.uleb());
        break;
      default:
        reader.fail(`unknown range list entry 0x${kind.toString(16)}`, reader.offset - 1);
    }
  }
  return reader.fail(`a range list of more than ${MAX_RANGES} entries`, offset);
}

/**
 * Reads `.debug_aranges`: the ranges of each unit by the unit's offset. Only units whose own entry gives no ranges need
 * it, which assemblers produce; a malformed set ends the walk, since the sets cannot be told apart behind it.
 */
export function readAddressRanges(context: InfoContext): Map<number, AddressRange[]> {
  const sets = new Map<number, AddressRange[]>();
  const bytes = context.sections.section('.debug_aranges');
  if (!bytes) return sets;
  const reader = new ByteReader('.debug_aranges', bytes);
  while (reader.remaining > 0) {
    const start = reader.offset;
    const { length, offsetSize } = readInitialLength(reader);
    const set = reader.slice(length);
    set.u16(); // version
    const unit = readOffset(set, offsetSize);
    const addressSize = set.u8();
    const segmentSize = set.u8();
    if (![2, 4, 8].includes(addressSize) || segmentSize !== 0) set.fail('unusable address or segment size');
    // Pairs are aligned to their own size, counted from the start of the set.
    const pair = 2 * addressSize;
    set.raw((pair - ((set.offset - start) % pair)) % pair);
    const ranges = sets.get(unit) ?? [];
    while (set.remaining >= pair) {
      const low = readAddress(set, addressSize);
      const size = readAddress(set, addressSize);
      if (low === 0n && size === 0n) break;
      add(ranges, low, low + size);
    }
    sets.set(unit, ranges);
  }
  return sets;
}
