/**
 * What a hostile kernel does, one operation at a time: SBI calls, loads, stores, satp. `PortKernel` does each as the machine's TypeScript S
 * personality, through the supervisor port, and keeps what it did with what came of it; guest.ts makes S-mode code of that list.
 */
import assert from 'node:assert/strict';
import { Privilege, type Hart } from '../../../emulator/hart/types';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { MemoryFault } from '../../../emulator/machine/ports';
import type { MachineExit } from '../../../emulator/machine/types';
import { tick, va } from '../../../emulator/units';
import type { Checks } from '../../../monitor/checks';
import type { EnclaveEvent } from '../../../monitor/events';
import { createMonitor, type Monitor } from '../../../monitor/monitor';
import { SbiExtension } from '../../../monitor/abi';
import { RacingPort } from './racing';

const MIB = 1024 * 1024;
export const RAM = 64 * MIB;
/** At 100 MHz: `time` and set_timer count at 10 MHz. */
export const TICKS_PER_TIME = 10;
const SATP = 0x180;
const SCAUSE = 0x142;

export type Word = number | bigint;

export type Operation =
  | { readonly do: 'call'; readonly extension: number; readonly fid: number; readonly args: readonly Word[] }
  /** set_timer, so many ticks from now. */
  | { readonly do: 'timer'; readonly ticks: number }
  | { readonly do: 'load'; readonly address: number }
  | { readonly do: 'store'; readonly address: number; readonly value: Word }
  /** A copy of bytes, a multiple of 8 of them, to an aligned address that is known to be writable. */
  | { readonly do: 'write'; readonly address: number; readonly bytes: Uint8Array }
  | { readonly do: 'satp'; readonly value: bigint }
  /** Where a test looks at memory. */
  | { readonly do: 'mark'; readonly name: 'before' | 'after' };

/** a0 and a1 of a call; the value loaded and 0; 0 and the cause of the exception. */
export type Result = readonly [bigint, bigint];
const NOTHING: Result = [0n, 0n];

export interface Target {
  readonly machine: SoftwareMachine;
  readonly monitor: Monitor;
  readonly events: EnclaveEvent[];
  readonly port: RacingPort;
}

/** A machine with the monitor in M-mode and nothing in S-mode yet. */
export function createTarget(checks: Partial<Checks>, heard?: (event: EnclaveEvent) => void): Target {
  const machine = createMachine({ ramBytes: RAM });
  const events: EnclaveEvent[] = [];
  const port = new RacingPort(machine);
  const monitor = createMonitor(
    {
      port,
      ramSize: machine.ramSize,
      emit: heard ?? ((event) => events.push(event)),
      currentThread: () => 1,
      describe: () => ({ eid: 0x1000, pid: 1, imageHash: '' }),
      setTimer: (hart, at) => machine.setTimer(hart, tick(at)),
      ticksPerTime: TICKS_PER_TIME,
      halt: () => machine.halt(),
      seed: 1,
      checks,
    },
    machine.harts,
  );
  machine.personalities.machine = monitor;
  return { machine, monitor, events, port };
}

/** The longest that anything of these tests takes. */
export const LIMIT = 400_000_000;

const signed = (value: bigint): bigint => BigInt.asUintN(64, value);

export class PortKernel {
  readonly operations: Operation[] = [];
  readonly results: Result[] = [];
  private readonly hart: Hart;
  private pending: Operation | undefined;
  private waiting = false;
  private done: Result | undefined;
  private sliceEnd = 0;
  /** Ticks that an operation takes at least. */
  slice = 10_000;
  /** Looks at every end of a run, as at a stop in an enclave. */
  onExit: ((exit: MachineExit) => void) | undefined;

  constructor(
    readonly target: Target,
    private readonly onMark: (name: 'before' | 'after') => void,
  ) {
    const { machine } = target;
    this.hart = machine.harts[0]!;
    machine.personalities.supervisor = {
      step: (hart) => this.step(hart),
      snapshot: () => undefined,
      restore: () => undefined,
    };
    while (this.hart.privilege !== Privilege.Supervisor) machine.run(tick(machine.tick + 1));
  }

  private step(hart: Hart): number {
    if (this.waiting) {
      this.waiting = false;
      const call = this.pending?.do !== 'satp';
      this.done = call ? [hart.getX64(10), hart.getX64(11)] : [0n, BigInt(hart.scause)];
      this.pending = undefined;
    } else if (this.pending) {
      this.waiting = true;
      this.begin(hart, this.pending);
    }
    // With nothing to do it lets the slice pass in one step.
    return this.pending || this.waiting ? 1 : Math.max(1, this.sliceEnd - this.target.machine.tick);
  }

  private begin(hart: Hart, operation: Operation): void {
    hart.writeCsr(SCAUSE, 0n);
    if (operation.do === 'satp') return hart.csrWrite(SATP, operation.value);
    if (operation.do !== 'call') throw new Error(`${operation.do} needs no step`);
    for (let i = 0; i < 6; i++) hart.setX64(10 + i, signed(BigInt(operation.args[i] ?? 0)));
    hart.setX(16, operation.fid);
    hart.setX(17, operation.extension);
    hart.ecall();
  }

  /** Lets the personality do an operation and runs until it is done. */
  private perform(operation: Operation): Result {
    const { machine } = this.target;
    this.pending = operation;
    this.done = undefined;
    const end = machine.tick + LIMIT;
    while (!this.done) {
      this.sliceEnd = Math.min(end, machine.tick + this.slice);
      const exit = machine.run(tick(this.sliceEnd));
      this.onExit?.(exit);
      assert.ok(machine.tick < end, 'the kernel never got its answer');
    }
    return this.done;
  }

  private keep(operation: Operation, result: Result): Result {
    this.operations.push(operation);
    this.results.push(result);
    return result;
  }

  /** A load or store at S privilege: what it gives, or the cause of its fault. */
  private access(work: () => bigint): Result {
    try {
      return [signed(work()), 0n];
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
      return [0n, BigInt(error.cause)];
    }
  }

  private get port() {
    return this.target.machine.supervisorPort(this.hart);
  }

  sbi(extension: number, fid: number, ...args: Word[]): Result {
    const operation: Operation = { do: 'call', extension, fid, args };
    return this.keep(operation, this.perform(operation));
  }

  /** A call of the monitor's; its result as the kernel sees it. */
  call(fid: number, ...args: Word[]): number {
    const [error, value] = this.sbi(SbiExtension.PENGLAI, fid, ...args);
    return Number(BigInt.asIntN(64, error === 0n ? value : error));
  }

  timer(ticks: number): void {
    const at = Math.ceil((this.target.machine.tick + ticks) / TICKS_PER_TIME);
    const operation: Operation = { do: 'call', extension: SbiExtension.TIME, fid: 0, args: [at] };
    this.keep({ do: 'timer', ticks }, this.perform(operation));
  }

  load(address: number): Result {
    return this.keep(
      { do: 'load', address },
      this.access(() => this.port.readU64(va(address))),
    );
  }

  store(address: number, value: Word): Result {
    const work = () => (this.port.writeU64(va(address), signed(BigInt(value))), 0n);
    return this.keep({ do: 'store', address, value }, this.access(work));
  }

  write(address: number, bytes: Uint8Array): void {
    const whole = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
    whole.set(bytes);
    this.port.write(va(address), whole);
    this.keep({ do: 'write', address, bytes: whole }, NOTHING);
  }

  /** Writes satp; 0, or the cause of the exception. */
  satp(value: bigint): number {
    const operation: Operation = { do: 'satp', value };
    return Number(this.keep(operation, this.perform(operation))[1]);
  }

  mark(name: 'before' | 'after'): void {
    this.keep({ do: 'mark', name }, NOTHING);
    this.onMark(name);
  }
}
