/**
 * Seeded random numbers for the generators of this folder: xoshiro128** with its state filled by splitmix32, so that neighbouring
 * seeds give unrelated sequences. Must never be used where a secret is wanted.
 */

export class Random {
  private readonly state = new Uint32Array(4);

  constructor(seed: number) {
    let mix = seed | 0;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) | 0;
      let z = mix;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.state[i] = z ^ (z >>> 16);
    }
    this.state[0]! |= 1;
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const { state } = this;
    const [s0, s1, s2, s3] = state as unknown as [number, number, number, number];
    const turned = Math.imul(s1, 5);
    const result = Math.imul((turned << 7) | (turned >>> 25), 9);
    state[2] = s2 ^ s0;
    state[3] = s3 ^ s1;
    state[1] = s1 ^ state[2];
    state[0] = s0 ^ state[3];
    state[2] = state[2] ^ (s1 << 9);
    state[3] = (state[3] << 11) | (state[3] >>> 21);
    return result >>> 0;
  }

  /** An integer 0 … below - 1. */
  below(below: number): number {
    return Math.floor((this.word() / 2 ** 32) * below);
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** The list in another order, as a new one. */
  shuffled<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }

  word64(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const word = this.word();
      for (let i = 0; i < 4 && at + i < count; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }
}
