/** A region that has a slot: what its function was made from, so that it can go when that changes. */
import type { VirtualAddress } from '../../units';
import type { Body } from '../wasm/code';
import type { Region } from './region';

/** What a region is a translation of, and under which assumptions. One entry may have several, which form a chain. */
export interface Variant {
  /** Page of RAM, and offset in it, of the first instruction. */
  readonly page: number;
  readonly offset: number;
  /** Address of the first byte of the page, where it is executed. */
  readonly address: VirtualAddress;
  /** fflags.NX is set. */
  readonly inexact: boolean;
  /** frm. */
  readonly frm: number;
  /** Loads need no translation (Regime.DIRECT). */
  readonly direct: boolean;
}

/** Do two make the same of an instruction that both have? */
export const sameAssumptions = (a: Variant, b: Variant): boolean =>
  a.inexact === b.inexact && a.frm === b.frm && a.direct === b.direct;

export const sameVariant = (a: Variant, b: Variant): boolean =>
  a.page === b.page && a.offset === b.offset && a.address === b.address && sameAssumptions(a, b);

/** [from, to) in a page. */
type Span = readonly [from: number, to: number];

const PAGE = 4096;

/** The bytes of a region's instructions, by page of RAM. */
function spansOf({ pages, blocks }: Region): ReadonlyMap<number, readonly Span[]> {
  const spans = new Map<number, Span[]>();
  const add = (page: number, from: number, to: number): void => {
    const list = spans.get(page);
    if (list) list.push([from, to]);
    else spans.set(page, [[from, to]]);
  };
  // A page without instructions of its own has been looked at all the same.
  for (const { page } of pages) spans.set(page, []);
  for (const { pc, page, nextPage, instructions } of blocks) {
    const from = pc - pages[page]!.address;
    const to = instructions.reduce((end, { length }) => end + length, from);
    add(pages[page]!.page, from, Math.min(to, PAGE));
    if (nextPage !== undefined) add(pages[nextPage]!.page, 0, to - PAGE);
  }
  return spans;
}

export class LiveRegion {
  private readonly spans: ReadonlyMap<number, readonly Span[]>;
  readonly instructions: number;
  alive = true;

  constructor(
    readonly variant: Variant,
    readonly slot: number,
    region: Region,
    /** Of its function: it can stand in any module of regions. */
    readonly body: Body,
    /** Instructions that the machine had executed when it was made. */
    readonly since: number,
  ) {
    this.spans = spansOf(region);
    this.instructions = region.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  }

  /** Pages of RAM. */
  get pages(): Iterable<number> {
    return this.spans.keys();
  }

  /** Is the first instruction of another one among its instructions, under the same assumptions? */
  executes(entry: Variant): boolean {
    const { page, offset, address } = entry;
    const { variant } = this;
    return address === variant.address && sameAssumptions(entry, variant) && this.covers(page, offset, offset + 1);
  }

  /** Does it execute any of the bytes [from, to) of a page of RAM? */
  covers(page: number, from: number, to: number): boolean {
    return this.spans.get(page)?.some(([first, end]) => first < to && from < end) ?? false;
  }

  /** Does it execute an instruction at one of these offsets of a page of RAM? */
  coversAny(page: number, offsets: ReadonlySet<number>): boolean {
    for (const offset of offsets) if (this.covers(page, offset, offset + 1)) return true;
    return false;
  }
}
