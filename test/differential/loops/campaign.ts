/** What is done with loop programs: in step on every engine, cut at random ticks; and from start to end against qemu-riscv64. */
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import { runsInPrograms } from '../instructions';
import type { Shape } from '../kinds';
import { DifferenceError, Lockstep } from './lockstep';
import { loopProgram, MOST_TICKS } from './program';
import { LoopsInQemu } from './qemu';
import type { Options } from './straight';
import { baseOf, loopWorld, REGIMES, type Regime } from './world';

export interface Cuts {
  /** Ticks between two looks, at most. */
  readonly far: number;
  /** Units of mtime between timer interrupts. */
  readonly interval?: number;
  readonly harts?: number;
  readonly quantum?: number;
}

const CUTS: readonly Cuts[] = [
  { far: 30 }, { far: 300 }, { far: 3000 }, { far: 50_000 }, { far: 3000, interval: 37 }, { far: 3000, interval: 4 },
  { far: 2000, harts: 2, quantum: 97 }, { far: 2000, harts: 3, quantum: 1009, interval: 101 },
]; // prettier-ignore

/** How programs of a regime are made for engines in step. */
export const optionsOf = (regime: Regime, without?: ReadonlySet<number>): Options => ({
  supported: runsInPrograms,
  traps: true,
  counters: true,
  machine: regime === 'bare',
  mapping: regime !== 'bare',
  ...(without && { without }),
});

export interface Ran {
  readonly ticks: number;
  readonly looks: number;
}

/** Runs program `seed` on every engine. @throws DifferenceError */
export function inStep(
  seed: number,
  regime: Regime,
  { far, ...shape }: Cuts,
  without?: ReadonlySet<number>,
  engines = ENGINE_NAMES,
): Ran {
  const program = loopProgram(seed, baseOf(regime), optionsOf(regime, without));
  const step = new Lockstep(
    `loops, seed ${seed}, ${regime}`,
    seed,
    (options) => loopWorld(program, regime, { ...options, ...shape }).machine,
    engines,
  );
  const { random } = step;
  let looks = 0;
  for (; step.tick < MOST_TICKS; looks++) {
    // Single ticks everywhere would leave the engines no time to get warm.
    const near = random.once(3) && looks < 2000;
    if (step.run(near ? random.between(1, 30) : random.between(1, looks < 2000 ? far : 50_000)).reason === 'halted')
      break;
    if (random.once(100)) step.hash();
  }
  if (step.tick >= MOST_TICKS) throw new DifferenceError(`loops, seed ${seed}, ${regime}: it does not end`);
  step.hash();
  return { ticks: step.tick, looks };
}

/** The regime and cuts of a seed. */
export function wayOf(seed: number): { readonly regime: Regime; readonly cuts: Cuts } {
  const cuts = CUTS[Math.floor(seed / REGIMES.length) % CUTS.length]!;
  // Without translation harts would share a stack.
  const regime =
    cuts.harts === undefined ? REGIMES[seed % REGIMES.length]! : REGIMES.filter((name) => name !== 'bare')[seed % 3]!;
  return { regime, cuts };
}

/** What is left of a failing program when statements are left out as long as it still fails. */
export function shrink(statements: number, fails: (without: ReadonlySet<number>) => boolean): Set<number> {
  let without = new Set<number>();
  for (let size = Math.ceil(statements / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < statements; from += size) {
      const more = new Set(without);
      for (let i = from; i < Math.min(from + size, statements); i++) more.add(i);
      if (more.size > without.size && fails(more)) without = more;
    }
  return without;
}

/** What `run` throws because engines differ. */
function differenceOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof DifferenceError) return error.message;
    throw error;
  }
}

/** A difference, and the statements that are needed for one. */
function told(text: string, statements: number, run: (without: ReadonlySet<number>) => unknown): string {
  const without = shrink(statements, (more) => differenceOf(() => run(more)) !== undefined);
  const kept = Array.from({ length: statements }, (_, i) => i).filter((i) => !without.has(i));
  return `${text}\n  with statements ${kept.join()} alone: ${differenceOf(() => run(without))}`;
}

/** Programs from `seed` on until a time: in step, and from start to end beside QEMU where there is one. False when something differed. */
export function runLoops(
  seed: number,
  until: number,
  supported: ReadonlySet<Shape> | undefined,
  say: (text: string) => void,
): boolean {
  const qemu = supported && new LoopsInQemu(supported);
  let [programs, ticks] = [0, 0];
  try {
    for (; Date.now() < until; programs++) {
      const at = seed + programs;
      const { regime, cuts } = wayOf(at);
      const stepping = differenceOf(() => (ticks += inStep(at, regime, cuts).ticks));
      if (stepping !== undefined) {
        const { statements } = loopProgram(at, baseOf(regime), optionsOf(regime));
        say(told(stepping, statements, (without) => inStep(at, regime, cuts, without)));
        return false;
      }
      const against = qemu && differenceOf(() => (ticks += qemu.compare(at)));
      if (against !== undefined) {
        say(told(against, qemu!.program(at).statements, (without) => qemu!.compare(at, without)));
        return false;
      }
    }
  } finally {
    qemu?.close();
  }
  say(`loops: ${programs} programs, ${ticks} ticks, the same on every engine${qemu ? ' and in QEMU' : ''}`);
  return true;
}
