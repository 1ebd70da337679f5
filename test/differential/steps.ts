/** Many single steps of every row on one engine, against the rows' trees (single.ts). */
import { disassemble } from '../../emulator/isa/disassemble';
import type { EngineName } from '../../emulator/machine/types';
import { SHAPES } from './kinds';
import { Random } from './random';
import { byTheRow, ramBefore, randomStart, Stepper, steps, withCode } from './single';

export interface StepReport {
  steps: number;
  exceptions: number;
  readonly problems: string[];
}

const MOST_REPORTED = 10;

/** `each` steps of each row. */
export function stepRows(engine: EngineName, seed: number, each: number): StepReport {
  const random = new Random(seed);
  const ram = ramBefore(random);
  const stepper = new Stepper(engine, ram);
  const report: StepReport = { steps: 0, exceptions: 0, problems: [] };
  for (const shape of SHAPES.filter(steps))
    for (let i = 0; i < each && report.problems.length < MOST_REPORTED; i++) {
      const start = randomStart(shape, random);
      if (start === undefined) continue;
      const expected = withCode(ram, start);
      const row = byTheRow(start, expected);
      if (row === undefined) continue;
      const { after, memory } = stepper.step(start);
      report.steps++;
      if (row['trap'] !== 'none') report.exceptions++;
      const wrong = Object.keys(row).filter((name) => row[name] !== after[name]);
      if (Buffer.compare(memory, expected) !== 0) wrong.push('memory');
      if (wrong.length === 0) continue;
      const what = wrong.map((name) => `${name}: ${row[name] ?? ''} by the row, ${after[name] ?? ''} on the engine`);
      const title = `${disassemble(start.bits, start.pc).text} at ${start.pc.toString(16)} (seed ${seed}, ${i})`;
      report.problems.push(`${engine}, ${title}: ${what.join('; ')}`);
    }
  return report;
}
