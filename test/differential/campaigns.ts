/** The two campaigns that run programs on oracles: corner cases of each row, and random programs. */
import type { Program } from './batch';
import type { Case } from './cases';
import { compare, describe } from './compare';
import { deviates, excused } from './deviations';
import { instructionPrograms, type CaseOptions } from './instructions';
import type { Shape } from './kinds';
import { minimise, report } from './minimise';
import type { Oracle } from './oracles';
import { ProgramMaker } from './program';

export interface Outcome {
  programs: number;
  /** Instructions in the programs' code, or corner cases. */
  instructions: number;
  /** What differed, as text. */
  readonly differences: string[];
}

/** Programs in one image. */
const BATCH = 250;
const MOST_REPORTED = 10;

/** Corner cases of rows; not those that one of the oracles is known to get wrong. */
export function compareInstructions(
  shapes: Iterable<Shape>,
  oracles: readonly Oracle[],
  seed: number,
  options: Omit<CaseOptions, 'without'> = {},
): Outcome {
  const without = (made: Case): boolean => oracles.some(({ name }) => excused(made, name));
  const programs = instructionPrograms([...shapes], seed, { ...options, without });
  const outcome: Outcome = { programs: programs.length, instructions: 0, differences: [] };
  for (const { cases } of programs) outcome.instructions += cases.length;
  for (let from = 0; from < programs.length; from += BATCH)
    for (const difference of compare(programs.slice(from, from + BATCH), oracles))
      outcome.differences.push(describe(difference));
  outcome.differences.splice(MOST_REPORTED);
  return outcome;
}

export interface RandomOptions {
  readonly seed: number;
  /** Programs to make at most. */
  readonly programs: number;
  /** No new image is begun after this time (Date.now()). */
  readonly until?: number;
  readonly progress?: (outcome: Outcome) => void;
}

/** Random programs of all these rows; the first differences are made small. */
export function compareRandom(shapes: ReadonlySet<Shape>, oracles: readonly Oracle[], options: RandomOptions): Outcome {
  const usable = (shape: Shape): boolean => shapes.has(shape) && !oracles.some(({ name }) => deviates(shape, name));
  const maker = new ProgramMaker(usable);
  const outcome: Outcome = { programs: 0, instructions: 0, differences: [] };
  while (outcome.programs < options.programs && Date.now() < (options.until ?? Infinity)) {
    const first = options.seed + outcome.programs;
    const count = Math.min(BATCH, options.programs - outcome.programs);
    const programs = Array.from({ length: count }, (_, i): Program => maker.make(first + i));
    for (const difference of compare(programs, oracles).slice(0, MOST_REPORTED - outcome.differences.length)) {
      const small = minimise(difference);
      outcome.differences.push(small ? report(small) : `${describe(difference)} (only together with other programs)`);
    }
    outcome.programs += count;
    for (const { items } of programs) outcome.instructions += items.length;
    options.progress?.(outcome);
    if (outcome.differences.length >= MOST_REPORTED) break;
  }
  return outcome;
}
