/**
 * Which image is mapped where: one world per address space of a process or an enclave. The number of a space comes up again after
 * its owner is gone, so a world is keyed by its owner and looked up by space only while it lives.
 */
import type { Space, VirtualAddress } from '../../emulator/units';
import { va } from '../../emulator/units';
import type { Instance } from '../../monitor/types';
import type { Image } from './image';

export type Owner =
  { readonly kind: 'host'; readonly pid: number } | { readonly kind: 'enclave'; readonly instance: Instance };

/** One image mapped into one address space. */
export interface Mapping {
  readonly owner: Owner;
  /** What a person calls the owner: `host`, `server #3`. */
  readonly label: string;
  readonly space: Space;
  readonly image: Image;
  /** Added to the image's addresses. */
  readonly base: number;
}

export const toRuntime = (mapping: Mapping, address: number): VirtualAddress => va(address + mapping.base);
export const toLink = (mapping: Mapping, address: number): number => address - mapping.base;

export class Worlds {
  private readonly bySpace = new Map<Space, Mapping[]>();

  add(mapping: Mapping): void {
    const there = this.bySpace.get(mapping.space);
    if (there) there.push(mapping);
    else this.bySpace.set(mapping.space, [mapping]);
  }

  /** Takes an owner's mappings out and returns them. */
  remove(owner: Owner): readonly Mapping[] {
    const gone = this.all().filter((mapping) => sameOwner(mapping.owner, owner));
    for (const { space } of gone) {
      const kept = (this.bySpace.get(space) ?? []).filter((mapping) => !sameOwner(mapping.owner, owner));
      if (kept.length === 0) this.bySpace.delete(space);
      else this.bySpace.set(space, kept);
    }
    return gone;
  }

  /** The mapping whose image has the address: its segments, else its only mapping. */
  at(space: Space, address: number): Mapping | undefined {
    const there = this.bySpace.get(space) ?? [];
    return there.find((mapping) => covers(mapping, address)) ?? (there.length === 1 ? there[0] : undefined);
  }

  in(space: Space): readonly Mapping[] {
    return this.bySpace.get(space) ?? [];
  }

  /** In the order of spaces' first use; deterministic. */
  all(): readonly Mapping[] {
    return [...this.bySpace.values()].flat();
  }

  of(owner: Owner): readonly Mapping[] {
    return this.all().filter((mapping) => sameOwner(mapping.owner, owner));
  }

  clear(): void {
    this.bySpace.clear();
  }
}

const PT_LOAD = 1;

function covers(mapping: Mapping, address: number): boolean {
  const at = toLink(mapping, address);
  return mapping.image.program.elf.segments.some(
    ({ type, vaddr, memsz }) => type === PT_LOAD && at >= vaddr && at < vaddr + memsz,
  );
}

export function sameOwner(a: Owner, b: Owner): boolean {
  if (a.kind === 'host') return b.kind === 'host' && a.pid === b.pid;
  return b.kind === 'enclave' && a.instance === b.instance;
}
