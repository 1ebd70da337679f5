/**
 * Which pages will be written again at once after the next snapshot: those that a program works on are, time and again. They are copied
 * while the snapshot is taken, which costs a third of what their first store would (it leaves the code for the host, and walks the page table). A page
 * that was written in two intervals in a row is trusted for one, and each time that it is written right after its trust ended, for twice
 * as many as before. Trust decides about time only.
 */

/** Snapshots for which a page is trusted at most: one whose program has gone elsewhere is copied so often in vain. */
const LONGEST = 8;
/** Pages copied with one snapshot at most, so that taking it stays short. */
const MOST_PAGES = 1024;

export class Rewritten {
  /** By page: the interval in which it was last written or trusted, and for how long it was trusted then. */
  private last = new Uint32Array(0);
  private granted = new Uint8Array(0);
  private left = new Uint8Array(0);
  /** Pages that are trusted beyond the current interval. */
  private trusted: number[] = [];
  private interval = 1;

  constructor(private readonly pages: number) {}

  /** A page is written for the first time in this interval. */
  written(page: number): void {
    if (this.last.length === 0) return;
    if (this.last[page] === this.interval - 1) {
      if (this.trusted.length < MOST_PAGES) {
        this.left[page] = this.granted[page] = Math.min(LONGEST, Math.max(1, 2 * this.granted[page]!));
        this.trusted.push(page);
      }
    } else this.granted[page] = 0;
    this.last[page] = this.interval;
  }

  /** An interval begins: the pages to be copied now. */
  next(): readonly number[] {
    if (this.last.length === 0) {
      // Not before there is a snapshot: most machines never see one.
      this.last = new Uint32Array(this.pages);
      this.granted = new Uint8Array(this.pages);
      this.left = new Uint8Array(this.pages);
    }
    this.interval++;
    const now = this.trusted;
    for (const page of now) {
      this.left[page]!--;
      this.last[page] = this.interval;
    }
    this.trusted = now.filter((page) => this.left[page]! > 0);
    return now;
  }
}
