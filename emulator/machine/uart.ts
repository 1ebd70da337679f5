/**
 * A 16550 UART at 0x10000000 that only transmits: what guest firmware prints leaves through the outbox, a byte an event. Always ready;
 * nothing is ever received; no interrupts.
 */
import type { Device } from './bus';

/** A byte that guest code wrote to the UART. */
export interface UartEvent {
  readonly kind: 'uart';
  readonly byte: number;
}

/** Line status: transmitter empty, holding register empty. */
const LSR_IDLE = 0x60n;
const LCR_DLAB = 0x80;

export class Uart implements Device {
  readonly name = 'uart';
  readonly start = 0x10000000;
  readonly size = 0x100;
  private registers: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];

  constructor(private readonly emit: (event: UartEvent) => void) {}

  read(offset: number, size: number): bigint | undefined {
    if (size !== 1 || offset > 7) return undefined;
    if (offset === 5) return LSR_IDLE;
    if (offset === 0) return 0n;
    // No interrupt is pending (IIR bit 0).
    return offset === 2 ? 1n : BigInt(this.registers[offset]!);
  }

  write(offset: number, size: number, value: bigint): boolean {
    if (size !== 1 || offset > 7) return false;
    const byte = Number(value);
    const divisor = (this.registers[3]! & LCR_DLAB) !== 0;
    if (offset === 0 && !divisor) this.emit({ kind: 'uart', byte });
    else if (!(offset < 2 && divisor)) this.registers = this.registers.with(offset, byte);
    return true;
  }

  snapshot(): unknown {
    return this.registers;
  }
  restore(state: unknown): void {
    this.registers = state as readonly number[];
  }
}
