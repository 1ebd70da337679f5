/**
 * The second half of discovery: blocks that were found become a region. Returns learn where they may go, what can't be reached goes,
 * straight lines are joined, addresses become indexes.
 */
import type { Instruction } from '../../isa/instruction';
import type { VirtualAddress } from '../../units';
import type { CodeReader } from './code-reader';
import type { BlockEnd, Edge, Region, RegionBlock, RegionPage } from './region';
import type { Ending, Link } from './segment';

/** A block while its region grows. */
export interface RawBlock {
  readonly pc: VirtualAddress;
  readonly page: VirtualAddress;
  readonly nextPage: VirtualAddress | undefined;
  instructions: Readonly<Instruction>[];
  end: Ending;
  /** How likely control comes to it, compared with other blocks (discover.ts). */
  readonly likely: number;
}

type Blocks = ReadonlyMap<VirtualAddress, RawBlock>;

/** More targets than this an indirect jump has none within the region: the rest leave it. */
export const MAX_TARGETS = 24;

/** The calls of a region by the function called and the register that its return address is in. */
interface Called {
  readonly callee: VirtualAddress;
  readonly link: Link;
  /** Where it may return to, of calls that can be reached. */
  readonly sites: Set<RawBlock>;
}

class Finish {
  private readonly calls = new Map<string, Called>();
  /** For each return the functions that it ends. */
  private readonly returning = new Map<RawBlock, Called[]>();
  private reached = new Set<RawBlock>();

  constructor(
    private readonly entry: VirtualAddress,
    private readonly blocks: Blocks,
    private readonly reader: CodeReader,
  ) {}

  /**
   * A return goes to where a call came from that can be reached, and what it returns to may reach other calls: so both are found together,
   * from nothing on. Of many places to return to the unlikely are given up again: what can be reached is what the last round found.
   */
  reach(): void {
    for (let sites = -1; sites !== this.siteCount();) {
      sites = this.siteCount();
      this.reached = new Set([this.blocks.get(this.entry)!]);
      for (const block of this.reached) {
        this.noteCall(block);
        for (const pc of this.successors(block)) {
          const next = this.blocks.get(pc);
          if (next) this.reached.add(next);
        }
      }
    }
  }

  private siteCount(): number {
    let count = 0;
    for (const { sites } of this.calls.values()) count += sites.size;
    return count;
  }

  private noteCall({ end }: RawBlock): void {
    if ((end.kind !== 'jump' && end.kind !== 'indirect') || end.link === 0) return;
    const site = this.blocks.get(end.after);
    if (!site) return;
    const targets = end.kind === 'jump' ? [end.to] : this.reader.targets(end.pc).slice(0, MAX_TARGETS);
    for (const callee of targets) if (this.blocks.has(callee)) this.calledAt(callee, end.link).sites.add(site);
  }

  private calledAt(callee: VirtualAddress, link: Link): Called {
    const key = `${callee} ${link}`;
    const known = this.calls.get(key);
    if (known) return known;
    const called: Called = { callee, link, sites: new Set() };
    this.calls.set(key, called);
    for (const block of this.within(callee))
      if (block.end.kind === 'indirect' && block.end.returns === link)
        this.returning.set(block, [...(this.returning.get(block) ?? []), called]);
    return called;
  }

  /** The blocks of a function: calls are stepped over, jumps to other functions are followed. */
  private within(callee: VirtualAddress): ReadonlySet<RawBlock> {
    const ways = new Set([this.blocks.get(callee)!]);
    for (const { end } of ways) {
      const on: readonly VirtualAddress[] =
        end.kind === 'branch'
          ? [end.taken, end.next]
          : end.kind === 'next'
            ? [end.to]
            : end.kind === 'interpret'
              ? []
              : end.link !== 0
                ? [end.after]
                : end.kind === 'jump'
                  ? [end.to]
                  : end.returns !== 0
                    ? []
                    : this.reader.targets(end.pc);
      for (const pc of on) {
        const next = this.blocks.get(pc);
        if (next) ways.add(next);
      }
    }
    return ways;
  }

  private successors(block: RawBlock): readonly VirtualAddress[] {
    const { end } = block;
    switch (end.kind) {
      case 'branch':
        return [end.taken, end.next];
      case 'jump':
      case 'next':
        return [end.to];
      case 'indirect':
        return this.targetsOf(block, end.pc);
      case 'interpret':
        return [];
    }
  }

  /** Where a jalr goes to: first what was seen, then what the calls say, the likeliest first. */
  private targetsOf(block: RawBlock, pc: VirtualAddress): readonly VirtualAddress[] {
    const sites = new Set((this.returning.get(block) ?? []).flatMap((called) => [...called.sites]));
    const likely = [...sites].sort((a, b) => b.likely - a.likely).map((site) => site.pc);
    const known = [...this.reader.targets(pc), ...likely].filter((target) => this.blocks.has(target));
    return [...new Set(known)].slice(0, MAX_TARGETS);
  }

  /** A block whose only predecessor goes straight on to it becomes part of that. */
  join(): RawBlock[] {
    const predecessors = new Map<RawBlock, number>([[this.blocks.get(this.entry)!, 1]]);
    for (const block of this.reached)
      for (const pc of this.successors(block)) {
        const next = this.blocks.get(pc);
        if (next) predecessors.set(next, (predecessors.get(next) ?? 0) + 1);
      }
    const joined = new Set<RawBlock>();
    for (const block of this.reached) {
      if (joined.has(block)) continue;
      while (block.end.kind === 'next') {
        const next = this.blocks.get(block.end.to);
        if (!next || next === block || predecessors.get(next) !== 1 || next.page !== block.page) break;
        if (next.nextPage !== undefined || block.nextPage !== undefined) break;
        joined.add(next);
        block.instructions.push(...next.instructions);
        block.end = next.end;
        // What it knew of returns is known of the whole.
        const returning = this.returning.get(next);
        if (returning) this.returning.set(block, returning);
      }
    }
    return [...this.reached].filter((block) => !joined.has(block));
  }

  region(blocks: readonly RawBlock[]): Region {
    const pages = new Map<VirtualAddress, number>();
    for (const { page, nextPage } of blocks)
      for (const address of [page, nextPage])
        if (address !== undefined && !pages.has(address)) pages.set(address, pages.size);
    const numbers = new Map(blocks.map(({ pc }, index) => [pc, index]));
    const edge = (pc: VirtualAddress): Edge => {
      const block = numbers.get(pc);
      return block === undefined ? { pc } : { block };
    };
    return {
      pages: [...pages.keys()].map((address): RegionPage => ({ address, page: this.reader.pageAt(address)! })),
      blocks: blocks.map((block): RegionBlock => {
        const { pc, page, nextPage, instructions } = block;
        return {
          pc,
          page: pages.get(page)!,
          nextPage: nextPage === undefined ? undefined : pages.get(nextPage)!,
          instructions,
          end: this.end(block, numbers, edge),
        };
      }),
    };
  }

  private end(
    block: RawBlock,
    numbers: ReadonlyMap<VirtualAddress, number>,
    edge: (pc: VirtualAddress) => Edge,
  ): BlockEnd {
    const { end } = block;
    const known = (targets: readonly VirtualAddress[]): BlockEnd => ({
      kind: 'indirect',
      targets: targets.flatMap((pc) => (numbers.has(pc) ? [{ pc, block: numbers.get(pc)! }] : [])),
    });
    switch (end.kind) {
      case 'branch':
        return { kind: 'branch', taken: edge(end.taken), next: edge(end.next) };
      case 'next':
        return { kind: 'next', to: edge(end.to) };
      case 'jump':
        // The instructions that its target follows from may have gone into another block.
        return end.since === undefined || end.since >= block.pc ? { kind: 'jump', to: edge(end.to) } : known([end.to]);
      case 'indirect':
        return known(this.targetsOf(block, end.pc));
      case 'interpret':
        return { kind: 'interpret' };
    }
  }
}

/** The region of the blocks found; the entry is one of them. */
export function finish(entry: VirtualAddress, blocks: Blocks, reader: CodeReader): Region {
  const work = new Finish(entry, blocks, reader);
  work.reach();
  return work.region(work.join());
}
