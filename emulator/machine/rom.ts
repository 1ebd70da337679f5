/** The boot ROM at 0x1000, where QEMU's `virt` has it: harts can fetch from it, nothing can write it. Empty unless software is booted. */
import type { Device } from './bus';

export const ROM_START = 0x1000;
export const ROM_SIZE = 0xf000;

export class Rom implements Device {
  readonly name = 'rom';
  readonly start = ROM_START;
  readonly size = ROM_SIZE;
  /** Never written again. */
  private content = new Uint8Array(0);

  /** Puts other content in place; what it does not reach reads as zero. */
  burn(content: Uint8Array): void {
    if (content.length > ROM_SIZE) throw new Error(`a ROM image of ${content.length} bytes: at most ${ROM_SIZE} fit`);
    this.content = content.slice();
  }

  read(offset: number, size: number): bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.content[offset + i] ?? 0);
    return value;
  }

  write(): boolean {
    return false;
  }

  /** The halfword of an instruction; undefined outside of the ROM. */
  fetch(address: number): number | undefined {
    const at = address - this.start;
    if (at < 0 || at + 2 > this.size) return undefined;
    return (this.content[at] ?? 0) | ((this.content[at + 1] ?? 0) << 8);
  }

  snapshot(): unknown {
    return this.content;
  }
  restore(state: unknown): void {
    this.content = state as Uint8Array<ArrayBuffer>;
  }
}
