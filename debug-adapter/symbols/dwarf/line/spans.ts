/**
 * From addresses to rows. Of several rows at one address the last one that begins a statement counts, else the last one (the others
 * are empty ranges that optimisation left). Sequences may overlap in damaged files: the search is bounded, never wrong for good ones.
 */
import { NO_FILE } from './files';
import { IS_STMT, type RowTable, type Sequence } from './rows';

/** How many sequences that begin below an address may be looked at: in good files the first one covers it. */
const MAX_OVERLAP = 64;

export class SpanFinder {
  private readonly sorted: readonly Sequence[];
  /** Running maximum of where the sequences end. */
  private readonly reach: Float64Array;

  constructor(private readonly rows: RowTable) {
    this.sorted = [...rows.sequences].sort((a, b) => a.low - b.low);
    this.reach = new Float64Array(this.sorted.length);
    this.sorted.forEach(({ high }, i) => (this.reach[i] = Math.max(high, i > 0 ? this.reach[i - 1]! : -Infinity)));
  }

  at(address: number): { file: number; line: number; column: number; start: number; end: number } | undefined {
    const sequence = this.sequenceAt(address);
    if (!sequence) return undefined;
    const { address: starts, file, line, column } = this.rows;
    const row = this.effective(sequence, this.lastRow(sequence, address));
    if (file[row] === NO_FILE) return undefined;
    const end = this.endOf(sequence, row);
    return { file: file[row]!, line: line[row]!, column: column[row]!, start: starts[row]!, end };
  }

  /** Sequences that overlap `low` to `high`, ascending. */
  sequencesIn(low: number, high: number): Sequence[] {
    const from = this.sequenceAt(low);
    const first = from ? this.sorted.indexOf(from, Math.max(0, this.upTo(low) - MAX_OVERLAP)) : this.upTo(low);
    const last = this.upTo(high - 1);
    return this.sorted.slice(first, last).filter((sequence) => sequence.high > low);
  }

  /** Calls `visit` for every non-empty range of one row, clipped to `low` and `high`, until it returns false. */
  each(low: number, high: number, visit: (row: number, start: number, end: number) => boolean): void {
    for (const sequence of this.sequencesIn(low, high)) {
      const start = Math.max(low, sequence.low);
      for (let last = this.lastRow(sequence, start); last < sequence.last;) {
        const row = this.effective(sequence, last);
        const from = this.rows.address[row]!;
        if (from >= high) break;
        const end = this.endOf(sequence, last);
        if (!visit(row, Math.max(from, low), Math.min(end, high))) return;
        last = this.lastRow(sequence, end);
      }
    }
  }

  /** Number of sequences that begin at or below an address. */
  private upTo(address: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private sequenceAt(address: number): Sequence | undefined {
    const nearest = this.upTo(address) - 1;
    for (let i = nearest; i >= 0 && i > nearest - MAX_OVERLAP && this.reach[i]! > address; i--)
      if (this.sorted[i]!.high > address) return this.sorted[i];
    return undefined;
  }

  /** The last row of a sequence at or below an address inside it. */
  private lastRow({ first, last }: Sequence, address: number): number {
    let low = first;
    let high = last + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows.address[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Of the rows at the address of `row`, the last of them, the one that counts. */
  effective({ first }: Sequence, row: number): number {
    const { address, flags } = this.rows;
    for (let i = row; i >= first && address[i] === address[row]; i--) if (flags[i]! & IS_STMT) return i;
    return row;
  }

  /** The first higher address in the sequence. */
  private endOf({ last }: Sequence, row: number): number {
    const { address } = this.rows;
    let next = row + 1;
    while (next < last && address[next] === address[row]) next++;
    return address[next]!;
  }
}
