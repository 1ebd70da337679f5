/** A machine that runs a piece of assembly in M-mode, for tests of instructions. */
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { pa, tick, va } from '../../../emulator/units';
import { assemble, type Program } from '../assembler';
import { engineUnderTest } from './engines';

export const ORIGIN = 0x80000000;
/** A scratch area that programs may use. */
export const DATA = 0x80004000;

export interface Bare {
  readonly machine: SoftwareMachine;
  readonly program: Program;
  readonly x: (index: number) => bigint;
  /** Runs this many ticks more. */
  readonly run: (ticks: number) => void;
}

/** mstatus.FS is Initial; mtvec points behind the program, where an endless loop stands. */
export function bare(source: string, x: Readonly<Record<number, bigint>> = {}): Bare {
  const machine = createMachine({ ramBytes: 2 ** 20, ...engineUnderTest() });
  const program = assemble(ORIGIN, source);
  machine.machinePort.write(pa(ORIGIN), program.bytes);
  machine.machinePort.writeU32(pa(TRAP), 0x0000006f);
  const hart = machine.harts[0]!;
  hart.writeCsr(0x305, BigInt(TRAP));
  hart.writeCsr(0x300, 1n << 13n);
  hart.pc = va(ORIGIN);
  for (const [index, value] of Object.entries(x)) hart.setX64(Number(index), value);
  return {
    machine,
    program,
    x: (index) => hart.getX64(index),
    run: (ticks) => {
      machine.run(tick(machine.tick + ticks));
    },
  };
}

/** Where traps of `bare` programs go: an endless loop. */
export const TRAP = 0x80003000;
