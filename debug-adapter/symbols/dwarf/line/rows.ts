/**
 * The rows of all line number programs as columns, grouped into sequences of increasing addresses (DWARF 5, section 6.2.5).
 * A program of a megabyte has tens of thousands of rows: as objects they would cost ten times the memory and the time.
 */

export const IS_STMT = 1;
export const PROLOGUE_END = 2;
export const END_SEQUENCE = 4;

/** More rows than this are not kept; the largest program this was made for has a hundredth of it. */
export const MAX_ROWS = 4_000_000;

/** Rows `first` to `last`; the last one is the end marker, its address is `high`. */
export interface Sequence {
  readonly low: number;
  readonly high: number;
  readonly first: number;
  readonly last: number;
}

export class RowTable {
  address = new Float64Array(1024);
  file = new Int32Array(1024);
  line = new Uint32Array(1024);
  column = new Uint32Array(1024);
  flags = new Uint8Array(1024);
  length = 0;
  readonly sequences: Sequence[] = [];
  private first = 0;
  private ordered = true;

  /** Appends a row to the sequence under construction; false when the table is full. */
  add(address: number, file: number, line: number, column: number, flags: number): boolean {
    if (this.length === MAX_ROWS) return false;
    if (this.length === this.address.length) this.grow();
    const row = this.length++;
    if (row > this.first && address < this.address[row - 1]!) this.ordered = false;
    this.address[row] = address;
    this.file[row] = file;
    this.line[row] = line;
    this.column[row] = column;
    this.flags[row] = flags;
    return true;
  }

  /** Ends the sequence under construction at its last row, the end marker; drops it when it is empty or `wanted` says so. */
  endSequence(wanted: (low: number) => boolean): void {
    if (!this.ordered) this.sort();
    const last = this.length - 1;
    const [low, high] = [this.address[this.first]!, this.address[last]!];
    if (last <= this.first || high <= low || !wanted(low)) return this.dropSequence();
    this.sequences.push({ low, high, first: this.first, last });
    this.first = this.length;
    this.ordered = true;
  }

  /** Forgets the rows of the sequence under construction. */
  dropSequence(): void {
    this.length = this.first;
    this.ordered = true;
  }

  /** Puts rows in order of address, as the specification demands; the end marker keeps its place if it is the highest. */
  private sort(): void {
    const order = Array.from({ length: this.length - this.first }, (_, i) => this.first + i);
    order.sort((a, b) => this.address[a]! - this.address[b]! || a - b);
    for (const column of [this.address, this.file, this.line, this.column, this.flags]) {
      const sorted = order.map((row) => column[row]!);
      column.set(sorted, this.first);
    }
    // A marker that sank into the middle would end the sequence early: whatever is behind it is beyond the code it describes.
    const marker = this.flags.subarray(this.first, this.length).findIndex((flags) => (flags & END_SEQUENCE) !== 0);
    if (marker >= 0) this.length = this.first + marker + 1;
  }

  private grow(): void {
    const size = this.address.length * 2;
    const larger = <T extends { set(from: T): void }>(from: T, to: T): T => (to.set(from), to);
    this.address = larger(this.address, new Float64Array(size));
    this.file = larger(this.file, new Int32Array(size));
    this.line = larger(this.line, new Uint32Array(size));
    this.column = larger(this.column, new Uint32Array(size));
    this.flags = larger(this.flags, new Uint8Array(size));
  }
}
