/**
 * Watches: byte ranges of a space; a run ends after an instruction that accessed one. A debugger's, not state. A watched page never
 * enters the read (or write) translations, so only accesses to it pay.
 */
import type { Space, VirtualAddress } from '../units';
import type { Watch, WatchKind, WatchSet } from './types';

export class Watches implements WatchSet {
  private readonly list = new Set<Watch>();
  onChange: () => void = () => undefined;

  /** Returns what `remove` takes. A length below 1 is an error. */
  add(space: Space, address: VirtualAddress, length: number, kind: WatchKind): Watch {
    if (!Number.isInteger(length) || length < 1) throw new Error(`a watch of ${length} bytes: give at least 1`);
    const watch = { space, address, length, kind };
    this.list.add(watch);
    this.onChange();
    return watch;
  }

  remove(watch: Watch): void {
    if (this.list.delete(watch)) this.onChange();
  }

  clear(): void {
    this.list.clear();
    this.onChange();
  }

  /** Is any byte of [address, address + size) watched for this kind of access? Changes count as writes. */
  overlaps(space: number, address: number, size: number, write: boolean): boolean {
    for (const watch of this.list)
      if (
        watch.space === space &&
        (write ? watch.kind !== 'read' : watch.kind === 'read' || watch.kind === 'access') &&
        meets(watch, address, size)
      )
        return true;
    return false;
  }

  /** Does an access end the run? `changed`: 1 for each byte in which a write leaves another value. */
  hit(space: number, address: number, size: number, write: boolean, changed: Uint8Array): boolean {
    for (const watch of this.list) {
      if (watch.space !== space || !meets(watch, address, size)) continue;
      if (watch.kind === 'access' || watch.kind === (write ? 'write' : 'read')) return true;
      if (watch.kind !== 'change' || !write) continue;
      const from = Math.max(0, watch.address - address);
      const to = Math.min(size, watch.address + watch.length - address);
      if (changed.subarray(from, to).includes(1)) return true;
    }
    return false;
  }

  get none(): boolean {
    return this.list.size === 0;
  }

  /** Must writes be compared with what was there before? */
  get comparing(): boolean {
    for (const watch of this.list) if (watch.kind === 'change') return true;
    return false;
  }
}

const meets = (watch: Watch, address: number, size: number): boolean =>
  address < watch.address + watch.length && watch.address < address + size;
