/**
 * From a hot entry to a region: which code belongs together. It grows over what was executed, the likely ways first: loops are kept whole,
 * small functions come along with their calls, and what is rare, large or was never executed is left to other regions.
 *
 * How likely a way is, is guessed: at each branch that went both ways both are a little less likely than the branch. That is no
 * frequency: where loops are about, control comes back to take the other way, too; so the next few branches matter more than the next
 * hundred, and whether it is one of two ways hardly does. (Halving at each branch cut the loop of a recursive-descent parser into seven
 * regions, with 3.5 entries per 1,000 instructions instead of none.)
 */
import { va, type VirtualAddress } from '../../units';
import type { CodeReader } from './code-reader';
import { withEntryApart } from './entry-apart';
import type { Region } from './region';
import { finish, MAX_TARGETS, type RawBlock } from './region-blocks';
import { pageOf, Segments, type Ending, type Segment } from './segment';

export interface Limits {
  readonly instructions: number;
  readonly blocks: number;
  readonly pages: number;
  /** Instructions that a call may bring in with what it calls. */
  readonly callee: number;
  /** Calls within calls that are followed to find that out. */
  readonly depth: number;
  /** Ways less likely than this, compared with the entry, are left out. */
  readonly rare: number;
  /** Ways less likely than this are left to the region that begins there. */
  readonly shared: number;
}

export const LIMITS: Limits = {
  instructions: 500,
  blocks: 150,
  pages: 6,
  callee: 120,
  depth: 8,
  rare: 1 / 256,
  shared: 1 / 16,
};

/** How likely a way on from a branch forwards is, compared with the branch. */
const FORWARD = 0.8;
/** The same of a branch backwards, whether it is taken or the loop ends. */
const BACKWARD = 0.9;
/** The end of a loop that the entry is in. */
const END = 0.1;

/** The region that begins at a pc; undefined when there is nothing to translate. */
export function discover(entry: VirtualAddress, reader: CodeReader, limits: Limits = LIMITS): Region | undefined {
  const growth = new Growth(entry, reader, limits);
  const blocks = growth.grow();
  const first = blocks.get(entry);
  if (!first || first.instructions.length === 0) return undefined;
  return withEntryApart(finish(entry, blocks, reader));
}

/** Instructions that a call brings in; comes it back? */
interface Callee {
  readonly size: number;
  readonly returns: boolean;
}
const TOO_LARGE: Callee = { size: Infinity, returns: false };

class Growth {
  private readonly segments: Segments;
  private readonly blocks = new Map<VirtualAddress, RawBlock>();
  /** The block that an instruction is in, by its address. */
  private readonly owners = new Map<VirtualAddress, RawBlock>();
  /** Addresses that lead on, and how likely they are. */
  private readonly waiting = new Map<VirtualAddress, number>();
  private readonly pages = new Set<VirtualAddress>();
  private readonly callees = new Map<VirtualAddress, Callee>();

  constructor(
    private readonly entry: VirtualAddress,
    private readonly reader: CodeReader,
    private readonly limits: Limits,
  ) {
    this.segments = new Segments(reader);
  }

  grow(): ReadonlyMap<VirtualAddress, RawBlock> {
    this.waiting.set(this.entry, 1);
    while (this.waiting.size > 0) {
      let [pc, likely] = [this.entry, -1];
      for (const [at, each] of this.waiting) if (each > likely) [pc, likely] = [at, each];
      this.waiting.delete(pc);
      this.add(pc, likely);
    }
    return this.blocks;
  }

  /** Control may come to a pc. */
  private expect(pc: VirtualAddress, likely: number): void {
    if (this.blocks.has(pc)) return;
    if (this.owners.has(pc)) this.split(pc);
    else this.waiting.set(pc, Math.max(this.waiting.get(pc) ?? 0, likely));
  }

  /** A block is entered at an instruction in its middle: the rest of it becomes one of its own. */
  private split(pc: VirtualAddress): void {
    const block = this.owners.get(pc)!;
    let index = 0;
    for (let at = block.pc; at < pc; index++) at = va(at + block.instructions[index]!.length);
    const rest: RawBlock = { ...block, pc, instructions: block.instructions.splice(index) };
    block.end = { kind: 'next', to: pc };
    this.blocks.set(pc, rest);
    this.own(rest);
  }

  private own(block: RawBlock): void {
    let pc = block.pc;
    for (const { length } of block.instructions) {
      this.owners.set(pc, block);
      pc = va(pc + length);
    }
  }

  /** The straight line from a pc on becomes a block, up to code that is there already. */
  private add(pc: VirtualAddress, likely: number): void {
    const { limits, entry } = this;
    if (likely < limits.rare || (pc !== entry && likely < limits.shared && this.leftToOther(pc))) return;
    const segment = this.segments.at(pc);
    if (!segment) return;
    const block = this.blockOf(segment, likely);
    const room = limits.instructions - this.owners.size;
    if (block.instructions.length > room) {
      if (pc !== entry) return;
      this.cut(block, room);
    }
    if (!this.takePages(segment) || this.blocks.size >= limits.blocks) return;
    this.blocks.set(pc, block);
    this.own(block);
    this.follow(block.end, likely);
  }

  private blockOf({ pc, page, nextPage, instructions, end }: Segment, likely: number): RawBlock {
    const block: RawBlock = { pc, page, nextPage, instructions: [...instructions], end, likely };
    let at = pc;
    for (let index = 0; index < instructions.length; index++) {
      if (index > 0 && this.owners.has(at)) {
        this.cut(block, index);
        break;
      }
      at = va(at + instructions[index]!.length);
    }
    return block;
  }

  /** Leaves a block so many instructions. */
  private cut(block: RawBlock, count: number): void {
    block.instructions.length = count;
    block.end = {
      kind: 'next',
      to: va(block.instructions.reduce((at, { length }) => at + length, block.pc as number)),
    };
  }

  private leftToOther(pc: VirtualAddress): boolean {
    const page = this.reader.pageAt(pageOf(pc));
    return page !== undefined && this.reader.beginsRegion(page, pc - pageOf(pc));
  }

  private takePages({ page, nextPage }: Segment): boolean {
    const added = [page, nextPage].filter((each) => each !== undefined && !this.pages.has(each)) as VirtualAddress[];
    if (this.pages.size + added.length > this.limits.pages) return false;
    for (const each of added) this.pages.add(each);
    return true;
  }

  /** Where control goes behind a block. */
  private follow(end: Ending, likely: number): void {
    switch (end.kind) {
      case 'next':
        return this.expect(end.to, likely);
      case 'branch': {
        const [taken, next] = this.odds(end.taken, end.next);
        this.expect(end.taken, likely * taken);
        return this.expect(end.next, likely * next);
      }
      case 'jump':
        return end.link ? this.call([end.to], end.after, likely) : this.expect(end.to, likely);
      case 'indirect': {
        const targets = this.targetsOf(end.pc);
        if (end.link) return this.call(targets, end.after, likely);
        // Where nothing was called a return ends the function that the entry is in: its callers have regions of their own.
        if (end.returns && this.callees.size === 0) return;
        for (const target of targets) this.expect(target, likely / targets.length);
      }
    }
  }

  private odds(taken: VirtualAddress, next: VirtualAddress): readonly [number, number] {
    if (!this.segments.at(taken)) return [0, 1];
    if (!this.segments.at(next)) return [1, 0];
    if (taken >= next) return [FORWARD, FORWARD];
    return [BACKWARD, taken <= this.entry && this.entry < next ? END : BACKWARD];
  }

  private targetsOf(pc: VirtualAddress): readonly VirtualAddress[] {
    return this.reader.targets(pc).slice(0, MAX_TARGETS);
  }

  /** A call brings in what it calls if that is small enough and comes back; with it what follows the call. */
  private call(targets: readonly VirtualAddress[], after: VirtualAddress, likely: number): void {
    const room = this.limits.instructions - this.owners.size;
    let returns = false;
    for (const target of targets) {
      if (!this.owners.has(target)) {
        const callee = this.callee(target, 0);
        if (!callee.returns || callee.size > room) continue;
      }
      returns = true;
      this.expect(target, likely / targets.length);
    }
    if (returns) this.expect(after, likely);
  }

  private callee(pc: VirtualAddress, depth: number): Callee {
    const known = this.callees.get(pc);
    if (known) return known;
    if (depth === this.limits.depth) return TOO_LARGE;
    // While it is looked at: it calls itself.
    this.callees.set(pc, { size: 0, returns: true });
    const callee = this.measure(pc, depth);
    this.callees.set(pc, callee);
    return callee;
  }

  private measure(pc: VirtualAddress, depth: number): Callee {
    const ways = new Set([pc]);
    const called = new Set<VirtualAddress>();
    const seen = new Set<VirtualAddress>();
    let size = 0;
    let returns = false;
    const call = (targets: readonly VirtualAddress[], after: VirtualAddress): void => {
      for (const target of targets) {
        const callee = this.callee(target, depth + 1);
        if (!callee.returns) continue;
        if (!called.has(target)) size += callee.size;
        called.add(target);
        ways.add(after);
      }
    };
    // Grows while it is walked.
    for (const way of ways) {
      const segment = this.segments.at(way);
      if (!segment || seen.has(way)) continue;
      let at = way;
      for (const { length } of segment.instructions) {
        if (!seen.has(at) && !this.owners.has(at)) size++;
        seen.add(at);
        at = va(at + length);
      }
      const { end } = segment;
      if (end.kind === 'next') ways.add(end.to);
      else if (end.kind === 'branch') ways.add(end.taken).add(end.next);
      else if (end.kind === 'jump' && end.link) call([end.to], end.after);
      else if (end.kind === 'jump') ways.add(end.to);
      else if (end.kind === 'indirect') {
        returns ||= end.returns !== 0;
        if (end.link) call(this.targetsOf(end.pc), end.after);
        else if (!end.returns) for (const target of this.targetsOf(end.pc)) ways.add(target);
      }
      if (size > this.limits.callee) return TOO_LARGE;
    }
    return { size, returns };
  }
}
