/** One workload on our machine, composed as the debugger composes it: host OS, monitor and driver, the program behind Sv39 and PMP. */
import type { Translated } from '../../emulator/engine/types';
import { hasFused } from '../../emulator/engine/wasm/fused';
import type { Personality } from '../../emulator/machine/personality';
import type { EngineName } from '../../emulator/machine/types';
import { tick } from '../../emulator/units';
import { Recording } from '../../monitor/system/recording';
import { createSystem } from '../../monitor/system/system';
import type { LaunchDescription, System } from '../../monitor/system/types';

/** Ticks between two looks at the outside, about as a session takes them. */
const SLICE = 1_000_000;

export interface MachineRun {
  readonly rounds: number;
  /** Arguments of the program instead of the number of rounds. */
  readonly args?: readonly string[];
  /** The engine of the machine; its usual one when absent. */
  readonly engine?: EngineName;
  /** Snapshots are taken and kept as a recording session does. */
  readonly recording?: boolean;
}

export interface MachineResult {
  readonly output: string;
  readonly engine: EngineName;
  readonly exitStatus: number | undefined;
  /** Instructions of the guest: all ticks but those of personalities. */
  readonly instructions: number;
  /** Pages of RAM written since power-on. */
  readonly dirtyPages: number;
  readonly snapshots: number;
  readonly translated: Translated | undefined;
  /** This runtime multiplies and adds with one rounding. */
  readonly fused: boolean;
}

/** A run that goes on a slice at each step. */
export type Slices = Generator<void, MachineResult>;

/** Puts a machine together; what comes back runs it, and throws an Error when it comes to rest before its end. */
export function prepare(image: Uint8Array, run: MachineRun): Slices {
  const { rounds, args = [String(rounds)], engine, recording = false } = run;
  const launch: LaunchDescription = {
    program: '/root/workload',
    args,
    files: [{ path: '/root/workload', bytes: image, mode: 0o755 }],
  };
  const system = createSystem(launch);
  if (engine !== undefined) system.machine.useEngine(engine);
  let theirs = 0;
  const counted = (personality: Personality): Personality => ({
    step(hart) {
      const cost = personality.step(hart);
      theirs += cost;
      return cost;
    },
    snapshot: () => personality.snapshot(),
    restore: (root) => personality.restore(root),
  });
  const { personalities } = system.machine;
  personalities.machine = counted(personalities.machine!);
  personalities.supervisor = counted(personalities.supervisor!);

  return (function* () {
    const { output, snapshots } = yield* slices(system, recording);
    return {
      output,
      engine: system.machine.engineName,
      exitStatus: system.exitStatus,
      instructions: system.tick - theirs,
      dirtyPages: system.machine.dirtyPages,
      snapshots,
      translated: system.machine.translated,
      fused: hasFused(),
    };
  })();
}

function* slices(system: System, recording: boolean): Generator<void, { output: string; snapshots: number }> {
  const record = recording ? new Recording(system) : undefined;
  const decoder = new TextDecoder();
  let output = '';
  for (;;) {
    const { reason } = system.run(tick(system.tick + SLICE));
    for (const event of system.drain())
      if (event.kind === 'output') output += decoder.decode(event.bytes, { stream: true });
    if (reason === 'halted') break;
    if (reason !== 'until') throw new Error(`the machine came to rest: ${reason}`);
    record?.look();
    yield;
  }
  return { output, snapshots: record?.snapshots.length ?? 0 };
}

/** All slices at once. */
export function toTheEnd(run: Slices): MachineResult {
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

export const runOnMachine = (image: Uint8Array, run: MachineRun): MachineResult => toTheEnd(prepare(image, run));
