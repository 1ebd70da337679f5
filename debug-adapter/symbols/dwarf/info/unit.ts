/**
 * Units of `.debug_info` and `.debug_types` (DWARF 5, section 7.5.1) and their entries. Headers are read up front; the
 * entries of a unit only when someone needs them, and then as a skeleton: an attribute is decoded when it is asked for.
 * Malformed bytes are thrown as SymbolError; the edge that catches them is `DebugInfo`.
 */
import { ByteReader, SymbolError } from '../../bytes';
import { fixedEntrySize, readAbbreviations, type Abbreviation, type AbbreviationTable } from './abbreviations';
import { At, Ate, Tag, Ut } from './constants';
import { readAddress, readForm, readOffset, skipForm, type AttributeValue, type FormContext } from './forms';

/** Where the bytes of the sections come from: an ELF file, or a map in a test. */
export interface DebugSections {
  section(name: string): Uint8Array | undefined;
}

/** Entries may nest this deep; compilers stay far below, and the walks over the tree recurse. */
export const MAX_DEPTH = 200;
/** A chain of abstract_origin, specification or signature references may be this long. */
export const MAX_REFERENCES = 16;

/** What units share: sections, abbreviation tables, and the way from an offset or a signature to an entry. */
export class InfoContext {
  private readonly tables = new Map<number, AbbreviationTable>();
  /** All units, by section and ascending offset. */
  readonly units: Unit[] = [];
  readonly signatures = new Map<bigint, Unit>();

  private rangeBudget: number;

  constructor(readonly sections: DebugSections) {
    // The shortest entry takes 8 bytes of the one section and 2 of the other.
    this.rangeBudget = RANGES_FREE + this.bytes('.debug_ranges').length / 8 + this.bytes('.debug_rnglists').length / 2;
  }

  /** Counts decoded ranges; lists that overlap each other would otherwise cost the square of their size. */
  spendRanges(count: number, entry: Entry): void {
    this.rangeBudget -= count > 1 ? count : 0;
    if (this.rangeBudget < 0) throw new SymbolError(entry.unit.section, entry.offset, 'range lists overlap each other');
  }

  bytes(section: string): Uint8Array {
    return this.sections.section(section) ?? NOTHING;
  }

  abbreviations(offset: number): AbbreviationTable {
    let table = this.tables.get(offset);
    if (!table) this.tables.set(offset, (table = readAbbreviations(this.bytes('.debug_abbrev'), offset)));
    return table;
  }

  /** The entry at an offset of a section. Throws when no entry starts there. */
  entryAt(section: string, offset: number): Entry {
    const { units } = this;
    let low = 0;
    let high = units.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const unit = units[middle]!;
      // `.debug_info` sorts before `.debug_types`, as the units were read.
      if (unit.section < section || (unit.section === section && unit.offset <= offset)) low = middle + 1;
      else high = middle;
    }
    const unit = units[low - 1];
    if (unit?.section !== section || offset >= unit.end)
      throw new SymbolError(section, offset, 'a reference points outside every unit');
    return unit.entryAt(offset);
  }
}

const RANGES_FREE = 1 << 16;
const NOTHING = new Uint8Array(0);

/** One compilation, partial, skeleton or type unit. */
export class Unit implements FormContext {
  private table: AbbreviationTable | undefined;
  private parsed: Entry[] | undefined;
  private failure: SymbolError | undefined;
  private bases: Bases | undefined;
  private rootEntry: Entry | undefined;

  constructor(
    readonly context: InfoContext,
    readonly section: string,
    readonly offset: number,
    readonly end: number,
    readonly version: number,
    readonly offsetSize: number,
    readonly addressSize: number,
    readonly unitType: number,
    private readonly abbreviationOffset: number,
    private readonly firstEntry: number,
    /** Of a type unit: the offset in the section of the entry it describes. */
    readonly typeOffset: number | undefined,
  ) {}

  /** The unit's own entry, read without reading the others. */
  get root(): Entry {
    return (this.rootEntry ??= this.readRoot());
  }

  /** Every entry, in the order of the section. Throws the same SymbolError each time where the unit is malformed. */
  get entries(): readonly Entry[] {
    if (this.failure) throw this.failure;
    if (!this.parsed) {
      try {
        this.parsed = readEntries(this);
      } catch (error) {
        if (error instanceof SymbolError) this.failure = error;
        throw error;
      }
    }
    return this.parsed;
  }

  abbreviation(code: number, at: number): Abbreviation {
    this.table ??= this.context.abbreviations(this.abbreviationOffset);
    const found = this.table.get(code);
    if (!found) throw new SymbolError(this.section, at, `abbreviation ${code} is not declared`);
    return found;
  }

  reader(offset: number): ByteReader {
    return new ByteReader(this.section, this.context.bytes(this.section), offset, this.end);
  }

  entryAt(offset: number): Entry {
    const entries = this.entries;
    let low = 0;
    let high = entries.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = entries[middle]!;
      if (entry.offset === offset) return entry;
      if (entry.offset < offset) low = middle + 1;
      else high = middle - 1;
    }
    throw new SymbolError(this.section, offset, 'a reference does not point at an entry');
  }

  /** The offsets that the unit's own entry gives for the tables it indexes (section 7.26 to 7.29). */
  get base(): Bases {
    return (this.bases ??= {
      strings: baseOf(this.root, At.str_offsets_base) ?? 2 * this.offsetSize,
      addresses: baseOf(this.root, At.addr_base) ?? 2 * this.offsetSize,
      ranges: baseOf(this.root, At.rnglists_base),
      locations: baseOf(this.root, At.loclists_base),
    });
  }

  /** Entry `index` of the unit's part of `.debug_addr`. */
  addressAt(index: number): bigint {
    const reader = this.tableReader('.debug_addr', this.base.addresses, index, this.addressSize);
    return readAddress(reader, this.addressSize);
  }

  stringAt(index: number): string {
    const reader = this.tableReader('.debug_str_offsets', this.base.strings, index, this.offsetSize);
    return this.stringFrom('.debug_str', readOffset(reader, this.offsetSize));
  }

  stringFrom(section: string, offset: number): string {
    return new ByteReader(section, this.context.bytes(section)).seek(offset).cString();
  }

  tableReader(section: string, base: number, index: number, entrySize: number): ByteReader {
    return new ByteReader(section, this.context.bytes(section)).seek(base + index * entrySize);
  }

  /** For expressions: how to compute with the base type whose entry is `offset` into the unit. */
  baseTypeAt(offset: number): { size: number; signed: boolean; isFloat: boolean } | undefined {
    const entry = this.entryAt(this.offset + offset);
    const size = entry.number(At.byte_size);
    const encoding = entry.number(At.encoding);
    if (entry.tag !== Tag.base_type || size === undefined || size < 1 || size > 16) return undefined;
    return {
      size,
      signed: encoding === Ate.signed || encoding === Ate.signed_char,
      isFloat: encoding === Ate.float || encoding === Ate.complex_float,
    };
  }

  /** For expressions: the location of another entry, by its offset in the unit or in `.debug_info`. */
  expressionAt(offset: number, inSection: boolean): Uint8Array | undefined {
    const entry = inSection ? this.context.entryAt('.debug_info', offset) : this.entryAt(this.offset + offset);
    return entry.expression(At.location);
  }

  private readRoot(): Entry {
    const reader = this.reader(this.firstEntry);
    const code = reader.ulebNumber();
    if (code === 0) reader.fail('the unit has no entry of its own', this.firstEntry);
    return new Entry(this, this.firstEntry, reader.offset, this.abbreviation(code, this.firstEntry), undefined);
  }
}

interface Bases {
  readonly strings: number;
  readonly addresses: number;
  readonly ranges: number | undefined;
  readonly locations: number | undefined;
}

function baseOf(root: Entry, at: number): number | undefined {
  const value = root.attribute(at);
  return value?.class === 'sectionOffset'
    ? value.offset
    : value?.class === 'constant'
      ? Number(value.value)
      : undefined;
}

/** One debugging information entry. Attributes are decoded on demand and not kept. */
export class Entry {
  readonly children: Entry[] = [];

  constructor(
    readonly unit: Unit,
    /** In the unit's section. */
    readonly offset: number,
    private readonly valuesAt: number,
    private readonly abbreviation: Abbreviation,
    readonly parent: Entry | undefined,
  ) {}

  get tag(): number {
    return this.abbreviation.tag;
  }

  has(at: number): boolean {
    return this.abbreviation.names.includes(at);
  }

  /** The raw value of an attribute. Throws where its bytes are malformed. */
  attribute(at: number): AttributeValue | undefined {
    const { names, forms, implicit } = this.abbreviation;
    const index = names.indexOf(at);
    if (index < 0) return undefined;
    const reader = this.unit.reader(this.valuesAt);
    for (let i = 0; i < index; i++) skipForm(reader, forms[i]!, this.unit);
    return readForm(reader, forms[index]!, implicit[index]!, this.unit);
  }

  string(at: number): string | undefined {
    const value = this.attribute(at);
    if (value?.class === 'string') return value.value;
    if (value?.class === 'stringOffset') return this.unit.stringFrom(value.section, value.offset);
    return value?.class === 'stringIndex' ? this.unit.stringAt(value.index) : undefined;
  }

  /** A constant that fits a safe integer. */
  number(at: number): number | undefined {
    const value = this.attribute(at);
    if (value?.class !== 'constant') return undefined;
    const number = Number(value.value);
    return Number.isSafeInteger(number) ? number : undefined;
  }

  flag(at: number): boolean {
    const value = this.attribute(at);
    return value?.class === 'flag' && value.value;
  }

  address(at: number): bigint | undefined {
    const value = this.attribute(at);
    if (value?.class === 'address') return value.value;
    return value?.class === 'addressIndex' ? this.unit.addressAt(value.index) : undefined;
  }

  /** A DWARF expression; versions 2 and 3 encode it as a block. */
  expression(at: number): Uint8Array | undefined {
    const value = this.attribute(at);
    return value?.class === 'exprloc' || value?.class === 'block' ? value.bytes : undefined;
  }

  /** An offset into another section; versions 2 and 3 encode it as data4 or data8. */
  sectionOffset(at: number): number | undefined {
    const value = this.attribute(at);
    if (value?.class === 'sectionOffset') return value.offset;
    return value?.class === 'constant' && this.unit.version < 4 ? Number(value.value) : undefined;
  }

  /** The entry an attribute refers to. Throws where there is none at that place. */
  reference(at: number): Entry | undefined {
    const value = this.attribute(at);
    const { context, section } = this.unit;
    if (value?.class === 'reference')
      return value.local ? this.unit.entryAt(value.offset) : context.entryAt('.debug_info', value.offset);
    if (value?.class === 'supplementary')
      throw new SymbolError(section, this.offset, 'refers to a supplementary debug file, which is not read');
    if (value?.class !== 'signature') return undefined;
    const unit = context.signatures.get(value.signature);
    if (unit?.typeOffset === undefined)
      throw new SymbolError(section, this.offset, `no type unit has signature 0x${value.signature.toString(16)}`);
    return unit.entryAt(unit.typeOffset);
  }

  /** Moves over this entry's values; used while the unit is first read. */
  skipValues(reader: ByteReader): void {
    for (const form of this.abbreviation.forms) skipForm(reader, form, this.unit);
  }
}

/** Reads the skeleton of a unit: which entries there are and how they nest. */
function readEntries(unit: Unit): Entry[] {
  const root = unit.root;
  const reader = unit.reader(root.offset);
  const entries: Entry[] = [];
  const open: Entry[] = [];
  const sizes = new Map<Abbreviation, number | undefined>();
  do {
    const at = reader.offset;
    const code = reader.ulebNumber();
    if (code === 0) {
      open.pop();
      continue;
    }
    const abbreviation = unit.abbreviation(code, at);
    const parent = open.at(-1);
    const entry = parent ? new Entry(unit, at, reader.offset, abbreviation, parent) : root;
    parent?.children.push(entry);
    entries.push(entry);
    if (!sizes.has(abbreviation))
      sizes.set(abbreviation, fixedEntrySize(abbreviation, unit.addressSize, unit.offsetSize));
    const size = sizes.get(abbreviation);
    if (size === undefined) entry.skipValues(reader);
    else reader.raw(size);
    if (!abbreviation.hasChildren) continue;
    if (open.length >= MAX_DEPTH) reader.fail(`entries nest deeper than ${MAX_DEPTH}`, at);
    open.push(entry);
  } while (open.length > 0 && reader.remaining > 0);
  return entries;
}

/** Whether a unit is one that describes code (and not only types). */
export function isCompilation(unit: Unit): boolean {
  return unit.unitType !== Ut.type && unit.unitType !== Ut.split_type;
}

/** Entries whose names and scopes nest in a unit: what a search for functions has to walk through. */
export function isContainer(tag: number): boolean {
  return tag === Tag.namespace || tag === Tag.structure_type || tag === Tag.class_type || tag === Tag.union_type;
}
