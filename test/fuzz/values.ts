/** Arguments: valid ones come from whoever knows the state; the others are boundaries, neighbours of valid ones, and anything. */
import { PAGE_SIZE } from '../../emulator/units';
import type { Random } from '../differential/random';

const BOUNDARIES: readonly bigint[] = [
  0n,
  1n,
  -1n,
  7n,
  8n,
  4095n,
  4096n,
  4097n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 32n,
  (1n << 38n) - 4096n,
  1n << 38n,
  1n << 39n,
  -(1n << 38n),
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  -(1n << 63n),
  0x80000000n - 4096n,
  0x80200000n,
  0xffffn,
  0x30_0000_0000n,
  0x38_0000_0000n,
  0x39_0000_0000n,
  0x40_0000_0000n,
  0x10_0000_0000n,
  -0x20_0000_0000n,
];

/** A value that is probably wrong. */
export function odd(random: Random, near: number | bigint = 0): bigint {
  const base = typeof near === 'bigint' ? near : BigInt(Number.isSafeInteger(near) ? near : 0);
  switch (random.below(4)) {
    case 0:
      return random.pick(BOUNDARIES);
    case 1:
      return base + BigInt(random.pick([-1, 1, -8, 8, -PAGE_SIZE, PAGE_SIZE, 4 * PAGE_SIZE]));
    case 2:
      return base ^ (1n << BigInt(random.below(64)));
    default:
      return random.word64();
  }
}

/** The value, or once in `times` another one. */
export const mostly = (random: Random, value: number | bigint, times = 12): bigint =>
  random.once(times) ? odd(random, value) : BigInt(value);

/** One of these by weight. */
export function weighted<T>(random: Random, choices: readonly (readonly [number, T])[]): T {
  let at = random.below(choices.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, choice] of choices) {
    if (at < weight) return choice;
    at -= weight;
  }
  throw new Error('no choices');
}

/** Text as little-endian 64-bit words, padded with zeros. */
export function textWords(text: string, words = 2): bigint[] {
  const bytes = new Uint8Array(8 * words);
  bytes.set([...text].slice(0, 8 * words).map((c) => c.charCodeAt(0) & 255));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: words }, (_, i) => view.getBigUint64(8 * i, true));
}
