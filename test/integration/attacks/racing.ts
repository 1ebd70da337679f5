/**
 * The monitor's memory port with an eye on it: counts how often each byte is read, and stands for a second hart that stores somewhere the
 * moment the monitor has read a place for the first time. That store is one of S-mode: through the host's page tables and PMP.
 */
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import { MemoryFault, type MachinePort } from '../../../emulator/machine/ports';
import { PAGE_SIZE, va, type PhysicalAddress } from '../../../emulator/units';

export interface Race {
  /** The place, physical. */
  readonly watch: number;
  readonly store: { readonly address: number; readonly value: number };
}

export class RacingPort implements MachinePort {
  private race: Race | undefined;
  /** Reads of bytes inside these ranges are counted. */
  private counted: readonly (readonly [number, number])[] = [];
  readonly counts = new Map<number, number>();

  constructor(private readonly machine: SoftwareMachine) {}

  arm(race: Race | undefined): void {
    this.race = race;
  }

  /** Counts reads of these ranges (base, bytes) from now on. */
  count(ranges: readonly (readonly [number, number])[]): void {
    this.counted = ranges;
    this.counts.clear();
    for (const [base, size] of ranges) for (let at = base; at < base + size; at++) this.counts.set(at, 0);
  }

  private seen(address: number, length: number): void {
    for (const [base, size] of this.counted)
      for (let at = Math.max(base, address); at < Math.min(base + size, address + length); at++)
        this.counts.set(at, this.counts.get(at)! + 1);
    const { race, machine } = this;
    if (!race || race.watch < address || race.watch >= address + length) return;
    this.race = undefined;
    try {
      machine.supervisorPort(machine.harts[0]!).writeI64(va(race.store.address), race.store.value);
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
    }
  }

  private after<T>(address: number, length: number, result: T): T {
    this.seen(address, length);
    return result;
  }

  private get port(): MachinePort {
    return this.machine.machinePort;
  }

  untouched(page: PhysicalAddress): boolean {
    return this.after(page, PAGE_SIZE, this.port.untouched(page));
  }
  read(address: PhysicalAddress, length: number): Uint8Array {
    return this.after(address, length, this.port.read(address, length));
  }
  readU8(address: PhysicalAddress): number {
    return this.after(address, 1, this.port.readU8(address));
  }
  readU16(address: PhysicalAddress): number {
    return this.after(address, 2, this.port.readU16(address));
  }
  readU32(address: PhysicalAddress): number {
    return this.after(address, 4, this.port.readU32(address));
  }
  readI32(address: PhysicalAddress): number {
    return this.after(address, 4, this.port.readI32(address));
  }
  readI64(address: PhysicalAddress): number {
    return this.after(address, 8, this.port.readI64(address));
  }
  readU64(address: PhysicalAddress): bigint {
    return this.after(address, 8, this.port.readU64(address));
  }
  write(address: PhysicalAddress, bytes: Uint8Array): void {
    this.port.write(address, bytes);
  }
  fill(address: PhysicalAddress, length: number, byte: number): void {
    this.port.fill(address, length, byte);
  }
  writeU8(address: PhysicalAddress, value: number): void {
    this.port.writeU8(address, value);
  }
  writeU16(address: PhysicalAddress, value: number): void {
    this.port.writeU16(address, value);
  }
  writeU32(address: PhysicalAddress, value: number): void {
    this.port.writeU32(address, value);
  }
  writeI64(address: PhysicalAddress, value: number): void {
    this.port.writeI64(address, value);
  }
  writeU64(address: PhysicalAddress, value: bigint): void {
    this.port.writeU64(address, value);
  }
}
