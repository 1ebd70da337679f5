/**
 * Everything a debugger does, at random while a program is hot: stops armed, passed and taken away, watches, snapshots taken and put back,
 * states saved and loaded, code and page tables changed from outside, rights taken away for a while. On every engine in step: the
 * same exits at the same ticks, whatever was asked.
 */
import { ENGINE_NAMES, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName, MachineSnapshot, Watch, WatchKind } from '../../../emulator/machine/types';
import { NO_SPACE, pa, space, va, type Space } from '../../../emulator/units';
import { optionsOf } from './campaign';
import { DifferenceError, Lockstep } from './lockstep';
import { loopProgram, type LoopProgram } from './program';
import { Place } from './straight';
import { baseOf, frameOf, loopWorld, REGIMES, type Regime, type World } from './world';

const PAGE = 4096;
const KINDS: readonly WatchKind[] = ['read', 'write', 'access', 'change'];
const PMPCFG0 = 0x3a0;
/** A frame that no program uses. */
const SPARE = 0x80000000 + 300 * PAGE;
const NOP = 0x00000013;
const C_NOP = 0x0001;

export interface StormReport {
  ticks: number;
  readonly exits: Record<string, number>;
}

export interface StormOptions {
  readonly engines?: readonly EngineName[];
  /** Names of the actions to choose from: for finding out which one makes a difference. */
  readonly only?: readonly string[];
}

class Storm {
  readonly report: StormReport = { ticks: 0, exits: {} };
  private readonly worlds: World[] = [];
  private readonly step: Lockstep;
  private readonly program: LoopProgram;
  private readonly space: Space;
  private stops: (readonly [Space, number])[] = [];
  private watches: Watch[][] = [];
  private snapshots: MachineSnapshot[][] = [];

  constructor(
    seed: number,
    private readonly regime: Regime,
    { engines = ENGINE_NAMES, only }: StormOptions,
  ) {
    this.names = only ?? Object.keys(this.acts);
    this.program = loopProgram(seed, baseOf(regime), optionsOf(regime));
    this.step = new Lockstep(
      `storm, seed ${seed}, ${regime}`,
      seed,
      (options) => {
        const world = loopWorld(this.program, regime, {
          ...options,
          interval: seed % 3 === 0 ? 41 : 4001,
          ...(regime !== 'bare' && seed % 5 === 0 && { harts: 2, quantum: 331 }),
        });
        this.worlds.push(world);
        return world.machine;
      },
      engines,
    );
    const [{ spaces }] = this.worlds as [World];
    this.space = spaces ? space(spaces[0]!.root / PAGE) : NO_SPACE;
  }

  private get random(): Lockstep['random'] {
    return this.step.random;
  }

  run(actions: number): StormReport {
    this.snapshot();
    for (let i = 0; i < actions; i++) {
      this.act();
      this.forward();
    }
    this.step.hash();
    return this.report;
  }

  /** A run; from a stop on it goes over it, or stays where it is. */
  private forward(): void {
    const { step, random } = this;
    const before = step.tick;
    const { reason } = step.run(random.pick([1, 7, 50, 400, 3000, 20_000]));
    this.report.ticks += Math.max(0, step.tick - before);
    this.report.exits[reason] = (this.report.exits[reason] ?? 0) + 1;
    if (reason === 'halted') return this.restore(0);
    if (reason !== 'stop') return;
    if (random.once(8)) step.run(10);
    if (random.once(4)) this.disarm();
    step.each((machine) => machine.stepOverStop());
  }

  private act(): void {
    const name = this.random.pick(this.names);
    this.last.push(`${this.step.tick} ${name}`);
    this.acts[name]!();
  }

  private readonly acts: Readonly<Record<string, () => void>> = {
    arm: () => this.arm(),
    disarm: () => this.disarm(),
    watch: () => this.watch(),
    unwatch: () => this.unwatch(),
    snapshot: () => this.snapshot(),
    restore: () => this.restore(),
    save: () => this.save(),
    hash: () => void this.step.hash(),
    patch: () => this.patch(),
    remap: () => this.remap(),
    rights: () => this.withoutRights(),
    contexts: () => this.contexts(),
    hits: () => this.hits(),
    interrupt: () => this.interrupt(),
  };
  private readonly names: readonly string[];
  /** What was done, with its tick, for messages. */
  readonly last: string[] = [];

  private arm(): void {
    const { random } = this;
    // Mostly in a few places, so that there are hits; sometimes for a space that is not there.
    const address = random.pick(this.program.instructions);
    const where = random.once(5) ? space(0x12345) : this.space;
    this.step.each((machine) => machine.stops.arm(where, va(address)));
    this.stops.push([where, address]);
    if (this.stops.length > 6) this.disarm();
  }

  private disarm(): void {
    if (this.stops.length === 0) return;
    const [[where, address]] = this.stops.splice(this.random.below(this.stops.length), 1) as [[Space, number]];
    this.step.each((machine) => machine.stops.disarm(where, va(address)));
  }

  private watch(): void {
    const { random } = this;
    const address = this.program.base + Place.WINDOW + random.below(2 * PAGE);
    const [length, kind] = [random.pick([1, 4, 8, 100, PAGE]), random.pick(KINDS)];
    this.watches.push(this.step.each((machine) => machine.watches.add(this.space, va(address), length, kind)));
    if (this.watches.length > 2) this.unwatch();
  }

  private unwatch(): void {
    const [watches] = this.watches.splice(0, 1);
    if (watches) this.step.each((machine, i) => machine.watches.remove(watches[i]!));
  }

  private snapshot(): void {
    this.snapshots.push(this.step.each((machine) => machine.snapshot()));
    if (this.snapshots.length > 5) this.snapshots.splice(1 + this.random.below(4), 1);
  }

  private restore(at = this.random.below(this.snapshots.length)): void {
    const snapshots = this.snapshots[at]!;
    this.step.each((machine, i) => machine.restore(snapshots[i]!));
    this.step.compare();
  }

  /** One machine's state goes to all of them; their snapshots are good for nothing afterwards. */
  private save(): void {
    const saved = this.random.pick(this.step.sides).machine.save();
    this.step.each((machine) => machine.load(structuredClone(saved)));
    this.step.compare();
    this.snapshots = [];
    this.snapshot();
  }

  /** An instruction becomes one that does nothing, and comes back later. */
  private patch(): void {
    const { random, program, regime, step } = this;
    const address = random.pick(program.instructions);
    const offset = address - program.base;
    if (offset % PAGE > PAGE - 4) return;
    const frame = frameOf(regime, Math.floor(offset / PAGE)) + (offset % PAGE);
    const bits = new DataView(program.code.buffer).getUint16(offset, true);
    const long = (bits & 3) === 3;
    const old = step.each((machine) =>
      long ? machine.machinePort.readU32(pa(frame)) : machine.machinePort.readU16(pa(frame)),
    );
    const put = (machine: SoftwareMachine, value: number): void =>
      long ? machine.machinePort.writeU32(pa(frame), value) : machine.machinePort.writeU16(pa(frame), value);
    // What the program does with holes in it may be anything: it is taken back.
    this.snapshot();
    const taken = this.snapshots.at(-1)!;
    step.each((machine) => put(machine, long ? NOP : C_NOP));
    this.forwardOver(random.pick([100, 5000]));
    if (random.once(2)) step.each((machine, i) => put(machine, old[i]!));
    this.forwardOver(300);
    step.each((machine, i) => machine.restore(taken[i]!));
  }

  /** Runs on, over stops. */
  private forwardOver(ticks: number): void {
    const { step } = this;
    const until = step.tick + ticks;
    for (let n = 0; n < 40 && step.tick < until; n++) {
      step.each((machine) => machine.stepOverStop());
      if (step.runTo(until).reason === 'halted') return;
    }
  }

  /** A page of code moves to another frame; or loses its rights until a snapshot is put back. */
  private remap(): void {
    const { random, program, step } = this;
    const page = random.below(Math.ceil(program.code.length / PAGE));
    const address = program.base + page * PAGE;
    if (this.worlds[0]!.spaces === undefined) return;
    this.snapshot();
    const taken = this.snapshots.at(-1)!;
    const way = random.below(3);
    const from = frameOf(this.regime, page);
    step.each((machine, i) => {
      const entry = pa(this.worlds[i]!.spaces![0]!.entry(address));
      const old = machine.machinePort.readU64(entry);
      machine.machinePort.write(pa(SPARE), machine.machinePort.read(pa(from), PAGE));
      if (way === 0) machine.machinePort.writeU64(entry, (BigInt(SPARE / PAGE) << 10n) | (old & 0x3ffn));
      else if (way === 1) machine.machinePort.writeU64(entry, old & ~8n);
      else machine.machinePort.writeU64(entry, old & ~0x40n);
    });
    this.forwardOver(random.pick([50, 2000]));
    if (way !== 0 || random.once(2)) step.each((machine, i) => machine.restore(taken[i]!));
    if (way === 0) this.snapshots = [this.snapshots[0]!];
  }

  /** PMP takes rights from everything but M-mode. */
  private withoutRights(): void {
    const { random, step } = this;
    this.snapshot();
    const taken = this.snapshots.at(-1)!;
    const rights = random.pick([0x1bn, 0x1dn, 0x19n, 0x18n]);
    step.each((machine) => machine.harts[0]!.writeCsr(PMPCFG0, rights));
    this.forwardOver(random.pick([1, 40, 500]));
    if (random.once(2)) step.each((machine) => machine.harts[0]!.writeCsr(PMPCFG0, 0x1fn));
    this.forwardOver(200);
    step.each((machine, i) => machine.restore(taken[i]!));
  }

  private contexts(): void {
    const { step } = this;
    const seen: unknown[][] = step.sides.map(() => []);
    step.each((machine, i) => {
      machine.onContextChange = (change) => seen[i]!.push(change) % 3 === 0;
    });
    this.forwardOver(2000);
    step.each((machine) => (machine.onContextChange = undefined));
    step.all((machine) => seen[step.sides.findIndex((side) => side.machine === machine)]);
  }

  /** A software interrupt, from outside. */
  private interrupt(): void {
    this.step.each((machine) => machine.interrupt());
  }

  /** A stop that is hit, taken away, run past and armed again, as a conditional breakpoint is. */
  private hits(): void {
    const { step, random } = this;
    const address = random.pick(this.program.instructions);
    const until = step.tick + random.pick([300, 3000]);
    const once = random.once(2);
    for (let n = 0; n < 60 && step.tick < until; n++) {
      step.each((machine) => machine.stops.arm(this.space, va(address)));
      const { reason } = step.runTo(until);
      this.report.exits[reason] = (this.report.exits[reason] ?? 0) + 1;
      step.each((machine) => machine.stops.disarm(this.space, va(address)));
      if (reason === 'halted') return;
      if (once) step.run(1);
      else step.each((machine) => machine.stepOverStop());
    }
  }
}

/** A storm over program `seed`. @throws DifferenceError */
export function storm(seed: number, actions: number, options: StormOptions = {}): StormReport {
  const it = new Storm(seed, REGIMES[seed % REGIMES.length]!, options);
  try {
    return it.run(actions);
  } catch (error) {
    if (!(error instanceof DifferenceError)) throw error;
    throw new DifferenceError(`${error.message}; after ${it.last.slice(-6).join(', ')}`);
  }
}

/** Storms from `seed` on until a time; false when engines differed. */
export function storms(seed: number, until: number, say: (text: string) => void): boolean {
  let [count, ticks] = [0, 0];
  for (; Date.now() < until; count++)
    try {
      ticks += storm(seed + count, 60).ticks;
    } catch (error) {
      if (!(error instanceof DifferenceError)) throw error;
      say(error.message);
      return false;
    }
  say(`storms: ${count} over ${ticks} ticks, the same on every engine`);
  return true;
}
