/**
 * The translator: is told of entries that are hot, makes regions of them a batch at a time, and lets regions go when their code changes.
 * What it does changes nothing but speed, so it may be late, and it may decline: it spends at most SHARE of what the interpreter
 * and the regions have executed so far.
 */
import { Area, HartWord } from '../../machine/layout';
import { pairToNumber } from '../../hart/registers';
import type { Hart } from '../../hart/hart';
import { va } from '../../units';
import type { CodeListener } from '../code-cache';
import { COLD, type Host } from '../host';
import { HOT, Pseudo, RECORD_SHIFT } from '../record';
import { hasFused } from '../wasm/fused';
import { Regime } from '../convention';
import { discover } from './discover';
import { GuestCode } from './guest-code';
import { JumpProfile } from './jump-profile';
import { LiveRegion, sameAssumptions, sameVariant, type Variant } from './live-region';
import type { Region } from './region';
import { regionCode } from './region-code';
import type { RegionModules } from './region-modules';
import { Regions } from './regions';

/** NX of fflags. */
const NX = 1;
/** Where in fcsr frm is. */
const FRM_SHIFT = 5;
/** Entries that wait for translation: more are told of again. */
const LONGEST_QUEUE = 256;
/** A batch is made when so many entries wait, or the first of them has waited long enough. */
const BATCH = 16;
/** Bytes of the functions of live regions; beyond, the oldest go. */
const MOST_BYTES = 8 << 20;
/** Of the instructions executed, those in whose time regions may be made. */
const SHARE = 0.2;
/** As a part of these: what a batch may take in advance. */
const OVERDRAFT = 1;
/**
 * What a region that is lost too soon counts besides, in its cost: where code is ever new (mapped, run a while, unmapped), regions are for
 * nothing whichever page they are in. And what such losses may come to, in the unit of MODULE_COST.
 */
const LOSS = 4;
const DEBT = 10_000;
/** log2 of how many times a hot entry is not listened to at most. */
const MOST_LOSSES = 8;
/**
 * Instructions of the interpreter, for each jump that it takes to be hot: how many an entry waits for others, what a module costs, and
 * what an instruction in it. At a hotness of 1000 these are the measured times; at 1, for tests, nothing waits and nothing costs.
 */
const WAIT = 200;
const MODULE_COST = 300;
const INSTRUCTION_COST = 4;
/** In the same unit: before so many nothing is translated. The first regions of a process are slow to make, V8 knowing none of this code yet. */
const FIRST = 8000;

interface Waiting {
  readonly variant: Variant;
  /** There is a region: one that takes in more is to take its place. */
  readonly again: boolean;
  /** Word offset of the bank of translations that the entry was executed with. */
  readonly bank: number;
  /** The block of records that it was executed from; a region to be made anew is found by the bank. */
  readonly block?: number;
}

/**
 * A hot entry that another region already goes through is told of once more for so many instructions of that region before it gets one of
 * its own: mostly a slice has ended or a rare way out has come back there, and the host's compiler takes longer over a region (about 0.1 ms
 * for an instruction) than thousands of such entries lose in the interpreter.
 */
const INSTRUCTIONS_PER_TELLING = 4;

/** So often a region is made anew to take in where its indirect jumps go. */
const MOST_GROWN = 4;
/** Entries of which that is remembered. */
const MOST_NAMES = 4096;

/** How often in a row regions of a page were lost to stores too soon, and how many times a hot entry in it is still not listened to. */
interface Unrest {
  losses: number;
  ignored: number;
}

export class Translator implements CodeListener {
  readonly regions: Regions;
  private queue: Waiting[] = [];
  /** Instructions executed when the first in the queue came. */
  private since = 0;
  private readonly patience: number;
  private executed = 0;
  private spent = 0;
  /** Regions so far. */
  made = 0;
  /** Entries of which no region could be made, by page and what they are; until the page's code changes. */
  private readonly declined = new Map<number, Set<string>>();
  private readonly unrest = new Map<number, Unrest>();
  private readonly profile: JumpProfile;
  /** How often the regions of an entry were made anew to take in more, by what they are. */
  private readonly grown = new Map<string, number>();
  /** Of entries that other regions go through how often they were told of, by what they are. */
  private readonly told = new Map<string, number>();
  private hart: Hart | undefined;

  constructor(
    private readonly host: Host,
    private readonly modules: RegionModules,
    private readonly hotness: number,
  ) {
    this.patience = hotness - 1;
    this.profile = new JumpProfile(host.memory, host.code);
    this.regions = new Regions(host.memory, host.code, ({ slot }) => modules.remove(slot));
  }

  // What the code cache tells.

  written(page: number, from: number, to: number): void {
    this.lost(page, this.regions.killIn(page, from, to));
  }

  /** The page's code is another, or none any more: these regions went with it. */
  private lost(page: number, killed: readonly LiveRegion[]): void {
    this.declined.delete(page);
    if (killed.length === 0) return;
    this.host.access.stale = true;
    const unrest = this.unrest.get(page) ?? { losses: 0, ignored: 0 };
    const tooSoon = killed.filter((region) => this.executed - region.since < this.worth(region));
    unrest.losses = tooSoon.length > 0 ? unrest.losses + 1 : 0;
    for (const region of tooSoon) this.spent += LOSS * this.costOf(region);
    // A program that made code only at its beginning is not to pay for it forever.
    this.spent = Math.min(this.spent, SHARE * this.executed + DEBT * this.patience);
    unrest.ignored = 2 ** Math.min(unrest.losses, MOST_LOSSES) - 1;
    this.unrest.set(page, unrest);
  }

  /** Instructions that the machine must have executed for a region to have been worth its making. */
  private worth({ instructions }: LiveRegion): number {
    return ((MODULE_COST + INSTRUCTION_COST * instructions) * this.patience) / SHARE;
  }

  /** What making a region cost, with its part of a module. */
  private costOf({ instructions }: LiveRegion): number {
    return (MODULE_COST / BATCH + INSTRUCTION_COST * instructions) * this.patience;
  }

  released(page: number): void {
    this.lost(page, this.regions.killPage(page));
  }

  decoded(at: number, page: number, offset: number): void {
    this.regions.linkRecord(at, at - (offset << RECORD_SHIFT), page, offset);
  }

  /** A record is hot, in a page of this address: answers the HEAT that it begins anew with. */
  hot(at: number, low: number, high: number): number {
    const place = this.host.code.placeOf(at);
    const { hart } = this;
    // A stop has nothing to translate; when it goes, so does its record.
    if (!place || !hart || this.host.memory.u16[at >> 1] === (Pseudo.STOP as number)) return COLD;
    const again = HOT - this.hotness;
    if (this.queue.length === LONGEST_QUEUE) return again;
    const unrest = this.unrest.get(place.page);
    if (unrest && unrest.ignored-- > 0) return again;
    const fcsr = hart.words[HartWord.FCSR]!;
    const variant: Variant = {
      ...place,
      address: va(pairToNumber(low, high)),
      inexact: (fcsr & NX) !== 0,
      frm: (fcsr >> FRM_SHIFT) & 7,
      direct: (this.host.memory.i32[Area.REGIME / 4]! & Regime.DIRECT) !== 0,
    };
    if (this.regions.find(variant) || this.declined.get(place.page)?.has(nameOf(variant))) return COLD;
    if (this.patience > 0 && this.isEarly(variant)) return again;
    this.profile.gather();
    const { bank } = hart.translations;
    const larger = this.toGrow(variant);
    const block = at - (place.offset << RECORD_SHIFT);
    this.wait(larger ? { variant: larger, again: true, bank } : { variant, again: false, bank, block });
    return again;
  }

  /** Is it too early for a region of an entry that another one goes through? */
  private isEarly(entry: Variant): boolean {
    const around = this.regions.executing(entry.page, entry.offset).find((region) => region.executes(entry));
    if (!around) return false;
    const name = nameOf(entry);
    const times = (this.told.get(name) ?? 0) + 1;
    if (this.told.size === MOST_NAMES) this.told.clear();
    this.told.set(name, times);
    return times * INSTRUCTIONS_PER_TELLING < around.instructions;
  }

  private waits(entry: Variant): boolean {
    return this.queue.some(({ variant }) => sameVariant(variant, entry));
  }

  private wait(entry: Waiting): void {
    if (this.waits(entry.variant)) return;
    if (this.queue.length === 0) this.since = this.executed;
    this.queue.push(entry);
  }

  /** A region that is left for this entry by an indirect jump is to take it in instead. */
  private toGrow(entry: Variant): Variant | undefined {
    const { page, offset, address } = entry;
    for (const jump of this.profile.jumpsTo(va(address + offset)))
      for (const region of this.regions.executing(jump.page, jump.offset)) {
        const { variant } = region;
        if (!sameAssumptions(variant, entry) || region.covers(page, offset, offset + 1)) continue;
        if (this.waits(variant)) return variant;
        const name = nameOf(variant);
        const times = this.grown.get(name) ?? 0;
        if (times === MOST_GROWN) continue;
        if (times === 0 && this.grown.size === MOST_NAMES) this.grown.clear();
        this.grown.set(name, times + 1);
        return variant;
      }
    return undefined;
  }

  // What the engine tells.

  /** Before the hart goes on, outside of everything; `executed` more instructions were since the last time. */
  work(hart: Hart, executed: number): void {
    this.hart = hart;
    this.executed += executed;
    if (this.queue.length === 0 || this.executed < FIRST * this.patience) return;
    if (this.queue.length < BATCH && this.executed - this.since < WAIT * this.patience) return;
    this.translate();
  }

  private get allowance(): number {
    return SHARE * this.executed - this.spent;
  }

  /** What was spent beyond that, as a part of it. */
  private get overdrawn(): number {
    return this.patience === 0 ? 0 : -this.allowance / (SHARE * this.executed);
  }

  /** Makes a batch of what waits, as far as may be spent: more regions in one module are cheaper than less in each of several. */
  private translate(): void {
    if (this.allowance < MODULE_COST * this.patience) return;
    const made: LiveRegion[] = [];
    this.profile.gather();
    const { drops } = this.host.code;
    while (this.queue.length > 0 && made.length < BATCH && this.overdrawn <= OVERDRAFT) {
      const region = this.make(this.queue.shift()!);
      if (!region) continue;
      made.push(region);
      // What also began in it is done with; if it is jumped to from elsewhere all the same it will be told of again.
      this.queue = this.queue.filter(({ variant }) => !region.executes(variant));
      this.spent += INSTRUCTION_COST * this.patience * region.instructions;
    }
    this.since = this.executed;
    // There were not enough blocks for all pages: those of some regions are gone again.
    if (this.host.code.drops !== drops) for (const { slot } of made.splice(0)) this.regions.returnSlot(slot);
    if (made.length === 0) return;
    this.spent += MODULE_COST * this.patience;
    this.modules.add(made);
    for (const region of made) {
      const smaller = this.regions.find(region.variant);
      if (smaller) this.regions.kill(smaller);
      this.regions.add(region);
    }
    this.made += made.length;
    while (this.regions.bytes > MOST_BYTES) this.regions.killOldest();
  }

  private make({ variant, again, bank, block }: Waiting): LiveRegion | undefined {
    const { host, regions, modules } = this;
    const { page, offset, address, inexact, frm, direct } = variant;
    const reader = new GuestCode(host.memory, host.code, regions, this.profile, bank, frm);
    // A guest that drops its translations often has dropped them before each time that is come here.
    if (block !== undefined) reader.executed(address, block);
    // The bank may be another space's by now, or the page may have gone: then it will be told of again.
    if ((regions.find(variant) && !again) || reader.pageAt(address) !== page) return undefined;
    const region = discover(va(address + offset), reader);
    if (!region && reader.hides(address, page, offset)) return undefined;
    if (!region) {
      const declined = this.declined.get(page) ?? new Set();
      this.declined.set(page, declined.add(nameOf(variant)));
      return undefined;
    }
    const smaller = regions.find(variant);
    if (smaller && !hasMore(region, smaller)) {
      this.grown.set(nameOf(variant), MOST_GROWN);
      return undefined;
    }
    // The pages' own blocks: while they have one, stores to code of them are told.
    const { drops } = host.code;
    const blocks = region.pages.map((each) => host.code.blockFor(each.page));
    if (host.code.drops !== drops) return undefined;
    this.decodeIn(blocks, region);
    const slot = regions.takeSlot();
    const { linkage } = modules;
    const body = regionCode(region, { slot, blocks, inexact, frm, direct, fused: hasFused(), linkage }).finish();
    return new LiveRegion(variant, slot, region, body, this.executed);
  }

  /** Rows' own functions read records of the pages' own blocks, of which a page with stops may not have been executed from. */
  private decodeIn(blocks: readonly number[], { blocks: parts, pages }: Region): void {
    const { code, memory } = this.host;
    for (const { pc, page, nextPage, instructions } of parts) {
      if (nextPage !== undefined) {
        code.guard(pages[page]!.page, pc & 4095, 4096);
        code.guard(pages[nextPage]!.page, 0, (pc & 4095) + instructions[0]!.length - 4096);
        continue;
      }
      let at = blocks[page]! + ((pc & 4095) << RECORD_SHIFT);
      for (const { length } of instructions) {
        if (memory.u16[at >> 1] === (Pseudo.UNDECODED as number)) code.decodeAt(at);
        at += length << RECORD_SHIFT;
      }
    }
  }
}

/** Has it instructions that the other has not? */
const hasMore = ({ pages, blocks }: Region, other: LiveRegion): boolean =>
  blocks.some(({ pc, page, instructions }) => {
    let offset: number = pc - pages[page]!.address;
    return instructions.some(({ length }) => {
      const known = other.covers(pages[page]!.page, offset, offset + 1);
      offset += length;
      return !known;
    });
  });

const nameOf = ({ page, offset, address, inexact, frm, direct }: Variant): string =>
  `${page}:${offset}:${address}:${inexact}:${frm}:${direct}`;
