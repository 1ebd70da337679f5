/**
 * One image of random programs on every engine: runs cut at the same random ticks must be in the same state at each cut, and a run that
 * changes its engine at each cut must be where a run on one engine is.
 */
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import { tick } from '../../emulator/units';
import { layOut } from './batch';
import { runsInPrograms } from './instructions';
import { OurMachine, type Regime } from './oracles';
import { ProgramMaker } from './program';
import { Random } from './random';
import { stateOf } from './state';

export interface CutReport {
  cuts: number;
  ticks: number;
  readonly problems: string[];
}

/** Most ticks between two cuts; most of them are much closer. */
const FAR = 500;

/** Runs `programs` random programs cut at random ticks. */
export function cutPrograms(seed: number, programs: number, regime: Regime): CutReport {
  const maker = new ProgramMaker(runsInPrograms);
  const random = new Random(seed);
  const image = layOut(Array.from({ length: programs }, (_, i) => maker.make(seed * 1000 + i)));
  const machines = ENGINE_NAMES.map((engine) => new OurMachine({ engine, hotness: 1 }, regime, engine).prepare(image));
  const changing = new OurMachine({ hotness: 1 }, regime, 'changing').prepare(image);
  const report: CutReport = { cuts: 0, ticks: 0, problems: [] };
  for (;;) {
    const until = tick(changing.tick + (random.once(4) ? random.between(1, FAR) : random.between(1, 40)));
    const engine = random.pick(ENGINE_NAMES);
    changing.useEngine(engine);
    const ends = [...machines, changing].map((machine) => machine.run(until).reason);
    report.cuts++;
    const states = [...machines, changing].map((machine) => `${machine.tick} ${stateOf(machine.harts[0]!).join()}`);
    // Memory is looked at now and then: registers would tell soon.
    if (random.once(200) || ends[0] !== 'until')
      [...machines, changing].forEach((machine, i) => (states[i] += machine.hash()));
    states.forEach((state, i) => {
      if (state === states[0] && ends[i] === ends[0]) return;
      const name = ENGINE_NAMES[i] ?? `a change to ${engine}`;
      report.problems.push(`seed ${seed}, ${regime}: ${name} differs at tick ${until} (cut ${report.cuts})`);
    });
    report.ticks = changing.tick;
    if (report.problems.length > 0 || ends[0] !== 'until') return report;
  }
}
