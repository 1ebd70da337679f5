/**
 * Stands in for emulator/machine/machine.ts in bundles of the tests (engine-plugin.mjs): machines that are made without a word about their
 * engine get that of the environment, so that whole suites run on it.
 *   PENGLAI_ENGINE   an engine's name; or `mixed`: another one is taken at random ticks
 *   PENGLAI_HOTNESS  jumps after which a translator takes code for hot
 */
import {
  createMachine as create,
  ENGINE_NAMES,
  type MachineOptions,
  type SoftwareMachine,
} from '../../emulator/machine/machine';
import type { EngineName, MachineExit } from '../../emulator/machine/types';
import { tick, type Tick } from '../../emulator/units';
import { Random } from '../differential/random';

export * from '../../emulator/machine/machine';

/** Ticks between two changes of the engine, at most; the slow one gets little to do. */
const FAR = 200_000;
const FAR_WITH_SOURCE = 300;

const chosen = process.env['PENGLAI_ENGINE'];
const hotness = process.env['PENGLAI_HOTNESS'];

if (chosen !== undefined && chosen !== 'mixed' && !ENGINE_NAMES.includes(chosen as EngineName))
  throw new Error(`PENGLAI_ENGINE is ${chosen}: there are ${ENGINE_NAMES.join(', ')} and mixed`);

/** The machine's runs are made of runs of all engines. */
function mix(machine: SoftwareMachine): SoftwareMachine {
  const random = new Random(1);
  const run = machine.run.bind(machine);
  machine.run = (until: Tick): MachineExit => {
    for (;;) {
      const engine = random.pick(ENGINE_NAMES);
      machine.useEngine(engine);
      const far = engine === 'source' ? FAR_WITH_SOURCE : random.pick([50, 2000, FAR]);
      const exit = run(tick(Math.min(until, machine.tick + random.between(1, far))));
      if (exit.reason !== 'until' || machine.tick >= until) return exit;
    }
  };
  return machine;
}

export function createMachine(options: MachineOptions): SoftwareMachine {
  const given = { ...(hotness !== undefined && { hotness: Number(hotness) }), ...options };
  if (chosen === undefined || options.engine !== undefined) return create(given);
  return chosen === 'mixed' ? mix(create(given)) : create({ ...given, engine: chosen as EngineName });
}
