/**
 * The live regions: where they begin, which pages they come from, which slot each has; and the links to them, which are SLOT in the
 * records of their entries (of the page's own block, and of its blocks with stops as far as no stop lies inside) and Area.NEXT_SLOTS
 * from one variant of an entry to the next. Knows nothing of WebAssembly: `onKill` is told of slots that nobody can reach any more.
 */
import { Area } from '../../machine/layout';
import type { PhysicalMemory } from '../../machine/memory';
import type { CodeCache } from '../code-cache';
import { Field, RECORD_SHIFT } from '../record';
import { SLOTS } from '../convention';
import { sameVariant, type LiveRegion, type Variant } from './live-region';

/** Variants of one entry: more push out the oldest. */
const MOST_VARIANTS = 6;

const keyOf = (page: number, offset: number): number => page * 4096 + offset;

export class Regions {
  /** Variants of each entry, the one that is tried first at the front. */
  private readonly entries = new Map<number, LiveRegion[]>();
  private readonly byPage = new Map<number, Set<LiveRegion>>();
  /** The oldest first. */
  private readonly live = new Set<LiveRegion>();
  private readonly freeSlots: number[] = [];
  private nextSlot = 1;
  /** Bytes of the functions of live regions. */
  bytes = 0;
  /** Off: records have no links, whatever regions there are. */
  private linked = true;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly code: CodeCache,
    private readonly onKill: (region: LiveRegion) => void,
  ) {}

  get count(): number {
    return this.live.size;
  }

  [Symbol.iterator](): Iterator<LiveRegion> {
    return this.live[Symbol.iterator]();
  }

  find(variant: Variant): LiveRegion | undefined {
    return this.entries
      .get(keyOf(variant.page, variant.offset))
      ?.find((region) => sameVariant(region.variant, variant));
  }

  beginsAt(page: number, offset: number): boolean {
    return this.entries.has(keyOf(page, offset));
  }

  inPage(page: number): boolean {
    return this.byPage.has(page);
  }

  /** Those that execute an instruction, the latest first. */
  executing(page: number, offset: number): LiveRegion[] {
    const list = [...(this.byPage.get(page) ?? [])].reverse();
    return list.filter((region) => region.covers(page, offset, offset + 1));
  }

  /** A slot that is free; one is taken from the oldest region if need be. */
  takeSlot(): number {
    if (this.freeSlots.length === 0 && this.nextSlot === SLOTS) this.killOldest();
    return this.freeSlots.pop() ?? this.nextSlot++;
  }

  /** For a slot that was taken and is not used. */
  returnSlot(slot: number): void {
    this.freeSlots.push(slot);
  }

  /** A region whose function is in the table. */
  add(region: LiveRegion): void {
    const { page, offset } = region.variant;
    const key = keyOf(page, offset);
    const variants = this.entries.get(key) ?? [];
    if (variants.length === MOST_VARIANTS) this.kill(variants.at(-1)!);
    variants.unshift(region);
    this.entries.set(key, variants);
    for (const each of region.pages) {
      const list = this.byPage.get(each) ?? new Set();
      this.byPage.set(each, list.add(region));
    }
    this.live.add(region);
    this.bytes += region.body.length;
    this.link(page, offset);
  }

  kill(region: LiveRegion): void {
    const { page, offset } = region.variant;
    const key = keyOf(page, offset);
    const variants = this.entries.get(key)!;
    variants.splice(variants.indexOf(region), 1);
    if (variants.length === 0) this.entries.delete(key);
    for (const each of region.pages) {
      const list = this.byPage.get(each)!;
      list.delete(region);
      if (list.size === 0) this.byPage.delete(each);
    }
    this.live.delete(region);
    this.bytes -= region.body.length;
    region.alive = false;
    this.setNext(region.slot, 0);
    this.link(page, offset);
    this.onKill(region);
    this.freeSlots.push(region.slot);
  }

  killOldest(): void {
    const [oldest] = this.live;
    if (oldest) this.kill(oldest);
  }

  /** Those that execute any of the bytes [from, to) of a page go, and are returned. */
  killIn(page: number, from: number, to: number): readonly LiveRegion[] {
    let hit: LiveRegion[] | undefined;
    for (const region of this.byPage.get(page) ?? []) if (region.covers(page, from, to)) (hit ??= []).push(region);
    if (!hit) return [];
    for (const region of hit) this.kill(region);
    return hit;
  }

  killPage(page: number): readonly LiveRegion[] {
    const list = [...(this.byPage.get(page) ?? [])];
    for (const region of list) this.kill(region);
    return list;
  }

  /** Records get their links, or lose them. */
  setLinked(linked: boolean): void {
    if (this.linked === linked) return;
    this.linked = linked;
    for (const { variant } of this.live) this.link(variant.page, variant.offset);
  }

  private setNext(slot: number, next: number): void {
    this.memory.u16[Area.NEXT_SLOTS / 2 + slot] = next;
  }

  /** All links to the regions of an entry. */
  private link(page: number, offset: number): void {
    const variants = this.entries.get(keyOf(page, offset)) ?? [];
    variants.forEach(({ slot }, i) => this.setNext(slot, variants[i + 1]?.slot ?? 0));
    const plain = this.code.plainBlock(page);
    if (plain !== 0) this.setSlot(plain, page, offset);
    for (const { block } of this.code.stoppedBlocks(page)) this.setSlot(block, page, offset);
  }

  private setSlot(block: number, page: number, offset: number): void {
    const at = block + (offset << RECORD_SHIFT);
    // What is not decoded gets its link when it is.
    if (this.memory.u16[at >> 1] !== 0) this.memory.u16[(at + Field.SLOT) >> 1] = this.slotFor(block, page, offset);
  }

  /** What the record of an entry in a block has to say. */
  private slotFor(block: number, page: number, offset: number): number {
    const variants = this.entries.get(keyOf(page, offset));
    if (!variants || !this.linked) return 0;
    const stops = this.code.stopsIn(block);
    return stops && variants.some((region) => region.coversAny(page, stops)) ? 0 : variants[0]!.slot;
  }

  /** The record of a block was decoded. */
  linkRecord(at: number, block: number, page: number, offset: number): void {
    if (this.byPage.has(page)) this.memory.u16[(at + Field.SLOT) >> 1] = this.slotFor(block, page, offset);
  }
}
