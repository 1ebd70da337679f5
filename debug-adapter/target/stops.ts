/**
 * Stops armed in the machine, with the reason each was armed for. A user's breakpoint, a step and an entry stop may want the same
 * address: it is armed once and kept until the last of them lets go. Never writes to guest memory.
 */
import type { StopSet } from '../../emulator/machine/types';
import type { Space, VirtualAddress } from '../../emulator/units';

export class Stops<Reason> {
  private readonly armed = new Map<Space, Map<VirtualAddress, Set<Reason>>>();

  constructor(private readonly machine: () => StopSet) {}

  add(space: Space, address: VirtualAddress, reason: Reason): void {
    let there = this.armed.get(space);
    if (!there) this.armed.set(space, (there = new Map()));
    let reasons = there.get(address);
    if (!reasons) {
      there.set(address, (reasons = new Set()));
      this.machine().arm(space, address);
    }
    reasons.add(reason);
  }

  remove(space: Space, address: VirtualAddress, reason: Reason): void {
    const reasons = this.armed.get(space)?.get(address);
    if (!reasons?.delete(reason) || reasons.size > 0) return;
    this.armed.get(space)!.delete(address);
    this.machine().disarm(space, address);
  }

  /** Every stop of one reason. */
  removeAll(reason: Reason): void {
    for (const [space, there] of this.armed)
      for (const address of [...there.keys()]) this.remove(space, address, reason);
  }

  /** The space's owner is gone: its number may come up again for another. */
  dropSpace(space: Space): void {
    for (const address of this.armed.get(space)?.keys() ?? []) this.machine().disarm(space, address);
    this.armed.delete(space);
  }

  at(space: Space, address: VirtualAddress): ReadonlySet<Reason> {
    return this.armed.get(space)?.get(address) ?? new Set();
  }

  /** Number of armed addresses, over all spaces. */
  get size(): number {
    return [...this.armed.values()].reduce((sum, there) => sum + there.size, 0);
  }

  /** Forgets everything without touching a machine: it is another one now. */
  forget(): void {
    this.armed.clear();
  }
}
