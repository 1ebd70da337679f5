/**
 * From lines of a file to the addresses where a breakpoint belongs. Read file by file when one is first asked for.
 */
import { IS_STMT, type RowTable, type Sequence } from './rows';
import type { SpanFinder } from './spans';

export interface LineBlocks {
  /** Ascending. */
  readonly lines: readonly number[];
  readonly addresses: ReadonlyMap<number, readonly number[]>;
}

/** Addresses by line, and those of rows that cover nothing, which count only where a line has no others. */
interface Found {
  readonly real: Map<number, number[]>;
  readonly empty: Map<number, number[]>;
}

export class BlockFinder {
  private readonly known = new Map<number, LineBlocks>();

  constructor(
    private readonly rows: RowTable,
    private readonly spans: SpanFinder,
  ) {}

  of(file: number): LineBlocks {
    const known = this.known.get(file);
    if (known) return known;
    const found: Found = { real: new Map(), empty: new Map() };
    for (const sequence of this.rows.sequences) this.scan(sequence, file, found);
    const addresses = new Map([...found.empty, ...found.real]);
    for (const [line, list] of addresses)
      addresses.set(
        line,
        [...new Set(list)].sort((a, b) => a - b),
      );
    const blocks = { lines: [...addresses.keys()].sort((a, b) => a - b), addresses };
    this.known.set(file, blocks);
    return blocks;
  }

  private scan(sequence: Sequence, file: number, { real, empty }: Found): void {
    const { address, line, flags } = this.rows;
    const lineOf = (row: number): number => (this.rows.file[row] === file ? line[row]! : 0);
    let blockLine = 0; // the line of the block that reaches up to the row; 0 for none or another file
    let counted = false; // whether the block has its address already
    for (let row = sequence.first, next; row < sequence.last; row = next) {
      for (next = row + 1; next < sequence.last && address[next] === address[row];) next++;
      const covers = address[row]! < sequence.high ? this.spans.effective(sequence, next - 1) : -1;
      for (let i = row; i < next; i++) if (i !== covers && flags[i]! & IS_STMT) push(empty, lineOf(i), address[i]!);
      if (covers < 0) return;
      if (lineOf(covers) !== blockLine) [blockLine, counted] = [lineOf(covers), false];
      if (blockLine === 0 || counted || !(flags[covers]! & IS_STMT)) continue;
      push(real, blockLine, address[covers]!);
      counted = true;
    }
  }
}

function push(map: Map<number, number[]>, line: number, address: number): void {
  if (line === 0) return;
  const list = map.get(line);
  if (list) list.push(address);
  else map.set(line, [address]);
}
