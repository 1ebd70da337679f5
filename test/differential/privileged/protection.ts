/**
 * Choices PMP entries (privileged manual, "Physical Memory Protection"): all modes, overlapping, of any size down to 4 bytes, over the
 * region of one program. Entry 0 always lets code be fetched.
 *
 * Known differences, excluded here:
 * - QEMU 7.2 checks a fetch as if it took all bytes to the end of the page: bounds inside of pages that code is fetched from;
 * - it checks an access across pages as if they were neighbours in memory: `coarse` then asks for entries that are all or nothing;
 * - it sets A and D without asking PMP; the manual asks ("Virtual Address Translation Process", step 7): over tables, write goes with read;
 * - it matches every address by a TOR entry 0 with pmpaddr0 = 0, and by entries that were bounded by a pmpaddr written later;
 * - mret to a lower level is illegal in it while no entry is on.
 */
import type { Code } from './code';
import { Pages } from './layout';
import type { Choices } from './choices';

const R = 1;
const W = 2;
const X = 4;
const TOR = 1 << 3;
const NA4 = 2 << 3;
const NAPOT = 3 << 3;
const LOCK = 0x80;

export interface Protection {
  readonly configs: readonly number[];
  /** pmpaddr registers: physical addresses divided by 4. */
  readonly addresses: readonly bigint[];
}

const EVERYTHING = (1n << 54n) - 1n;

const napot = (start: number, size: number): bigint => (BigInt(start) >> 2n) | (BigInt(size / 8) - 1n);

/** open: everything is allowed; coarse: no bounds inside of the data; locked: with locked entries. */
export type Shape = 'open' | 'coarse' | 'fine' | 'locked';

export function randomProtection(random: Choices, region: number, shape: Shape): Protection {
  const configs = Array<number>(16).fill(0);
  const addresses = Array.from({ length: 16 }, () => random.bits() & EVERYTHING);
  // Pages of code of S and U: two, aligned.
  configs[0] = NAPOT | R | W | X;
  addresses[0] = napot(region + 4096 * Pages.SUPERVISOR_CODE.from, 8192);
  const count = shape === 'coarse' || shape === 'open' ? 0 : random.below(7);
  for (let i = 0; i < count; i++) entry(random, region, shape, configs, addresses, 1 + 2 * i);
  if (shape === 'open' || random.chance(85)) {
    configs[15] = NAPOT | (shape === 'open' ? R | W | X : random.pick([R | W | X, R | W | X, R | W | X, R | W, X, 0]));
    addresses[15] = EVERYTHING;
  }
  return { configs, addresses };
}

/** Entry at + 1; entry `at` is off, for TOR to begin at its address. */
function entry(
  random: Choices,
  region: number,
  shape: Shape,
  configs: number[],
  addresses: bigint[],
  at: number,
): void {
  const { from, count } = random.pick([Pages.DATA, Pages.DATA, Pages.TABLES, Pages.RETURNS]);
  const overTables = from === Pages.TABLES.from;
  const grain = from === Pages.RETURNS.from ? 4096 : 4;
  const start = region + 4096 * from;
  const bytes = 4096 * count;
  const rights = random.pick(overTables ? [0, X, R | W, R | W | X] : [0, R, R | W, R | X, X, R | W | X]);
  const lock = shape === 'locked' && random.chance(60) ? LOCK : 0;
  const mode = random.pick(grain === 4 ? [TOR, TOR, NA4, NAPOT, NAPOT] : [TOR, NAPOT]);
  configs[at + 1] = mode | rights | lock;
  if (lock && random.chance(30)) configs[at]! |= LOCK;
  const place = (): number => start + Math.floor(random.below(bytes) / grain) * grain;
  if (mode === TOR) {
    addresses[at] = BigInt(place()) >> 2n;
    addresses[at + 1] = BigInt(place()) >> 2n;
    return;
  }
  if (mode === NA4) {
    addresses[at + 1] = BigInt(place()) >> 2n;
    return;
  }
  const size = grain === 4 ? 2 ** (3 + random.below(11)) : 4096;
  addresses[at + 1] = napot(Math.floor(place() / size) * size, size);
}

/** Emits the writes of all entries. Addresses come first: see above. Uses x29. */
export function writeProtection(code: Code, { configs, addresses }: Protection): void {
  addresses.forEach((address, i) => code.csrSet(0x3b0 + i, address));
  for (const half of [0, 8]) {
    const bytes = configs.slice(half, half + 8);
    code.csrSet(
      half === 0 ? 0x3a0 : 0x3a2,
      bytes.reduce((all, config, i) => all | (BigInt(config) << BigInt(8 * i)), 0n),
    );
  }
  code.op('sfence.vma', { rs1: 0, rs2: 0 });
}
