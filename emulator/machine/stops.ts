/**
 * Stops: addresses of a space at which a run ends before the instruction. A debugger's, not state: they change nothing that the
 * guest can see. Only pages with stops pay for them: the engine decodes such a page apart (engine/code-cache.ts).
 */
import type { Space, VirtualAddress } from '../units';
import type { StopSet } from './types';

export class Stops implements StopSet {
  /** Per space and page (as its number, address / 4096) the counts by address. */
  private readonly spaces = new Map<number, Map<number, Map<number, number>>>();
  /** A page got its first stop, or its stops changed: `page` is the page's address. */
  onChange: () => void = () => undefined;

  arm(space: Space, address: VirtualAddress): void {
    const pages = this.spaces.get(space) ?? new Map<number, Map<number, number>>();
    this.spaces.set(space, pages);
    const page = Math.floor(address / 4096);
    const counts = pages.get(page) ?? new Map<number, number>();
    pages.set(page, counts);
    const count = counts.get(address) ?? 0;
    counts.set(address, count + 1);
    if (count === 0) this.onChange();
  }

  disarm(space: Space, address: VirtualAddress): void {
    const pages = this.spaces.get(space);
    const page = Math.floor(address / 4096);
    const counts = pages?.get(page);
    const count = counts?.get(address);
    if (!pages || !counts || count === undefined) return;
    if (count > 1) return void counts.set(address, count - 1);
    counts.delete(address);
    if (counts.size === 0) pages.delete(page);
    if (pages.size === 0) this.spaces.delete(space);
    this.onChange();
  }

  clear(): void {
    this.spaces.clear();
    this.onChange();
  }

  /** Offsets in the page with stops; undefined for a page without. `space` -1: no translation (NO_SPACE). */
  inPage(space: number, page: number): ReadonlySet<number> | undefined {
    if (this.spaces.size === 0) return undefined;
    const counts = this.spaces.get(space)?.get(page);
    return counts && new Set([...counts.keys()].map((address) => address - page * 4096));
  }
}
