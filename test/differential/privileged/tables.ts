/**
 * Choices page tables, Sv39 and Sv48 (privileged manual, "Virtual-Memory System"): two roots that share a pool of table pages. Both map the
 * code of S and U where it always is; everything else is as random as the manual allows, and somewhat more.
 *
 * Known differences, excluded here:
 * - a table outside of RAM: QEMU 7.2 raises a page fault, this machine the access fault of "Virtual Address Translation Process", step 2;
 * - writable mappings of tables and of code: QEMU keeps stale translations until sfence.vma, which the manual allows;
 * - pages that jumps go to are never writable, so that programs don't run into code of their own making.
 */
import { Pages } from './layout';
import type { Choices } from './choices';

const V = 1;
const R = 2;
const W = 4;
const X = 8;
const U = 16;
const G = 32;
const A = 64;
const D = 128;

/** What a virtual address is for. */
export type Use = 'supervisor' | 'user' | 'returns' | 'data';

export interface Mapping {
  readonly use: Use;
  readonly virtual: bigint;
  /** Physical address it would have if its leaf were valid. */
  readonly physical: number;
  /** Physical addresses of its leaf entries, by root; none where the walk ends earlier. */
  readonly leaves: number[];
  readonly level: number;
}

const NOWHERE = 0x200000000;
/** Instead of a place: a leaf stands in the way, which may lead anywhere. */
const LEAF = -2;

export class Tables {
  /** Content of the table pages. */
  readonly entries: BigUint64Array;
  readonly roots: readonly { readonly page: number; readonly levels: 3 | 4 }[];
  readonly mappings: Mapping[] = [];
  private readonly base: number;
  /** Tables by level and the part of the address above: both roots use the same. */
  private readonly byPrefix = new Map<string, number>();
  /** Entries that may be changed later, with their use and level: leaves for data and returns. */
  private readonly own = new Map<number, string>();
  private used = 2;
  private readonly pages: number;

  constructor(
    private readonly random: Choices,
    private readonly region: number,
    /** May leaves point to where nothing is? */
    private readonly holes: boolean,
  ) {
    this.pages = Pages.TABLES.count;
    this.base = region + 4096 * Pages.TABLES.from;
    this.entries = new BigUint64Array(512 * this.pages);
    const levels = (): 3 | 4 => (random.chance(50) ? 3 : 4);
    this.roots = [
      { page: 0, levels: levels() },
      { page: 1, levels: levels() },
    ];
    this.fixed('supervisor', Pages.SUPERVISOR_CODE.from);
    this.fixed('user', Pages.USER_CODE.from);
    for (let i = 0; i < 8; i++) this.anywhere('data', this.pageOf(Pages.DATA));
    for (let i = 0; i < 2; i++) this.anywhere('returns', this.pageOf(Pages.RETURNS));
  }

  private pageOf({ from, count }: { from: number; count: number }): number {
    return from + this.random.below(count);
  }

  satp(root: number): bigint {
    const { page, levels } = this.roots[root]!;
    const asid = this.random.chance(50) ? BigInt(this.random.below(0x10000)) : 0n;
    return (BigInt(levels + 5) << 60n) | (asid << 44n) | BigInt(this.base / 4096 + page);
  }

  /** A random canonical address whose low bits, below the page number of a leaf at a level, are those of a physical one. */
  private address(physical: number, level: number, near: boolean): bigint {
    const { random } = this;
    const low = BigInt(12 + 9 * level);
    const known = near && random.chance(50) ? random.pick(this.mappings).virtual : random.bits();
    const top = BigInt.asIntN(39, random.chance(70) ? known : random.bits()) >> low;
    const virtual = (top << low) | BigInt.asUintN(Number(low), BigInt(physical));
    // As a physical address it must name no device: all lie below 2^37.
    const far = BigInt.asUintN(39, virtual) >> 37n === 0n && level < 3 ? virtual | (1n << 37n) : virtual;
    return BigInt.asUintN(64, far);
  }

  private index(virtual: bigint, level: number): number {
    return Number((virtual >> BigInt(12 + 9 * level)) & 511n);
  }

  /** Maps in both roots what always must be there. Tries other addresses until nothing stands in the way. */
  private fixed(use: 'supervisor' | 'user', page: number): void {
    const physical = this.region + 4096 * page;
    for (let attempt = 0; attempt < 100; attempt++) {
      const level = this.random.pick([0, 0, 1, 2]);
      const virtual = this.address(physical, level, false);
      const leaves = this.roots.map(({ page: root, levels }) => this.descend(root, levels, virtual, level, true));
      if (leaves.some((leaf) => leaf < 0 || (this.entries[leaf]! & 1n) !== 0n)) continue;
      for (const leaf of leaves) this.entries[leaf] = this.fixedLeaf(use, physical, level);
      this.mappings.push({ use, virtual, physical, level, leaves: leaves.map((leaf) => this.base + 8 * leaf) });
      return;
    }
    throw new Error('the pool of tables is too small');
  }

  private fixedLeaf(use: 'supervisor' | 'user', physical: number, level: number): bigint {
    const { random } = this;
    const flags =
      V |
      X |
      (random.chance(50) ? R : 0) |
      (use === 'user' ? U : 0) |
      (random.chance(20) ? G : 0) |
      (random.chance(70) ? A : 0) |
      (random.chance(30) ? D : 0);
    return (BigInt(this.frame(physical, level)) << 10n) | BigInt(flags);
  }

  /** Page number of the leaf of a level that covers a physical address. */
  private frame(physical: number, level: number): number {
    return Math.floor(physical / 4096 / 512 ** level) * 512 ** level;
  }

  /** Place of the entry for an address at a level, or -1: tables are made on the way, flawed ones now and then. */
  private descend(root: number, levels: number, virtual: bigint, level: number, sound: boolean): number {
    let table = root;
    for (let at = levels - 1; at > level; at--) {
      const place = 512 * table + this.index(virtual, at);
      const entry = this.entries[place]!;
      if (entry === 0n) {
        const below = this.table(virtual, at - 1);
        if (below === undefined) {
          // Whatever stands in an entry that is not valid. Nothing else may come here: it would cover more than it should.
          this.entries[place] = (this.random.bits() | 2n) & ~1n;
          return -1;
        }
        table = below;
        this.entries[place] = this.pointer(table, sound);
        if ((this.entries[place]! & 0xffn) !== 1n) return -1;
        continue;
      }
      if ((entry & 1n) !== 0n && (entry & 0xen) !== 0n) return LEAF;
      // A flawed entry: the walk ends here.
      if ((entry & 0xdfn) !== 1n || entry >> 54n !== 0n) return -1;
      table = Number((entry >> 10n) & 0xfffffffffffn) - this.base / 4096;
    }
    return 512 * table + this.index(virtual, level);
  }

  /** The table of a level for an address. */
  private table(virtual: bigint, level: number): number | undefined {
    const prefix = `${level}:${BigInt.asUintN(48, virtual) >> BigInt(21 + 9 * level)}`;
    const known = this.byPrefix.get(prefix);
    if (known !== undefined) return known;
    if (this.used === this.pages) return undefined;
    this.byPrefix.set(prefix, this.used);
    return this.used++;
  }

  private pointer(table: number, sound: boolean): bigint {
    const { random } = this;
    let entry = (BigInt(this.base / 4096 + table) << 10n) | 1n;
    if (random.chance(10)) entry |= BigInt(random.below(4) << 8);
    if (sound || random.chance(94)) return entry;
    return random.pick([entry | BigInt(A), entry | BigInt(D), entry | BigInt(U), entry | (1n << 63n), entry & ~1n]);
  }

  private anywhere(use: 'data' | 'returns', page: number): void {
    const { random } = this;
    const offset = use === 'returns' ? 0 : random.pick([0, 8, 0x7f8, 0xff0, 0xff8, 0xff8]);
    const physical = this.region + 4096 * page + offset;
    const wanted = random.pick([0, 0, 0, 1, 2, random.pick([3, 4]) - 1]);
    for (let attempt = 0; attempt < 1000; attempt++) {
      const level = attempt < 16 ? wanted : 0;
      const virtual = this.address(physical, level, attempt < 8);
      const places = this.roots.map(({ page: root, levels }) =>
        level < levels ? this.descend(root, levels, virtual, level, false) : -1,
      );
      if (places.some((place) => place === LEAF || (place >= 0 && this.taken(place, use, level)))) continue;
      for (const place of places) if (place >= 0) this.fill(place, use, physical, level);
      const leaves = places.filter((place) => place >= 0).map((place) => this.base + 8 * place);
      // Now and then an address that is none.
      const flipped = random.chance(4) ? virtual ^ (1n << BigInt(39 + random.below(25))) : virtual;
      this.mappings.push({ use, virtual: flipped, physical, level, leaves });
      return;
    }
    throw new Error('every address is taken');
  }

  /** Is there something else than a leaf for the same use and of the same level? */
  private taken(place: number, use: string, level: number): boolean {
    return this.entries[place] !== 0n && this.own.get(place) !== `${use} ${level}`;
  }

  private fill(place: number, use: 'data' | 'returns', physical: number, level: number): void {
    if (this.entries[place] === 0n) this.entries[place] = this.leaf(use, physical, level);
    this.own.set(place, `${use} ${level}`);
    // The page behind, for accesses across.
    if (level > 0 || place % 512 === 511 || this.entries[place + 1] !== 0n) return;
    this.entries[place + 1] = this.leaf(use, this.region + 4096 * this.pageOf(this.pagesOf(use)), 0);
    this.own.set(place + 1, `${use} 0`);
  }

  private pagesOf(use: 'data' | 'returns'): { from: number; count: number } {
    return use === 'data' ? Pages.DATA : Pages.RETURNS;
  }

  /** A leaf for a physical address, mostly sound. */
  leaf(use: 'data' | 'returns', physical: number, level: number): bigint {
    const { random } = this;
    let flags = V | random.pick([R, R, R | X, R | X, X]);
    if (use === 'data' && random.chance(60)) flags |= R | W;
    if (use === 'returns' && random.chance(80)) flags |= X;
    if (random.chance(4)) flags = random.pick([flags & ~V, V | W, V | W | X, V]) | (flags & X);
    if (random.chance(55)) flags |= U;
    if (random.chance(20)) flags |= G;
    if (random.chance(60)) flags |= A;
    if (random.chance(50)) flags |= D;
    if (random.chance(20)) flags |= random.below(4) << 8;
    if (use === 'returns') flags &= ~W;
    // Not a pointer to a page of data as a table, which could lead anywhere.
    if (level > 0 && (flags & (R | W | X)) === 0) flags |= A;
    let frame = BigInt(this.frame(physical, level));
    if (level > 0 && random.chance(8)) frame |= BigInt(1 + random.below(512 ** level - 1));
    if (this.holes && random.chance(4)) frame = BigInt(NOWHERE / 4096);
    const entry = (frame << 10n) | BigInt(flags);
    return random.chance(4) ? entry | (1n << BigInt(54 + random.below(10))) : entry;
  }
}
