/** No step of a personality is longer than some milliseconds of the machine: what waits for it would wait too long. */
import type { Personality } from '../../../emulator/machine/personality';
import type { Machine } from '../../../emulator/machine/types';
import type { Tally } from '../tally';
import { must } from './memory';

/** In ticks of 10 ns. */
const LIMIT = 400_000;

export function boundSteps(machine: Machine, tally: Tally): void {
  const bounded = (who: string, inner: Personality): Personality => ({
    step(hart) {
      const cost = inner.step(hart);
      tally.longest.step = Math.max(tally.longest.step, cost);
      must(cost <= LIMIT, () => `a step of the ${who} took ${cost} ticks`);
      return cost;
    },
    snapshot: () => inner.snapshot(),
    restore: (root) => inner.restore(root),
  });
  const { machine: monitor, supervisor } = machine.personalities;
  machine.personalities.machine = bounded('monitor', monitor!);
  // A kernel of tests lets time pass in one step.
  if (supervisor?.snapshot() !== undefined) machine.personalities.supervisor = bounded('host OS', supervisor);
}
