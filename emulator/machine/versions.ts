/**
 * The versions of RAM that snapshots hold. The live memory is one version; every other one is stored as its difference to the next
 * on the way to the live one: page -> content. So a snapshot costs nothing, the first store to a page afterwards one copy of the page,
 * and a restore the pages that differ. Restoring turns the differences on its way around (as persistent arrays by
 * rerooting do): every snapshot stays restorable, older or newer, on any branch. A version that nobody
 * holds is garbage unless one that is held reaches the live memory through it.
 */
import { PAGE_SIZE } from '../units';
import type { PhysicalMemory } from './memory';

/** A page's bytes, never written again; undefined for a page that was never written and reads as zero. */
type Content = Uint8Array | undefined;

/** A version of RAM. */
export interface Version {
  /** What differs from `next`. */
  pages: Map<number, Content>;
  /** Undefined: the live memory is next. */
  next: Version | undefined;
}

/** Pages of one piece of store. One allocation for many pages: a buffer for each would take three times as long (measured). */
const PIECE_PAGES = 64;

export class Versions {
  /** The version whose difference is to the live memory: the latest that was taken or restored. */
  private head: Version | undefined;

  /** Where the next copies of pages are put, and how much of it is taken. */
  private piece = new Uint8Array(0);
  private taken = 0;

  constructor(private readonly memory: PhysicalMemory) {}

  private content(page: number): Content {
    if (!this.memory.wasWritten(page)) return undefined;
    if (this.taken === this.piece.length) {
      this.piece = new Uint8Array(PIECE_PAGES * PAGE_SIZE);
      this.taken = 0;
    }
    const copy = this.piece.subarray(this.taken, (this.taken += PAGE_SIZE));
    copy.set(this.memory.pageBytes(page));
    return copy;
  }

  /** The live memory as it is now. The caller protects all pages. */
  take(): Version {
    const version: Version = { pages: new Map(), next: undefined };
    if (this.head) this.head.next = version;
    this.head = version;
    return version;
  }

  /** A page is about to be written for the first time since the head was taken. */
  save(page: number): void {
    if (this.head && !this.head.pages.has(page)) this.head.pages.set(page, this.content(page));
  }

  /** Pages that were copied since the head was taken: what the next snapshot's past costs. */
  get copied(): number {
    return this.head?.pages.size ?? 0;
  }

  /** Makes the live memory equal to a version. The caller drops all translations. */
  restore(target: Version): void {
    const path: Version[] = [];
    for (let version: Version | undefined = target; version; version = version.next) path.push(version);
    const last = path[path.length - 1]!;
    if (last !== this.head) throw new Error('the snapshot is of another machine, or of one that was loaded since');
    // From the live end: each step makes the memory equal to `version`, and its follower a difference to it.
    for (let i = path.length - 1; i >= 0; i--) {
      const version = path[i]!;
      const follower = path[i + 1];
      const { pages } = version;
      version.pages = new Map();
      version.next = undefined;
      if (follower) follower.next = version;
      for (const [page, content] of pages) {
        // The live memory before the last step is no version: nobody can want it back.
        if (follower) follower.pages.set(page, this.content(page));
        this.memory.setPage(page, content);
      }
    }
    this.head = target;
    this.memory.protectAll();
  }

  /** The live memory has been replaced by something that no version is related to. */
  forget(): void {
    this.head = undefined;
  }
}
