/** Where indirect jumps of the guest go, as far as it was seen: by page of RAM and offset in it of the jump. Of no account but for speed. */
import { pairToNumber } from '../../hart/registers';
import { Op } from '../../isa/op';
import { Area } from '../../machine/layout';
import type { PhysicalMemory } from '../../machine/memory';
import { va, type VirtualAddress } from '../../units';
import type { CodeCache } from '../code-cache';
import { SEEN_JUMP_BYTES, SEEN_JUMPS } from '../wasm/seen-jumps';

/** Jumps that are remembered; with more all are forgotten. */
const MOST_JUMPS = 4096;
/** Targets of a jump that are remembered. */
const MOST_TARGETS = 64;

/** A jump's place in RAM. */
export interface JumpPlace {
  readonly page: number;
  readonly offset: number;
}

export class JumpProfile {
  /** By the jump's place how often it went where. */
  private readonly jumps = new Map<number, Map<VirtualAddress, number>>();
  /** By target the jumps to it. */
  private readonly origins = new Map<VirtualAddress, JumpPlace[]>();

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly code: CodeCache,
  ) {}

  /** Takes down what was noted since the last time. */
  gather(): void {
    const { i32, u16 } = this.memory;
    for (let i = 0; i < SEEN_JUMPS; i++) {
      const at = (Area.JUMPS + i * SEEN_JUMP_BYTES) / 4;
      const record = i32[at]!;
      i32[at] = 0;
      // The block may hold another page by now: at worst a target too many is expected.
      if (record < Area.CODE || u16[record >> 1] !== (Op.JALR as number)) continue;
      const place = this.code.placeOf(record);
      if (place) this.note(place, va(pairToNumber(i32[at + 2]!, i32[at + 3]!)));
    }
  }

  private note(place: JumpPlace, target: VirtualAddress): void {
    const counts = this.countsOf(keyOf(place));
    const known = counts.get(target);
    if (known === undefined && counts.size === MOST_TARGETS) return;
    counts.set(target, (known ?? 0) + 1);
    if (known === undefined) this.origins.set(target, [...this.jumpsTo(target), place]);
  }

  private countsOf(key: number): Map<VirtualAddress, number> {
    const known = this.jumps.get(key);
    if (known) return known;
    if (this.jumps.size === MOST_JUMPS) {
      this.jumps.clear();
      this.origins.clear();
    }
    const counts = new Map<VirtualAddress, number>();
    this.jumps.set(key, counts);
    return counts;
  }

  /** Where the jump at a place went to, the likeliest first. */
  targets(place: JumpPlace): readonly VirtualAddress[] {
    const counts = this.jumps.get(keyOf(place));
    return counts ? [...counts].sort((a, b) => b[1] - a[1]).map(([target]) => target) : [];
  }

  /** The jumps that went to an address. */
  jumpsTo(target: VirtualAddress): readonly JumpPlace[] {
    return this.origins.get(target) ?? [];
  }
}

const keyOf = ({ page, offset }: JumpPlace): number => page * 4096 + offset;
