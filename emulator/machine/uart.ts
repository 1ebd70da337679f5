/**
 * A 16550A UART at 0x10000000, as QEMU's `virt` has it: National's PC16550D data sheet for the registers. What guest code sends leaves
 * through the outbox, a byte an event, at once: the transmitter is always empty. What comes from outside waits here, outside of
 * the receiver, until its FIFO has room, so nothing is ever lost; who puts it in logs it (monitor/system).
 * A character time-out has no time here: bytes below the trigger level are reported as timed out right away.
 */
import type { Device } from './bus';

/** A byte that guest code wrote to the UART. */
export interface UartEvent {
  readonly kind: 'uart';
  readonly byte: number;
}

export const UART_START = 0x10000000;
export const UART_SOURCE = 10;

/** Registers by offset; the first two are the divisor's while LCR.DLAB is set. */
const enum Register {
  DATA = 0,
  IER = 1,
  /** IIR when read, FCR when written. */
  IIR = 2,
  LCR = 3,
  MCR = 4,
  LSR = 5,
  MSR = 6,
  SCR = 7,
}

const enum Ier {
  RECEIVED = 1,
  TRANSMITTED = 2,
  LINE = 4,
}
const enum Iir {
  NONE = 1,
  TRANSMITTED = 2,
  RECEIVED = 4,
  LINE = 6,
  TIMED_OUT = 12,
  FIFO = 0xc0,
}
const enum Fcr {
  ENABLE = 1,
  CLEAR_RECEIVER = 2,
  CLEAR_TRANSMITTER = 4,
  /** Enable, DMA mode and trigger level stay; the clearing bits do not. */
  KEPT = 0xc9,
}
const enum Lsr {
  READY = 1,
  OVERRUN = 2,
  IDLE = 0x60,
}
const DLAB = 0x80;
const LOOP = 0x10;
/** A terminal that is there: carrier, data set ready, clear to send. */
const CONNECTED = 0xb0;
const FIFO_SIZE = 16;
const TRIGGERS = [1, 4, 8, 14];
const NOTHING = new Uint8Array(0);

/** Plain data, never written after it was made. */
interface State {
  readonly received: readonly number[];
  /** Came from outside; what is behind `taken` is not in the receiver yet. */
  readonly waiting: Uint8Array;
  readonly taken: number;
  readonly divisor: number;
  readonly ier: number;
  readonly fcr: number;
  readonly lcr: number;
  readonly mcr: number;
  readonly scr: number;
  readonly overrun: boolean;
  /** The transmitter became empty and nobody was told. */
  readonly emptied: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class Uart implements Device {
  readonly name = 'uart';
  readonly start = UART_START;
  readonly size = 0x100;
  private state: State = {
    ...{ received: [], waiting: NOTHING, taken: 0, divisor: 12, ier: 0, fcr: 0, lcr: 0, mcr: 8, scr: 0 },
    ...{ overrun: false, emptied: false },
  };

  constructor(
    private readonly emit: (event: UartEvent) => void,
    private readonly setLine: (on: boolean) => void,
  ) {}

  /** Bytes from outside; an event that whoever calls this logs with its tick. */
  input(bytes: Uint8Array): void {
    const { waiting, taken } = this.state;
    const joined = new Uint8Array(waiting.length - taken + bytes.length);
    joined.set(waiting.subarray(taken));
    joined.set(bytes, waiting.length - taken);
    this.become({ waiting: joined, taken: 0 });
  }

  /** Takes changes over, lets waiting bytes in, and sets the interrupt line. */
  private become(changes: Partial<State>): void {
    const next: Mutable<State> = { ...this.state, ...changes };
    const room = (next.fcr & Fcr.ENABLE ? FIFO_SIZE : 1) - next.received.length;
    const looped = (next.mcr & LOOP) !== 0;
    if (next.taken < next.waiting.length && room > 0 && !looped) {
      const taken = Math.min(next.waiting.length, next.taken + room);
      next.received = [...next.received, ...next.waiting.subarray(next.taken, taken)];
      next.taken = taken;
    }
    this.state = next;
    this.setLine(this.identify() !== Iir.NONE);
  }

  /** The most urgent interrupt that is enabled, as in the low bits of IIR. */
  private identify(): Iir {
    const { ier, fcr, received, overrun, emptied } = this.state;
    if (ier & Ier.LINE && overrun) return Iir.LINE;
    if (ier & Ier.RECEIVED && received.length > 0) {
      if (!(fcr & Fcr.ENABLE) || received.length >= TRIGGERS[fcr >> 6]!) return Iir.RECEIVED;
      return Iir.TIMED_OUT;
    }
    return ier & Ier.TRANSMITTED && emptied ? Iir.TRANSMITTED : Iir.NONE;
  }

  /** MSR: in loopback the modem control outputs come back. Its low half, what changed, stays 0: the terminal's lines never do. */
  private modem(): number {
    const { mcr } = this.state;
    if (!(mcr & LOOP)) return CONNECTED;
    return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
  }

  read(offset: number, size: number): bigint | undefined {
    if (size !== 1) return undefined;
    return BigInt(offset <= Register.SCR ? this.readRegister(offset) : 0);
  }

  private readRegister(register: Register): number {
    const { state } = this;
    switch (register) {
      case Register.DATA: {
        if (state.lcr & DLAB) return state.divisor & 0xff;
        const [byte, ...rest] = state.received;
        if (byte !== undefined) this.become({ received: rest });
        return byte ?? 0;
      }
      case Register.IER:
        return state.lcr & DLAB ? state.divisor >> 8 : state.ier;
      case Register.IIR: {
        const identified = this.identify();
        if (identified === Iir.TRANSMITTED) this.become({ emptied: false });
        return identified | (state.fcr & Fcr.ENABLE ? Iir.FIFO : 0);
      }
      case Register.LCR:
        return state.lcr;
      case Register.MCR:
        return state.mcr;
      case Register.LSR:
        if (state.overrun) this.become({ overrun: false });
        return Lsr.IDLE | (state.received.length > 0 ? Lsr.READY : 0) | (state.overrun ? Lsr.OVERRUN : 0);
      case Register.MSR:
        return this.modem();
      default:
        return state.scr;
    }
  }

  write(offset: number, size: number, value: bigint): boolean {
    if (size !== 1) return false;
    if (offset <= Register.SCR) this.writeRegister(offset, Number(value));
    return true;
  }

  private writeRegister(register: Register, byte: number): void {
    const { state } = this;
    const divisor = (state.lcr & DLAB) !== 0;
    switch (register) {
      case Register.DATA:
        return divisor ? this.become({ divisor: (state.divisor & 0xff00) | byte }) : this.send(byte);
      case Register.IER:
        if (divisor) return this.become({ divisor: (state.divisor & 0xff) | (byte << 8) });
        // Enabling it while the transmitter is empty asks for attention at once.
        return this.become({
          ier: byte & 15,
          ...((byte ^ state.ier) & Ier.TRANSMITTED ? { emptied: (byte & Ier.TRANSMITTED) !== 0 } : {}),
        });
      case Register.IIR:
        return this.control(byte);
      case Register.LCR:
        return this.become({ lcr: byte });
      case Register.MCR:
        return this.become({ mcr: byte & 0x1f });
      case Register.SCR:
        return this.become({ scr: byte });
      default: // LSR and MSR are read-only
    }
  }

  private send(byte: number): void {
    const { state } = this;
    if (!(state.mcr & LOOP)) {
      this.emit({ kind: 'uart', byte });
      return this.become({ emptied: true });
    }
    const full = state.received.length >= (state.fcr & Fcr.ENABLE ? FIFO_SIZE : 1);
    this.become({
      emptied: true,
      ...(full ? { overrun: true } : { received: [...state.received, byte] }),
    });
  }

  private control(byte: number): void {
    const switched = ((byte ^ this.state.fcr) & Fcr.ENABLE) !== 0;
    // Off, the other bits can't be set.
    const fcr = byte & Fcr.ENABLE ? byte & Fcr.KEPT : 0;
    this.become({
      fcr,
      ...(switched || byte & Fcr.CLEAR_RECEIVER ? { received: [] } : {}),
      ...(switched || byte & Fcr.CLEAR_TRANSMITTER ? { emptied: true } : {}),
    });
  }

  snapshot(): unknown {
    const { waiting, taken } = this.state;
    if (taken > 0) this.state = { ...this.state, waiting: waiting.slice(taken), taken: 0 };
    return this.state;
  }
  restore(state: unknown): void {
    this.state = state as State;
  }
}
