/**
 * Physical memory protection: 16 entries with NA4, NAPOT, TOR and locking, grain 4 bytes.
 * Privileged specification, "Physical Memory Protection". The registers are the hart's words; the ranges here follow from them.
 */
import { HartWord } from '../machine/layout';

export const PMP_ENTRIES = 16;
const TOR = 1;
const NAPOT = 3;
const LOCK = 0x80;

/** Rights, as the bits of a configuration byte. */
export const enum Right {
  READ = 1,
  WRITE = 2,
  EXEC = 4,
}

/** The two bits of a configuration byte that say how its address is matched. */
const matching = (config: number): number => (config >> 3) & 3;

/** Bytes from the low end that are ones in a 54-bit value, as a count of bits. */
function trailingOnes(low: number, high: number): number {
  const lowZeros = ~low;
  if (lowZeros !== 0) return 31 - Math.clz32(lowZeros & -lowZeros);
  const highZeros = ~high & 0x3fffff;
  return highZeros === 0 ? 54 : 63 - Math.clz32(highZeros & -highZeros);
}

export class Pmp {
  private count = 0;
  private readonly starts = new Float64Array(PMP_ENTRIES);
  private readonly ends = new Float64Array(PMP_ENTRIES);
  private readonly configs = new Uint8Array(PMP_ENTRIES);

  constructor(private readonly words: () => Int32Array) {}

  private config(index: number): number {
    return (this.words()[HartWord.PMPCFG + (index >> 2)]! >>> (8 * (index & 3))) & 0xff;
  }

  private address(index: number): number {
    const at = HartWord.PMPADDR + 2 * index;
    const words = this.words();
    return (words[at + 1]! * 2 ** 32 + (words[at]! >>> 0)) * 4;
  }

  /** Makes the ranges follow the registers: after a write, a reset, a restore. */
  update(): void {
    this.count = 0;
    for (let index = 0; index < PMP_ENTRIES; index++) {
      const config = this.config(index);
      const mode = matching(config);
      if (mode === 0) continue;
      let start = this.address(index);
      let end = start + 4;
      if (mode === TOR) {
        end = start;
        start = index === 0 ? 0 : this.address(index - 1);
      } else if (mode === NAPOT) {
        const at = HartWord.PMPADDR + 2 * index;
        const size = 2 ** (trailingOnes(this.words()[at]!, this.words()[at + 1]!) + 3);
        start = Math.floor(start / size) * size;
        end = start + size;
      }
      if (end <= start) continue; // an empty TOR range matches nothing
      this.starts[this.count] = start;
      this.ends[this.count] = end;
      this.configs[this.count++] = config;
    }
  }

  /** May an access of `size` bytes be made? The first entry that matches any byte decides, and must match all of them. */
  allows(address: number, size: number, rights: number, machineMode: boolean): boolean {
    const end = address + size;
    for (let index = 0; index < this.count; index++) {
      if (this.ends[index]! <= address || this.starts[index]! >= end) continue;
      if (this.starts[index]! > address || this.ends[index]! < end) return false;
      const config = this.configs[index]!;
      return (machineMode && !(config & LOCK)) || (config & rights) === rights;
    }
    return machineMode;
  }

  /** May machine mode access everything: is no entry locked? */
  get openToMachine(): boolean {
    for (let index = 0; index < this.count; index++) if (this.configs[index]! & LOCK) return false;
    return true;
  }

  /** Is the answer the same for every access in this page? */
  uniform(page: number): boolean {
    for (let index = 0; index < this.count; index++) {
      if (this.ends[index]! <= page || this.starts[index]! >= page + 4096) continue;
      return this.starts[index]! <= page && this.ends[index]! >= page + 4096;
    }
    return true;
  }

  private locked(index: number): boolean {
    return (this.config(index) & LOCK) !== 0;
  }

  /** Writes eight configuration bytes (pmpcfg0 or pmpcfg2); locked entries keep theirs. */
  writeConfigs(first: number, low: number, high: number): void {
    const words = this.words();
    for (let i = 0; i < 8; i++) {
      const index = first + i;
      if (this.locked(index)) continue;
      let config = ((i < 4 ? low : high) >>> (8 * (i & 3))) & 0x9f;
      if ((config & 3) === Right.WRITE) config &= ~Right.WRITE; // W without R is reserved
      const at = HartWord.PMPCFG + (index >> 2);
      const shift = 8 * (index & 3);
      words[at] = (words[at]! & ~(0xff << shift)) | (config << shift);
    }
    this.update();
  }

  /** Writes pmpaddr; ignored when the entry, or a TOR entry above that it bounds, is locked. */
  writeAddress(index: number, low: number, high: number): void {
    if (this.locked(index)) return;
    if (index + 1 < PMP_ENTRIES && this.locked(index + 1) && matching(this.config(index + 1)) === TOR) return;
    const words = this.words();
    words[HartWord.PMPADDR + 2 * index] = low;
    words[HartWord.PMPADDR + 2 * index + 1] = high & 0x3fffff;
    this.update();
  }
}
