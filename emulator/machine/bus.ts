/**
 * The devices beside RAM: who answers at which physical address. Accesses are of 1, 2, 4 or 8 bytes, naturally aligned; everything
 * else, and every address nobody answers for, is an access fault of the hart.
 */

export interface Device {
  readonly name: string;
  readonly start: number;
  readonly size: number;
  /** Value at an offset, unsigned; undefined when the device refuses the access. */
  read(offset: number, size: number): bigint | undefined;
  /** False when the device refuses the access. */
  write(offset: number, size: number, value: bigint): boolean;
  /** Plain data; part of the machine's state. */
  snapshot(): unknown;
  restore(state: unknown): void;
}

export class Bus {
  constructor(readonly devices: readonly Device[]) {}

  private find(address: number, size: number): Device | undefined {
    if (address % size !== 0) return undefined;
    return this.devices.find((device) => address >= device.start && address + size <= device.start + device.size);
  }

  read(address: number, size: number): bigint | undefined {
    const device = this.find(address, size);
    return device?.read(address - device.start, size);
  }

  write(address: number, size: number, value: bigint): boolean {
    const device = this.find(address, size);
    return device !== undefined && device.write(address - device.start, size, value);
  }
}
