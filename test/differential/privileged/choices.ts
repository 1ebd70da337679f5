/** Random choices of privileged programs. */
import { Random } from '../random';

export class Choices extends Random {
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** 64 bits: all random, or few set, or few clear, or a sign-extended word. */
  bits(): bigint {
    const all = this.word64();
    const sparse = (1n << BigInt(this.below(64))) | (1n << BigInt(this.below(64)));
    return this.pick([
      all,
      all,
      all,
      all & sparse,
      BigInt.asUintN(64, ~sparse),
      BigInt.asUintN(64, BigInt.asIntN(32, all)),
    ]);
  }
}
