/**
 * The platform-level interrupt controller at 0xc000000, laid out as SiFive's and as QEMU's `virt` has it: 96 sources, priorities 0 … 7, per
 * hart a context for M-mode (2 * hart) and one for S-mode (2 * hart + 1). "RISC-V Platform-Level Interrupt Controller Specification".
 * Sources are level-triggered: a gateway lets one request through and the next only after completion, if the level is still up;
 * a request that is pending stays so though the level falls. Claims do not look at the threshold. Lines drive mip.MEIP and SEIP.
 */
import type { Hart } from '../hart/hart';
import { Interrupt } from '../hart/types';
import type { Device } from './bus';

export const PLIC_SOURCES = 96;
export const PLIC_START = 0xc000000;
export const PLIC_SIZE = 0x600000;
const MAX_PRIORITY = 7;
/** Words of a bit per source, source 0 (there is none) included. */
const WORDS = (PLIC_SOURCES >> 5) + 1;

const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x200000;
const CONTEXT_STRIDE = 0x1000;

/** Arrays in one, so that a snapshot is a copy: levels, pending, in service, priorities, then per context enables and threshold. */
const enum At {
  LEVEL = 0,
  PENDING = WORDS,
  SERVED = 2 * WORDS,
  PRIORITY = 3 * WORDS,
  CONTEXTS = PRIORITY + PLIC_SOURCES + 1,
  CONTEXT_WORDS = WORDS + 1,
}

export class Plic implements Device {
  readonly name = 'plic';
  readonly start = PLIC_START;
  readonly size = PLIC_SIZE;
  private state: Int32Array;
  /** A snapshot holds `state`: it is copied before it is written. */
  private shared = false;

  constructor(private readonly harts: readonly Hart[]) {
    this.state = new Int32Array(At.CONTEXTS + 2 * harts.length * At.CONTEXT_WORDS);
  }

  private get contexts(): number {
    return 2 * this.harts.length;
  }

  private set(at: number, value: number): void {
    if (this.state[at] === value) return;
    if (this.shared) this.state = this.state.slice();
    this.shared = false;
    this.state[at] = value;
  }

  private bit(at: At, source: number): boolean {
    return (this.state[at + (source >> 5)]! & (1 << (source & 31))) !== 0;
  }

  private setBit(at: At, source: number, on: boolean): void {
    const word = at + (source >> 5);
    const mask = 1 << (source & 31);
    this.set(word, on ? this.state[word]! | mask : this.state[word]! & ~mask);
  }

  /** The level of a source's line. */
  setLevel(source: number, on: boolean): void {
    if (this.bit(At.LEVEL, source) === on) return;
    this.setBit(At.LEVEL, source, on);
    this.request(source);
    this.drive();
  }

  /** The gateway: a level that is up becomes a request unless one is pending or in service. */
  private request(source: number): void {
    if (this.bit(At.LEVEL, source) && !this.bit(At.SERVED, source)) this.setBit(At.PENDING, source, true);
  }

  /** The most urgent pending source that the context has enabled, above a priority; 0 for none. The lowest number wins a tie. */
  private best(context: number, above: number): number {
    const enables = At.CONTEXTS + context * At.CONTEXT_WORDS;
    let best = 0;
    let highest = above;
    for (let word = 0; word < WORDS; word++) {
      let ready = this.state[At.PENDING + word]! & this.state[enables + word]!;
      for (; ready !== 0; ready &= ready - 1) {
        const source = 32 * word + 31 - Math.clz32(ready & -ready);
        if (this.state[At.PRIORITY + source]! <= highest) continue;
        best = source;
        highest = this.state[At.PRIORITY + source]!;
      }
    }
    return best;
  }

  private threshold(context: number): number {
    return At.CONTEXTS + context * At.CONTEXT_WORDS + WORDS;
  }

  /** Makes the harts' lines follow. */
  private drive(): void {
    for (let context = 0; context < this.contexts; context++) {
      const on = this.best(context, this.state[this.threshold(context)]!) !== 0;
      const line = context & 1 ? Interrupt.SupervisorExternal : Interrupt.MachineExternal;
      this.harts[context >> 1]!.setLine(line, on);
    }
  }

  private claim(context: number): number {
    const source = this.best(context, 0);
    if (source === 0) return 0;
    this.setBit(At.PENDING, source, false);
    this.setBit(At.SERVED, source, true);
    this.drive();
    return source;
  }

  /** Ignored for a source that the context has not enabled. */
  private complete(context: number, source: number): void {
    if (source < 1 || source > PLIC_SOURCES) return;
    const enables = At.CONTEXTS + context * At.CONTEXT_WORDS;
    if (!this.bit(enables as At, source)) return;
    this.setBit(At.SERVED, source, false);
    this.request(source);
    this.drive();
  }

  /** Word of the state that a register shows, -1 for none. */
  private register(offset: number): number {
    if (offset < PENDING) return offset / 4 <= PLIC_SOURCES ? At.PRIORITY + offset / 4 : -1;
    if (offset < ENABLE) return (offset - PENDING) / 4 < WORDS ? At.PENDING + (offset - PENDING) / 4 : -1;
    const inEnables = offset < CONTEXT;
    const stride = inEnables ? ENABLE_STRIDE : CONTEXT_STRIDE;
    const from = offset - (inEnables ? ENABLE : CONTEXT);
    const context = Math.floor(from / stride);
    const at = from % stride;
    if (context >= this.contexts) return -1;
    if (inEnables) return at / 4 < WORDS ? At.CONTEXTS + context * At.CONTEXT_WORDS + at / 4 : -1;
    return at === 0 ? this.threshold(context) : -1;
  }

  /** The context whose claim register this is, -1 for another register. */
  private claimed(offset: number): number {
    const from = offset - CONTEXT;
    const context = Math.floor(from / CONTEXT_STRIDE);
    return from >= 0 && from % CONTEXT_STRIDE === 4 && context < this.contexts ? context : -1;
  }

  read(offset: number, size: number): bigint | undefined {
    if (size !== 4) return undefined;
    const context = this.claimed(offset);
    if (context >= 0) return BigInt(this.claim(context));
    const at = this.register(offset);
    return at < 0 ? 0n : BigInt(this.state[at]! >>> 0);
  }

  write(offset: number, size: number, value: bigint): boolean {
    if (size !== 4) return false;
    const word = Number(BigInt.asIntN(32, value));
    const context = this.claimed(offset);
    if (context >= 0) {
      this.complete(context, word);
      return true;
    }
    const at = this.register(offset);
    // Pending bits are read-only, and source 0 does not exist.
    if (at < 0 || (offset >= PENDING && offset < ENABLE) || offset === 0) return true;
    if (offset < PENDING || offset >= CONTEXT) this.set(at, word & MAX_PRIORITY);
    else this.set(at, offset % ENABLE_STRIDE === 0 ? word & ~1 : word);
    this.drive();
    return true;
  }

  snapshot(): unknown {
    this.shared = true;
    return this.state;
  }
  restore(state: unknown): void {
    this.state = state as Int32Array;
    this.shared = true;
  }
}
