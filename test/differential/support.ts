/** Which rows oracles can execute: found by running them, so that no list of another emulator's extensions has to be kept. */
import { layOut } from './batch';
import { instructionPrograms, runsInPrograms, type CaseProgram } from './instructions';
import { SHAPES, type Shape } from './kinds';
import type { Oracle } from './oracles';

type Probe = readonly [Shape, CaseProgram];

/** A few cases of each row in one image; an image that fails is halved until the rows at fault are alone. */
function working(probes: readonly Probe[], oracle: Oracle): Shape[] {
  if (probes.length === 0) return [];
  if (oracle.run(layOut(probes.map(([, program]) => program))).error === undefined)
    return probes.map(([shape]) => shape);
  if (probes.length === 1) return [];
  const half = probes.length >> 1;
  return [...working(probes.slice(0, half), oracle), ...working(probes.slice(half), oracle)];
}

/** Rows of user programs that all of the oracles execute. */
export function supportedBy(...oracles: readonly Oracle[]): ReadonlySet<Shape> {
  let shapes = SHAPES.filter(runsInPrograms);
  for (const oracle of oracles) {
    const probes = shapes.map((shape): Probe => [shape, instructionPrograms([shape], 1, { extra: 0, most: 1 })[0]!]);
    shapes = working(probes, oracle);
  }
  return new Set(shapes);
}
