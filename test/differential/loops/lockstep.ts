/**
 * The same machine on every engine, and once more on one that changes its engine before each run: they go through the same, and must be in
 * the same state after each step of it.
 */
import { ENGINE_NAMES, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName, MachineExit } from '../../../emulator/machine/types';
import { tick } from '../../../emulator/units';
import { Random } from '../random';
import { stateOf } from '../state';

/** Options for a machine of an engine: a translator takes code for hot when it is executed the second time. */
export const optionsFor = (engine: EngineName): { readonly engine: EngineName; readonly hotness: number } => ({
  engine,
  hotness: 2,
});

export interface Side {
  readonly name: string;
  readonly machine: SoftwareMachine;
}

const nameOf = (index: number): string =>
  index < 64 ? `x${index >> 1}` : index < 128 ? `f${(index - 64) >> 1}` : index < 130 ? 'pc' : `word ${index}`;

export class DifferenceError extends Error {}

export class Lockstep {
  readonly sides: readonly Side[];
  readonly random: Random;
  private readonly mixed: SoftwareMachine;

  /** @param make called once for each side */
  constructor(
    private readonly title: string,
    seed: number,
    make: (options: { readonly engine: EngineName }) => SoftwareMachine,
    private readonly engines: readonly EngineName[] = ENGINE_NAMES,
  ) {
    this.random = new Random(seed);
    this.mixed = make(optionsFor(engines.at(-1)!));
    this.sides = [
      ...engines.map((engine) => ({ name: engine, machine: make(optionsFor(engine)) })),
      { name: 'mixed', machine: this.mixed },
    ];
  }

  get first(): SoftwareMachine {
    return this.sides[0]!.machine;
  }

  get tick(): number {
    return this.first.tick;
  }

  /** Does the same to every machine; what comes back must be the same. */
  all<T>(act: (machine: SoftwareMachine) => T): T {
    const answers = this.sides.map(({ machine }) => act(machine));
    const texts = answers.map(textOf);
    const at = texts.findIndex((text) => text !== texts[0]);
    if (at >= 0) this.fail(`${this.sides[0]!.name}: ${texts[0]}; ${this.sides[at]!.name}: ${texts[at]}`);
    return answers[0]!;
  }

  /** Does something to every machine. */
  each<T>(act: (machine: SoftwareMachine, index: number) => T): T[] {
    return this.sides.map(({ machine }, i) => act(machine, i));
  }

  /** Runs so many ticks further at most. */
  run(ticks: number): MachineExit {
    return this.runTo(this.tick + ticks);
  }

  runTo(until: number): MachineExit {
    this.mixed.useEngine(this.random.pick(this.engines));
    const exit = this.all((machine) => machine.run(tick(until)));
    this.compare();
    return exit;
  }

  /** Registers, CSRs and ticks. */
  compare(): void {
    const { sides } = this;
    const [{ machine: first }] = sides as [Side];
    for (const { name, machine } of sides.slice(1)) {
      if (machine.tick !== first.tick)
        this.fail(`${name} is at tick ${machine.tick}, ${sides[0]!.name} at ${first.tick}`);
      first.harts.forEach((hart, id) => {
        const [words, other] = [stateOf(hart), stateOf(machine.harts[id]!)];
        for (let i = 0; i < words.length; i++)
          if (words[i] !== other[i])
            this.fail(
              `hart ${id} ${nameOf(i)} is ${hex(other[i]!)} with ${name}, ${hex(words[i]!)} with ${sides[0]!.name}; ` +
                `the pc is ${hart.pc.toString(16)} and ${machine.harts[id]!.pc.toString(16)}`,
            );
      });
    }
  }

  /** Everything. */
  hash(): string {
    return this.all((machine) => machine.hash());
  }

  private fail(text: string): never {
    throw new DifferenceError(`${this.title}, tick ${this.tick}: ${text}`);
  }
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString(16) : inner)) ?? 'nothing';

const hex = (word: number): string => (word >>> 0).toString(16);
