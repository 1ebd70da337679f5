/**
 * User memory as the kernel touches it: through the supervisor port with SUM, after checking that the address is a user's. Without
 * that check a system call could be made to read the kernel's own memory. Every access throws `MemoryFault` before any effect.
 */
import { Cause } from '../../hart/types';
import { MemoryFault, type SupervisorPort } from '../../machine/ports';
import { PAGE_SIZE, va, type VirtualAddress } from '../../units';
import { USER_TOP } from './layout';

type UserPort = SupervisorPort['user'];

export class UserMemory implements UserPort {
  /** End of the access that was begun last: how far paging in for it should go. */
  end = 0;
  /** An access lay outside of user space: paging in can't help. */
  outside = false;

  constructor(private readonly port: () => UserPort) {}

  reset(): void {
    this.end = 0;
    this.outside = false;
  }

  private check(address: number, length: number, write: boolean): UserPort {
    this.end = address + length;
    if (!(address >= 0 && length >= 0 && address + length <= USER_TOP)) {
      this.outside = true;
      throw new MemoryFault(write ? Cause.StorePageFault : Cause.LoadPageFault, address);
    }
    return this.port();
  }

  read(address: number, length: number): Uint8Array {
    const port = this.check(address, length, false);
    return length === 0 ? new Uint8Array(0) : port.read(va(address), length);
  }
  write(address: number, bytes: Uint8Array): void {
    const port = this.check(address, bytes.length, true);
    if (bytes.length > 0) port.write(va(address), bytes);
  }
  fill(address: number, length: number, byte: number): void {
    const port = this.check(address, length, true);
    if (length > 0) port.fill(va(address), length, byte);
  }
  probe(address: number, length: number, access: 'read' | 'write'): void {
    const port = this.check(address, length, access === 'write');
    if (length > 0) port.probe(va(address), length, access);
  }
  readU8(address: VirtualAddress | number): number {
    return this.check(address, 1, false).readU8(va(address));
  }
  readU16(address: VirtualAddress | number): number {
    return this.check(address, 2, false).readU16(va(address));
  }
  readU32(address: VirtualAddress | number): number {
    return this.check(address, 4, false).readU32(va(address));
  }
  readI32(address: VirtualAddress | number): number {
    return this.check(address, 4, false).readI32(va(address));
  }
  readI64(address: VirtualAddress | number): number {
    return this.check(address, 8, false).readI64(va(address));
  }
  readU64(address: VirtualAddress | number): bigint {
    return this.check(address, 8, false).readU64(va(address));
  }
  writeU8(address: VirtualAddress | number, value: number): void {
    this.check(address, 1, true).writeU8(va(address), value);
  }
  writeU16(address: VirtualAddress | number, value: number): void {
    this.check(address, 2, true).writeU16(va(address), value);
  }
  writeU32(address: VirtualAddress | number, value: number): void {
    this.check(address, 4, true).writeU32(va(address), value);
  }
  writeI64(address: VirtualAddress | number, value: number): void {
    this.check(address, 8, true).writeI64(va(address), value);
  }
  writeU64(address: VirtualAddress | number, value: bigint): void {
    this.check(address, 8, true).writeU64(va(address), value);
  }

  /** A NUL-terminated string of at most `limit` bytes, undefined when it is longer. */
  string(address: number, limit: number): string | undefined {
    const bytes = this.terminated(address, limit);
    return bytes && new TextDecoder().decode(bytes);
  }

  /** The bytes before the first NUL, undefined when there are more than `limit`. */
  terminated(address: number, limit: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (let at = address; at - address < limit;) {
      const count = Math.min(limit - (at - address), PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE));
      const bytes = this.read(at, count);
      const end = bytes.indexOf(0);
      parts.push(end < 0 ? bytes : bytes.subarray(0, end));
      if (end >= 0) return joined(parts);
      at += count;
    }
    return undefined;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!.slice();
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
