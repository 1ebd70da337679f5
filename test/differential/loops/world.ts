/**
 * Machines that loop programs run on: U-mode behind Sv39 with a firmware in TypeScript, M-mode without translation, S-mode at kernel
 * addresses and U-mode whose exceptions are delegated to S-mode, these with handlers in guest code. Pages lie in another order in RAM
 * than in the address space. With several harts each has a space of its own, which differs from the others' in the stack alone.
 */
import type { Hart } from '../../../emulator/hart/types';
import { createMachine, type MachineOptions, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { Personality } from '../../../emulator/machine/personality';
import { MemoryFault, type SupervisorPort } from '../../../emulator/machine/ports';
import { pa, tick, va, type VirtualAddress } from '../../../emulator/units';
import { PTE, Tables } from '../../unit/machine/user';
import { handler, Save } from './handler';
import type { LoopProgram } from './program';
import { Place } from './straight';

export type Regime = 'user' | 'bare' | 'supervisor' | 'delegated';
export const REGIMES: readonly Regime[] = ['user', 'bare', 'supervisor', 'delegated'];

const RAM = 0x80000000;
const RAM_BYTES = 4 * 2 ** 20;
const PAGE = 4096;
const TABLES = RAM + 2 * 2 ** 20;
const M_HANDLER = RAM + 3 * 2 ** 20;
const M_SAVE = M_HANDLER + PAGE;
const S_HANDLER = M_SAVE + PAGE;
const S_SAVE = S_HANDLER + PAGE;
/** Where the S-mode handler and its save area are mapped. */
const S_ADDRESS = 0x40000000;
/** Everything but system calls. */
const DELEGATED = 0xb0ffn;
/** Pages from the stack of one hart to that of the next. */
const STACKS = 0x40;
const CLINT = 0x2000000;
const MTIMECMP = CLINT + 0x4000;

const BASES: Readonly<Record<Regime, number>> = {
  user: 0x10000,
  bare: RAM + 0x10000,
  supervisor: -(2 ** 38) + 0x10000,
  delegated: 0x10000,
};
/** Where the program of a regime must stand. */
export const baseOf = (regime: Regime): number => BASES[regime];

/** Bytes of the program; none where it may not read. */
function readable(user: SupervisorPort['user'], address: VirtualAddress, count: number): Uint8Array {
  try {
    return user.read(address, count);
  } catch (error) {
    if (error instanceof MemoryFault) return new Uint8Array(0);
    throw error;
  }
}

const mixed = (seen: number, value: number): number => (Math.imul(seen, 33) + value) | 0;

interface Seen {
  readonly output: readonly number[];
  /** What exceptions there were, as one number. */
  readonly traps: number;
  readonly ended: boolean;
}

/** write and exit; after any exception the program goes on behind the instruction. */
export class SkippingFirmware implements Personality {
  private seen: Seen = { output: [], traps: 0, ended: false };

  /** @param interval ticks between timer interrupts */
  constructor(
    private readonly machine: SoftwareMachine,
    private readonly interval: number,
  ) {}

  get output(): readonly number[] {
    return this.seen.output;
  }

  step(hart: Hart): number {
    const { user } = this.machine.supervisorPort(hart);
    if (hart.mcauseIsInterrupt) {
      if (hart.mcause === 3) hart.setPending(3, false);
      else this.machine.setTimer(hart, tick(this.machine.timer(hart) + this.interval));
      hart.mret();
      return 2;
    }
    if (hart.mcause !== 8) {
      const length = (readable(user, hart.mepc, 1)[0] ?? 3) % 4 === 3 ? 4 : 2;
      const { traps } = this.seen;
      this.seen = { ...this.seen, traps: [hart.mcause, hart.mepc, hart.mtval].reduce(mixed, traps) };
      hart.mepc = va(hart.mepc + length);
      hart.mret();
      return 3;
    }
    hart.mepc = va(hart.mepc + 4);
    if (hart.getX(17) === 93) {
      this.seen = { ...this.seen, ended: true };
      this.machine.halt();
      return 1;
    }
    if (hart.getX(17) === 63) return this.read(hart, user);
    const count = hart.getX(17) === 64 ? hart.getX(12) : 0;
    const bytes = readable(user, va(hart.getX(11)), count);
    this.seen = { ...this.seen, output: [...this.seen.output, ...bytes] };
    hart.setX(10, count);
    hart.mret();
    return 10;
  }

  /** The 32 bits in a2 go where a1 says. */
  private read(hart: Hart, user: SupervisorPort['user']): number {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, hart.getX(12), true);
    try {
      user.write(va(hart.getX(11)), bytes);
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
    }
    hart.setX(10, bytes.length);
    hart.mret();
    return 10;
  }

  snapshot(): unknown {
    return this.seen;
  }
  restore(root: unknown): void {
    this.seen = root as Seen;
  }
}

export interface WorldOptions extends Partial<MachineOptions> {
  /** Units of mtime between timer interrupts; none if absent. */
  readonly interval?: number;
  /** The page behind the window is mapped, as in a process of QEMU. */
  readonly wholeWindow?: boolean;
}

export interface World {
  readonly machine: SoftwareMachine;
  /** The spaces of the harts; absent without translation. */
  readonly spaces: readonly Tables[] | undefined;
  readonly firmware: SkippingFirmware | undefined;
}

/** Where page `index` behind the base lies; harts have stacks of their own. */
export const frameOf = (regime: Regime, index: number): number =>
  regime === 'bare' ? BASES.bare + index * PAGE : RAM + PAGE * (1 + ((index * 37) % 251));

/** A machine about to execute a program that was made for the base of this regime. */
export function loopWorld(program: LoopProgram, regime: Regime, options: WorldOptions = {}): World {
  const { interval, wholeWindow = false, ...rest } = options;
  const machine = createMachine({ ramBytes: RAM_BYTES, ...rest });
  const port = machine.machinePort;
  const put = (place: number, bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += PAGE)
      port.write(pa(frameOf(regime, (place + at) / PAGE)), bytes.subarray(at, at + PAGE));
  };
  put(Place.CODE, program.code);
  put(Place.WINDOW, program.data);
  if (program.functions) put(Place.FUNCTIONS, program.functions);
  port.write(pa(M_HANDLER), handler(M_HANDLER, 'm'));
  const spaces =
    regime === 'bare' ? undefined : machine.harts.map(({ id }) => mapped(machine, program, regime, id, wholeWindow));
  const firmware = regime === 'user' ? new SkippingFirmware(machine, 10 * (interval ?? 0)) : undefined;
  if (firmware) machine.personalities.machine = firmware;
  if (regime === 'delegated') port.write(pa(S_HANDLER), handler(S_ADDRESS, 's'));
  for (const hart of machine.harts) {
    const save = M_SAVE + Save.BYTES * hart.id;
    port.writeU64(pa(save + Save.INTERVAL), BigInt(interval ?? 0));
    hart.writeCsr(0x305, BigInt(M_HANDLER));
    hart.writeCsr(0x340, BigInt(save));
    hart.writeCsr(0x306, 7n);
    hart.writeCsr(0x106, 7n);
    // Cache-block operations: all may in M-mode, only some below.
    hart.writeCsr(0x30a, 0xb0n);
    hart.writeCsr(0x10a, 0xf0n);
    if (interval !== undefined) {
      port.writeU64(pa(MTIMECMP + 8 * hart.id), BigInt(interval));
      hart.writeCsr(0x304, (1n << 7n) | (1n << 3n));
    }
    enter(hart, regime, spaces?.[hart.id], program.base);
  }
  return { machine, spaces, firmware };
}

/** The space of a hart. */
function mapped(
  machine: SoftwareMachine,
  program: LoopProgram,
  regime: Regime,
  hart: number,
  wholeWindow: boolean,
): Tables {
  const tables = new Tables(machine, TABLES + hart * 0x10000);
  const rights = PTE.V | PTE.R | PTE.W | (regime === 'supervisor' ? 0 : PTE.U);
  const { base } = program;
  for (let at = 0; at < program.code.length; at += PAGE)
    tables.map(base + at, frameOf(regime, at / PAGE), rights | PTE.X);
  for (let at: number = Place.WINDOW; at < Place.END; at += PAGE)
    if (wholeWindow || at !== Place.WINDOW + 2 * PAGE)
      tables.map(base + at, frameOf(regime, at / PAGE + (at >= Place.STACK ? STACKS * hart : 0)), rights);
  if (program.functions) mapMore(tables, program, regime, rights);
  if (regime === 'delegated') {
    tables.map(S_ADDRESS, S_HANDLER, PTE.V | PTE.R | PTE.X);
    tables.map(S_ADDRESS + PAGE, S_SAVE + PAGE * hart, PTE.V | PTE.R | PTE.W);
  }
  return tables;
}

/** The places of programs that change their spaces. */
function mapMore(tables: Tables, { base, code }: LoopProgram, regime: Regime, rights: number): void {
  for (let at = 0; at < code.length; at += PAGE)
    tables.map(base + Place.ALIAS + at, frameOf(regime, at / PAGE), rights);
  const table = tables.entry(base);
  tables.map(base + Place.TABLE, table - (table % PAGE), rights);
  tables.map(base + Place.CLOCK, CLINT + 0xb000, rights);
  tables.map(base + Place.VIEW, frameOf(regime, Place.WINDOW / PAGE), rights);
  for (const at of [0, PAGE])
    tables.map(base + Place.FUNCTIONS + at, frameOf(regime, (Place.FUNCTIONS + at) / PAGE), rights | PTE.X);
  const far = tables.entry(base + Place.FAR);
  tables.map(base + Place.FAR, frameOf(regime, Place.FAR_TABLE / PAGE), rights);
  tables.map(base + Place.FAR_TABLE, far - (far % PAGE), rights);
  tables.map(base + Place.TURN, frameOf(regime, Place.FUNCTIONS / PAGE), rights | PTE.X);
}

function enter(hart: SoftwareMachine['harts'][number], regime: Regime, tables: Tables | undefined, base: number): void {
  // PMP open, FS Initial.
  hart.writeCsr(0x3b0, (1n << 54n) - 1n);
  hart.writeCsr(0x3a0, 0x1fn);
  if (tables) hart.writeCsr(0x180, tables.satp);
  const level = { user: 0n, bare: 3n, supervisor: 1n, delegated: 0n }[regime];
  if (regime === 'delegated') {
    hart.writeCsr(0x302, DELEGATED);
    hart.writeCsr(0x105, BigInt(S_ADDRESS));
    hart.writeCsr(0x140, BigInt(S_ADDRESS + PAGE));
  }
  // SUM, FS, MPP, MPIE.
  hart.writeCsr(0x300, (1n << 18n) | (1n << 13n) | (level << 11n) | (1n << 7n));
  hart.mepc = va(base);
  hart.mret();
}
