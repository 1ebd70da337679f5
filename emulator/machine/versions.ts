/**
 * The versions of RAM that snapshots hold. The live memory is one version; every other one is stored as its difference to the next
 * on the way to the live one: page -> content. So a snapshot costs what is copied at once (rewritten.ts), the first store to another page
 * afterwards one copy of the page, and a restore the pages that differ. Restoring turns the differences on its way around (as persistent arrays by
 * rerooting do): every snapshot stays restorable, older or newer, on any branch. A version that nobody
 * holds is garbage unless one that is held reaches the live memory through it; one that is given up makes way for the version before it.
 */
import type { PhysicalMemory } from './memory';
import { PageCopies } from './page-copies';
import { Rewritten } from './rewritten';

/** A page's bytes, never written again; undefined for a page that was never written and reads as zero. */
type Content = Uint8Array | undefined;

/** A version of RAM. */
export interface Version {
  /** What differs from `next`. */
  pages: Map<number, Content>;
  /** Undefined: the live memory is next. */
  next: Version | undefined;
  /** Those whose next it is or once was; held by whoever wants to restore them, not from here. */
  before: WeakRef<Version>[];
}

const MANY = 16;

export class Versions {
  /** The version whose difference is to the live memory: the latest that was taken or restored. */
  private head: Version | undefined;
  private copies = new PageCopies();
  private readonly rewritten: Rewritten;

  constructor(private readonly memory: PhysicalMemory) {
    this.rewritten = new Rewritten(memory.ramPages);
  }

  private content(page: number): Content {
    return this.memory.wasWritten(page) ? this.copies.copyOf(this.memory.pageBytes(page)) : undefined;
  }

  /** Copies of pages made so far; pages of memory touched for them; copies in use. */
  get made(): number {
    return this.copies.made;
  }
  get touched(): number {
    return this.copies.touched;
  }
  get held(): number {
    return this.copies.held;
  }

  private link(version: Version, next: Version): void {
    version.next = next;
    // Kept short: a machine may be taken back and forth for ever.
    if (next.before.length >= MANY) next.before = next.before.filter((reference) => reference.deref()?.next === next);
    next.before.push(new WeakRef(version));
  }

  /** The live memory as it is now. All pages are protected afterwards but those that were copied at once; the caller drops the others' write translations. */
  take(): Version {
    const version: Version = { pages: new Map(), next: undefined, before: [] };
    if (this.head) this.link(this.head, version);
    this.head = version;
    this.memory.protectAll();
    for (const page of this.rewritten.next()) {
      version.pages.set(page, this.content(page));
      this.memory.openAgain(page);
    }
    return version;
  }

  /** A page is about to be written for the first time since the head was taken. */
  save(page: number): void {
    if (!this.head || this.head.pages.has(page)) return;
    this.rewritten.written(page);
    this.head.pages.set(page, this.content(page));
  }

  /** Makes the live memory equal to a version. The caller drops all translations. */
  restore(target: Version): void {
    const path: Version[] = [];
    for (let version: Version | undefined = target; version; version = version.next) path.push(version);
    const last = path[path.length - 1]!;
    if (last !== this.head)
      throw new Error('the snapshot was given up, or is of another machine, or of one that was loaded since');
    // From the live end: each step makes the memory equal to `version`, and its follower a difference to it.
    for (let i = path.length - 1; i >= 0; i--) {
      const version = path[i]!;
      const follower = path[i + 1];
      const { pages } = version;
      version.pages = new Map();
      version.next = undefined;
      if (follower) this.link(follower, version);
      for (const [page, content] of pages) {
        // The live memory before the last step is no version: nobody can want it back.
        if (follower) follower.pages.set(page, this.content(page));
        this.memory.setPage(page, content);
        if (content) this.copies.giveBack(content);
      }
    }
    this.head = target;
    this.memory.protectAll();
  }

  /** Nobody will restore this version: what the one before it needs of it becomes that one's, and the rest is given back. */
  giveUp(version: Version): void {
    const before = new Set<Version>();
    for (const reference of version.before) {
      const other = reference.deref();
      if (other?.next === version) before.add(other);
    }
    // Where branches meet, it stays until nobody holds them.
    if (before.size > 1) return;
    const [other] = before;
    for (const [page, content] of version.pages)
      if (other && !other.pages.has(page)) other.pages.set(page, content);
      else if (content) this.copies.giveBack(content);
    const { next } = version;
    if (other) {
      other.next = undefined;
      if (next) this.link(other, next);
    }
    if (version === this.head) this.head = other;
    // It leads nowhere now: restoring it is refused.
    version.pages = new Map();
    version.next = undefined;
  }

  /** The live memory has been replaced by something that no version is related to. */
  forget(): void {
    this.head = undefined;
    this.copies = new PageCopies();
  }
}
