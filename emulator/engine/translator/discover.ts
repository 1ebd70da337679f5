/**
 * From a hot entry to a region: which code belongs together. It grows over what was executed, the likely ways first: loops are kept whole,
 * small functions come along with their calls, and what is rare, large or was never executed is left to other regions.
 *
 * How likely a way is, is guessed: a jump backwards is taken nine times out of ten, of two ways forward each is taken every other time.
 */
import { va, type VirtualAddress } from '../../units';
import type { CodeReader } from './code-reader';
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
  instructions: 400,
  blocks: 150,
  pages: 6,
  callee: 120,
  depth: 8,
  rare: 1 / 256,
  shared: 1 / 16,
};

/** How often a branch backwards is taken. */
const BACKWARD = 0.9;

/** The region that begins at a pc; undefined when there is nothing to translate. */
export function discover(entry: VirtualAddress, reader: CodeReader, limits: Limits = LIMITS): Region | undefined {
  const growth = new Growth(entry, reader, limits);
  const blocks = growth.grow();
  const first = blocks.get(entry);
  if (!first || first.instructions.length === 0) return undefined;
  return finish(entry, blocks, reader);
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
      for (const [at, frequency] of this.waiting) if (frequency > likely) [pc, likely] = [at, frequency];
      this.waiting.delete(pc);
      this.add(pc, likely);
    }
    return this.blocks;
  }

  /** Control may come to a pc, so often. */
  private expect(pc: VirtualAddress, frequency: number): void {
    if (this.blocks.has(pc)) return;
    if (this.owners.has(pc)) this.split(pc);
    else this.waiting.set(pc, (this.waiting.get(pc) ?? 0) + frequency);
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
  private add(pc: VirtualAddress, frequency: number): void {
    const { limits, entry } = this;
    if (frequency < limits.rare || (pc !== entry && frequency < limits.shared && this.leftToOther(pc))) return;
    const segment = this.segments.at(pc);
    if (!segment) return;
    const block = this.blockOf(segment, frequency);
    const room = limits.instructions - this.owners.size;
    if (block.instructions.length > room) {
      if (pc !== entry) return;
      this.cut(block, room);
    }
    if (!this.takePages(segment) || this.blocks.size >= limits.blocks) return;
    this.blocks.set(pc, block);
    this.own(block);
    this.follow(block.end, frequency);
  }

  private blockOf({ pc, page, nextPage, instructions, end }: Segment, frequency: number): RawBlock {
    const block: RawBlock = { pc, page, nextPage, instructions: [...instructions], end, frequency };
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
  private follow(end: Ending, frequency: number): void {
    switch (end.kind) {
      case 'next':
        return this.expect(end.to, frequency);
      case 'branch': {
        const backward = end.taken < end.next ? BACKWARD : 0.5;
        const taken = !this.segments.at(end.taken) ? 0 : !this.segments.at(end.next) ? 1 : backward;
        this.expect(end.taken, frequency * taken);
        return this.expect(end.next, frequency * (1 - taken));
      }
      case 'jump':
        return end.link ? this.call([end.to], end.after, frequency) : this.expect(end.to, frequency);
      case 'indirect': {
        const targets = this.targetsOf(end.pc);
        if (end.link) return this.call(targets, end.after, frequency);
        for (const target of targets) this.expect(target, frequency / targets.length);
      }
    }
  }

  private targetsOf(pc: VirtualAddress): readonly VirtualAddress[] {
    return this.reader.targets(pc).slice(0, MAX_TARGETS);
  }

  /** A call brings in what it calls if that is small enough and comes back; with it what follows the call. */
  private call(targets: readonly VirtualAddress[], after: VirtualAddress, frequency: number): void {
    const room = this.limits.instructions - this.owners.size;
    let returns = false;
    for (const target of targets) {
      if (!this.owners.has(target)) {
        const callee = this.callee(target, 0);
        if (!callee.returns || callee.size > room) continue;
      }
      returns = true;
      this.expect(target, frequency / targets.length);
    }
    if (returns) this.expect(after, frequency);
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
