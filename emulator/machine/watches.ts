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

  /** Is any byte of [address, address + size) watched for this kind of access? */
  hit(space: number, address: number, size: number, write: boolean): boolean {
    for (const watch of this.list)
      if (
        watch.space === space &&
        watch.kind !== (write ? 'read' : 'write') &&
        address < watch.address + watch.length &&
        watch.address < address + size
      )
        return true;
    return false;
  }
}
