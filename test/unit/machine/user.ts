/**
 * A machine with user pages behind Sv39 and an M personality that knows two system calls, write and exit: enough to run a program
 * without an operating system.
 */
import type { Hart } from '../../../emulator/hart/types';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { Personality } from '../../../emulator/machine/personality';
import { pa, va } from '../../../emulator/units';
import { engineUnderTest } from '../engine/engines';

const RAM = 0x80000000;
export const PTE = { V: 1, R: 2, W: 4, X: 8, U: 16, G: 32, A: 64, D: 128 } as const;

/** Builds page tables in the machine's RAM from `base` upward. */
export class Tables {
  private next: number;
  readonly root: number;

  constructor(
    private readonly machine: SoftwareMachine,
    base: number,
  ) {
    this.root = base;
    this.next = base + 4096;
  }

  get satp(): bigint {
    return (8n << 60n) | BigInt(this.root / 4096);
  }

  /** Physical address of the entry for an address at a level, tables on the way made. */
  entry(address: number, level = 0): number {
    let table = this.root;
    for (let at = 2; at > level; at--) {
      const entry = table + 8 * (Math.floor(address / 2 ** (12 + 9 * at)) & 511);
      const old = this.machine.machinePort.readU64(pa(entry));
      if (old & 1n) table = Number(old >> 10n) * 4096;
      else {
        table = this.next;
        this.next += 4096;
        this.machine.machinePort.writeU64(pa(entry), (BigInt(table / 4096) << 10n) | 1n);
      }
    }
    return table + 8 * (Math.floor(address / 2 ** (12 + 9 * level)) & 511);
  }

  map(address: number, physical: number, flags: number, level = 0): void {
    this.machine.machinePort.writeU64(
      pa(this.entry(address, level)),
      (BigInt(Math.floor(physical / 4096)) << 10n) | BigInt(flags),
    );
  }
}

/** write(1, …) and exit, as Linux numbers them; anything else halts with a note. */
export class TinyFirmware implements Personality {
  private state: { readonly output: readonly number[]; readonly ended: string } = { output: [], ended: '' };

  constructor(private readonly machine: SoftwareMachine) {}

  get output(): readonly number[] {
    return this.state.output;
  }
  get ended(): string {
    return this.state.ended;
  }

  step(hart: Hart): number {
    if (hart.mcauseIsInterrupt || hart.mcause !== 8)
      return this.end(`cause ${hart.mcause} at ${hart.mepc.toString(16)}`);
    hart.mepc = va(hart.mepc + 4);
    if (hart.getX(17) === 93) return this.end(`exit ${hart.getX(10)}`);
    if (hart.getX(17) !== 64) return this.end(`system call ${hart.getX(17)}`);
    const bytes = this.machine.supervisorPort(hart).user.read(va(hart.getX(11)), hart.getX(12));
    this.state = { ...this.state, output: [...this.state.output, ...bytes] };
    hart.setX(10, hart.getX(12));
    hart.mret();
    return 10;
  }

  private end(why: string): number {
    this.state = { ...this.state, ended: why };
    this.machine.halt();
    return 1;
  }

  snapshot(): unknown {
    return this.state;
  }
  restore(root: unknown): void {
    this.state = root as typeof this.state;
  }
}

export interface UserMachine {
  readonly machine: SoftwareMachine;
  readonly firmware: TinyFirmware;
  readonly tables: Tables;
}

/** RAM of 4 MiB, page tables at its third MiB, PMP open, hart 0 about to run user code at `entry`. */
export function userMachine(entry: number, ramBytes = 4 * 2 ** 20): UserMachine {
  const machine = createMachine({ ramBytes, ...engineUnderTest() });
  const firmware = new TinyFirmware(machine);
  machine.personalities.machine = firmware;
  const tables = new Tables(machine, RAM + 2 * 2 ** 20);
  const hart = machine.harts[0]!;
  hart.writeCsr(0x3b0, (1n << 54n) - 1n);
  hart.writeCsr(0x3a0, 0x1fn);
  hart.writeCsr(0x180, tables.satp);
  hart.writeCsr(0x300, 1n << 13n); // FS Initial, MPP = U
  hart.mepc = va(entry);
  hart.mret();
  return { machine, firmware, tables };
}

/** Maps bytes at a user address, each page to a frame far from its neighbours'. Page numbers must differ modulo 509. */
export function loadUser({ machine, tables }: UserMachine, address: number, bytes: Uint8Array, flags: number): void {
  for (let at = 0; at < bytes.length; at += 4096) {
    const frame = RAM + 4096 * ((((address + at) / 4096) * 37) % 509);
    tables.map(address + at, frame, flags);
    machine.machinePort.write(pa(frame), bytes.subarray(at, Math.min(at + 4096, bytes.length)));
  }
}
