/** A sorted set of address intervals that may nest or overlap; owns nothing about DWARF. */

/** A half-open interval `[low, high)` of link-time addresses. */
export interface AddressRange {
  readonly low: number;
  readonly high: number;
}

export class IntervalMap<T> {
  private readonly sorted: readonly (AddressRange & { readonly value: T })[];
  /** The highest end of the intervals up to each index: where a backward scan may stop. */
  private readonly reach: readonly number[];

  constructor(entries: readonly (AddressRange & { readonly value: T })[]) {
    this.sorted = [...entries].sort((a, b) => a.low - b.low || b.high - a.high);
    let highest = 0;
    this.reach = this.sorted.map((entry) => (highest = Math.max(highest, entry.high)));
  }

  /** The values whose interval holds `address`, the tightest first. At most `limit` intervals are looked at. */
  at(address: number, limit = 4096): T[] {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    const found: (AddressRange & { readonly value: T })[] = [];
    for (let i = low - 1; i >= 0 && this.reach[i]! > address && limit > 0; i--, limit--)
      if (this.sorted[i]!.high > address) found.push(this.sorted[i]!);
    return found.sort((a, b) => a.high - a.low - (b.high - b.low)).map((entry) => entry.value);
  }
}

export function rangesContain(ranges: readonly AddressRange[], address: number): boolean {
  return ranges.some((range) => address >= range.low && address < range.high);
}
