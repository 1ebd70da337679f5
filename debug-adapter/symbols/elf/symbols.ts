/**
 * The symbol table of an ELF file ("System V ABI", chapter 4, "Symbol Table"): entries as columns, names decoded on demand, and
 * an index from code addresses to symbols. Never decodes a name to answer a question that bytes can answer.
 */
import { ByteReader } from '../bytes';
import {
  SHN_LORESERVE,
  SHN_UNDEF,
  STB_GLOBAL,
  STB_WEAK,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  type ElfSymbol,
} from './format';
import { addressOf, stringAt } from './headers';

class LazySymbol implements ElfSymbol {
  private text?: string;
  constructor(
    private readonly strings: Uint8Array,
    readonly nameOffset: number,
    readonly value: number,
    readonly size: number,
    private readonly info: number,
    readonly shndx: number,
  ) {}
  get name(): string {
    return (this.text ??= stringAt(this.strings, this.nameOffset));
  }
  get type(): number {
    return this.info & 0xf;
  }
  get binding(): number {
    return this.info >> 4;
  }
}

/** How far `at` looks back for a symbol that encloses the nearest one; real nesting is one or two deep. */
const MAX_NESTING = 64;

export class SymbolTable {
  readonly all: readonly LazySymbol[];
  private code?: { symbols: LazySymbol[]; reach: Float64Array };

  /** Reads a whole table; a trailing piece of an entry is ignored. Throws `SymbolError` only on sizes above 2^53. */
  constructor(
    section: string,
    bytes: Uint8Array,
    private readonly strings: Uint8Array,
    wide: boolean,
  ) {
    const entry = wide ? 24 : 16;
    const reader = new ByteReader(section, bytes);
    const all: LazySymbol[] = [];
    for (let at = 0; at + entry <= bytes.length; at += entry) {
      reader.seek(at);
      const name = reader.u32();
      let info = 0;
      let shndx = 0;
      if (wide) [info, , shndx] = [reader.u8(), reader.u8(), reader.u16()];
      const value = wide ? addressOf(reader.u64()) : reader.u32();
      const size = wide ? Number(reader.u64()) : reader.u32();
      if (!wide) [info, , shndx] = [reader.u8(), reader.u8(), reader.u16()];
      if (at > 0) all.push(new LazySymbol(strings, name, value, size, info, shndx)); // entry 0 is reserved
    }
    this.all = all;
  }

  /** The first global, else the first other defined symbol of that name. Compares bytes: no name is decoded. */
  named(name: string): ElfSymbol | undefined {
    const wanted = new TextEncoder().encode(name + '\0');
    let found: ElfSymbol | undefined;
    for (const symbol of this.all) {
      if (symbol.shndx === SHN_UNDEF || !this.spells(symbol.nameOffset, wanted)) continue;
      if (symbol.binding === STB_GLOBAL) return symbol;
      found ??= symbol;
    }
    return found;
  }

  private spells(offset: number, wanted: Uint8Array): boolean {
    for (let i = 0; i < wanted.length; i++) if (this.strings[offset + i] !== wanted[i]) return false;
    return true;
  }

  /**
   * The function, or the label of hand-written code, that covers an address. A symbol with a size covers exactly that; one
   * without reaches up to the next symbol, at most to `limit(symbol)`, the end of its section.
   */
  at(address: number, limit: (symbol: ElfSymbol) => number): ElfSymbol | undefined {
    const { symbols, reach } = (this.code ??= this.indexCode());
    const nearest = lastAtOrBelow(symbols, address);
    const first = symbols[nearest];
    if (first && first.size === 0 && address < limit(first)) return first;
    for (let i = nearest, steps = 0; i >= 0 && steps < MAX_NESTING; i--, steps++) {
      if (reach[i]! <= address) return undefined;
      const symbol = symbols[i]!;
      if (symbol.size > 0 && address < symbol.value + symbol.size) return symbol;
    }
    return undefined;
  }

  /** The address of the next code symbol above an address: the bound of a function whose symbol has no size. */
  nextAfter(address: number): number | undefined {
    const { symbols } = (this.code ??= this.indexCode());
    return symbols[lastAtOrBelow(symbols, address) + 1]?.value;
  }

  /** Code symbols by address, one per address, with the running maximum of where they end. */
  private indexCode(): { symbols: LazySymbol[]; reach: Float64Array } {
    const candidates = this.all.filter((symbol) => this.isCode(symbol));
    candidates.sort((a, b) => a.value - b.value || rank(a) - rank(b));
    const symbols = candidates.filter((symbol, i) => i === 0 || candidates[i - 1]!.value !== symbol.value);
    const reach = new Float64Array(symbols.length);
    symbols.forEach((symbol, i) => {
      reach[i] = Math.max(symbol.value + symbol.size, i > 0 ? reach[i - 1]! : -Infinity);
    });
    return { symbols, reach };
  }

  private isCode({ type, shndx, nameOffset }: LazySymbol): boolean {
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_GNU_IFUNC) return false;
    if (shndx === SHN_UNDEF || shndx >= SHN_LORESERVE) return false;
    const [first, second] = [this.strings[nameOffset], this.strings[nameOffset + 1]];
    // The psABI's mapping symbols ($x, $d) and the compiler's local labels (.L) name no function.
    return first !== undefined && first !== 0 && first !== 0x24 && !(first === 0x2e && second === 0x4c);
  }
}

/** Of several symbols at one address: functions before labels, then sized, then global, then weak. */
function rank(symbol: ElfSymbol): number {
  const binding = symbol.binding === STB_GLOBAL ? 0 : symbol.binding === STB_WEAK ? 1 : 2;
  return (symbol.type === STT_NOTYPE ? 8 : 0) + (symbol.size === 0 ? 4 : 0) + binding;
}

function lastAtOrBelow(symbols: readonly ElfSymbol[], address: number): number {
  let low = 0;
  let high = symbols.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (symbols[middle]!.value <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
