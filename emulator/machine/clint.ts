/**
 * The core-local interruptor: msip, mtimecmp and mtime, laid out as in SiFive's CLINT at 0x2000000. A device of the bus for guest
 * firmware; a personality uses Hart.setPending and Machine.setTimer, which act on the same state (the hart's words).
 * mtime is the machine's clock and can't be written.
 */
import type { Hart } from '../hart/hart';
import { Interrupt } from '../hart/types';
import type { Device } from './bus';
import type { Clock } from './clock';
import { HartWord } from './layout';

const MSIP = 0;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
const WORD = 0xffffffffn;

export class Clint implements Device {
  readonly name = 'clint';
  readonly start = 0x2000000;
  readonly size = 0x10000;

  constructor(
    private readonly harts: () => readonly Hart[],
    private readonly clock: Clock,
  ) {}

  /** Sets when a hart's timer is due, in ticks; Infinity for never. */
  setTimer(hart: Hart, at: number): void {
    hart.timer = Math.ceil(at);
    const units = Math.ceil(hart.timer / this.clock.ticksPerUnit);
    this.setCompare(hart, units < 2 ** 63 ? BigInt(units) : 2n ** 64n - 1n);
  }

  private compare(hart: Hart): bigint {
    const at = HartWord.MTIMECMP;
    return (BigInt(hart.words[at + 1]! >>> 0) << 32n) | BigInt(hart.words[at]! >>> 0);
  }

  private setCompare(hart: Hart, value: bigint): void {
    hart.words[HartWord.MTIMECMP] = Number(BigInt.asIntN(32, value));
    hart.words[HartWord.MTIMECMP + 1] = Number(BigInt.asIntN(32, value >> 32n));
  }

  private register(
    offset: number,
  ): { value: bigint; hart: Hart | undefined; kind: 'msip' | 'mtimecmp' | 'mtime' } | undefined {
    if (offset >= MTIME + 8) return undefined;
    if (offset >= MTIME) return { value: BigInt(this.clock.time), hart: undefined, kind: 'mtime' };
    if (offset >= MTIMECMP) {
      const hart = this.harts()[(offset - MTIMECMP) >> 3];
      return hart && { value: this.compare(hart), hart, kind: 'mtimecmp' };
    }
    const hart = this.harts()[(offset - MSIP) >> 2];
    return hart && { value: BigInt((hart.csr.pending() >> Interrupt.MachineSoftware) & 1), hart, kind: 'msip' };
  }

  read(offset: number, size: number): bigint | undefined {
    if (size < 4) return undefined;
    const register = this.register(offset);
    if (!register || (size === 8 && register.kind === 'msip')) return undefined;
    const { value } = register;
    if (size === 8) return value;
    return offset % 8 === 4 && register.kind !== 'msip' ? value >> 32n : value & WORD;
  }

  write(offset: number, size: number, value: bigint): boolean {
    if (size < 4) return false;
    const register = this.register(offset);
    if (!register?.hart || (size === 8 && register.kind === 'msip')) return false;
    const { hart, kind } = register;
    if (kind === 'msip') hart.setPending(Interrupt.MachineSoftware, (value & 1n) !== 0n);
    else {
      const old = register.value;
      const next = size === 8 ? value : offset % 8 === 4 ? (old & WORD) | (value << 32n) : (old & ~WORD) | value;
      this.setCompare(hart, next);
      const ticks = Number(next) * this.clock.ticksPerUnit;
      hart.timer = ticks < 2 ** 53 ? ticks : Infinity;
    }
    return true;
  }

  /** All of it is in the harts' words. */
  snapshot(): unknown {
    return undefined;
  }
  restore(): void {}
}
