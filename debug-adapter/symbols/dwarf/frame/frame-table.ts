/**
 * Call frame information of one ELF file: from a code address (of the file, without load bias) to the rules that find the
 * caller's registers. Reads `.debug_frame` and `.eh_frame` when first asked. A broken entry costs its own function only.
 */
import { ByteReader, SymbolError } from '../../bytes';
import type { ElfFile } from '../../elf/elf';
import { guarded } from '../../elf/headers';
import { readCie, readEntry, readFde, type Cie, type Fde, type FrameSection } from './entries';
import { rowOf, type UnwindRow } from './rules';

export type { CfaRule, RegisterRule, UnwindRow } from './rules';

const MAX_PROBLEMS = 16;
/** How many entries that begin below an address may be looked at: in good files the first one covers it. */
const MAX_OVERLAP = 64;

interface Index {
  readonly entries: readonly Fde[];
  /** Running maximum of where the entries end. */
  readonly reach: Float64Array;
}

export class FrameTable {
  private index?: Index;
  private readonly found: SymbolError[] = [];

  private constructor(private readonly elf: ElfFile) {}

  /** Opens the call frame information of a file; a file without any gives a table without rows. */
  static open(elf: ElfFile): FrameTable {
    return new FrameTable(elf);
  }

  /** What could not be read; the rest is good. */
  get problems(): readonly SymbolError[] {
    this.index ??= this.build();
    return this.found;
  }

  /** The rules at an address; undefined where there are none, an error where they are damaged. */
  rowFor(pc: number): UnwindRow | SymbolError | undefined {
    const fde = this.fdeAt(pc);
    return fde && guarded(() => rowOf(fde, pc));
  }

  /** The range of code described together with an address: in general its function. */
  rangeAt(pc: number): { readonly low: number; readonly high: number } | undefined {
    return this.fdeAt(pc);
  }

  private fdeAt(pc: number): Fde | undefined {
    const { entries, reach } = (this.index ??= this.build());
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.low <= pc) low = middle + 1;
      else high = middle;
    }
    const nearest = low - 1;
    for (let i = nearest; i >= 0 && i > nearest - MAX_OVERLAP && reach[i]! > pc; i--)
      if (entries[i]!.high > pc) return entries[i];
    return undefined;
  }

  private build(): Index {
    const entries: Fde[] = [];
    for (const name of ['.debug_frame', '.eh_frame'] as const) {
      const bytes = this.elf.section(name);
      if (bytes) this.readSection({ name, bytes, bases: this.bases(name) }, entries);
      else if (this.elf.sectionError(name)) this.problem(this.elf.sectionError(name)!);
    }
    entries.sort((a, b) => a.low - b.low);
    const reach = new Float64Array(entries.length);
    entries.forEach(({ high }, i) => (reach[i] = Math.max(high, i > 0 ? reach[i - 1]! : -Infinity)));
    return { entries, reach };
  }

  private bases(name: string): FrameSection['bases'] {
    const address = (section: string): number | undefined => this.elf.sectionNamed(section)?.addr;
    const addressSize = this.elf.class === 64 ? 8 : 4;
    return { section: address(name) ?? 0, text: address('.text'), data: address('.got'), addressSize };
  }

  private problem(error: SymbolError): void {
    if (this.found.length < MAX_PROBLEMS) this.found.push(error);
  }

  private readSection(section: FrameSection, entries: Fde[]): void {
    const cies = new Map<number, Cie | SymbolError>();
    const reader = new ByteReader(section.name, section.bytes);
    while (reader.remaining > 0) {
      const entry = guarded(() => readEntry(section, reader));
      if (entry instanceof SymbolError) return this.problem(entry); // where the next one begins is unknown
      if (entry?.cie === undefined) continue;
      const { cie: at, body } = entry;
      if (!cies.has(at))
        cies.set(
          at,
          guarded(() => readCie(section, at)),
        );
      const cie = cies.get(at)!;
      const fde = cie instanceof SymbolError ? cie : guarded(() => readFde(section, body, cie));
      if (fde instanceof SymbolError) this.problem(fde);
      // Functions that the linker removed keep their entries, moved to where no code is.
      else if (fde.high > fde.low && this.elf.isCode(fde.low)) entries.push(fde);
    }
  }
}
