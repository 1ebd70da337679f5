/**
 * `npm run bench -- --rare`: instructions that most hot code has not (guests/rare.c), each in a loop, on the engine and on the interpreter
 * alone, beside qemu-riscv64: nothing that a program does all the time may be slow beyond measure. A time is that of many rounds less
 * that of few, so that start-up and translation are in none.
 */
import type { EngineName } from '../../emulator/machine/types';
import type { ChildResult } from './child';
import { withPrograms } from './compiled';
import { findOpponents } from './measure';
import { timed } from './timed';

/** Rounds, in millions: so many that they take a part of a second where they are fast. */
export const CASES: Readonly<Record<string, number>> = {
  lock: 20,
  exchange: 20,
  add: 20,
  fences: 100,
  counter: 8,
  mode: 4,
  truncated: 8,
  flags: 8,
  subnormal: 16,
  misaligned: 20,
  apart: 20,
};
/** Rounds without which translated code would be no tenth of a run; the interpreter needs none. */
const FEW = 0.2;

export interface RareOptions {
  readonly engine?: EngineName;
  readonly turns: number;
  /** Names of cases; none is all. */
  readonly only: readonly string[];
}

/** Nanoseconds of CPU time per round; QEMU's are absent where it is not installed. */
export interface RareCase {
  readonly name: string;
  readonly ours: number;
  readonly interpreter: number;
  readonly qemu: number | undefined;
}

interface Timed {
  readonly seconds: number;
  readonly printed: string;
}

/** Nanoseconds of a round: by the difference of two runs, each the best of several. */
function perRound(name: string, turns: number, run: (rounds: number) => Timed): { ns: number; printed: string } {
  const many = CASES[name]! * 1e6;
  const few = many * FEW;
  let printed = '';
  const [short, long] = [few, many].map((rounds) => {
    let best = Infinity;
    for (let turn = 0; turn < turns; turn++) {
      const ran = run(rounds);
      best = Math.min(best, ran.seconds);
      printed = ran.printed;
    }
    return best;
  }) as [number, number];
  return { ns: ((long - short) / (many - few)) * 1e9, printed };
}

function measureCase(child: string, program: string, name: string, { engine, turns }: RareOptions): RareCase {
  const on =
    (chosen?: EngineName) =>
    (rounds: number): Timed => {
      const args = [name, String(rounds)];
      const run = JSON.stringify({ rounds: 0, args, ...(chosen && { engine: chosen }) });
      const { output, runSeconds } = JSON.parse(timed(process.execPath, [child, program, run]).stdout) as ChildResult;
      return { seconds: runSeconds, printed: output };
    };
  const inQemu = (rounds: number): Timed => {
    const { seconds, stdout } = timed('qemu-riscv64', [program, name, String(rounds)]);
    return { seconds, printed: stdout };
  };
  const sides = [on(engine), on('wasm'), ...(findOpponents().user ? [inQemu] : [])].map((run) =>
    perRound(name, turns, run),
  );
  const [ours, interpreter, qemu] = sides;
  for (const { printed } of sides)
    if (printed !== ours!.printed)
      throw new Error(`${name}: ${ours!.printed.trim()} here, ${printed.trim()} elsewhere`);
  return { name, ours: ours!.ns, interpreter: interpreter!.ns, qemu: qemu?.ns };
}

const cell = (text: string): string => text.padStart(15);

/** Measures and tells. Throws an Error when a program prints something else in one place than in another. */
export async function measureRare(
  child: string,
  options: RareOptions,
  say: (line: string) => void,
): Promise<{ readonly rare: readonly RareCase[] }> {
  const names = Object.keys(CASES).filter((name) => options.only.length === 0 || options.only.includes(name));
  if (names.length === 0) throw new Error(`Choose from: ${Object.keys(CASES).join(', ')}.`);
  say(`${'case'.padEnd(12)}${['ns a round', 'vs interpreter', 'vs qemu-riscv64'].map(cell).join('')}`);
  return withPrograms(async (make) => {
    const program = await make('host', 'guests/rare.c', 'rare', ['-O2']);
    const rare = names.map((name) => {
      const measured = measureCase(child, program, name, options);
      const { ours, interpreter, qemu } = measured;
      const ratios = [interpreter, qemu].map((other) => (other === undefined ? '' : `${(other / ours).toFixed(2)}x`));
      say(`${name.padEnd(12)}${[ours.toFixed(1), ...ratios].map(cell).join('')}`);
      return measured;
    });
    return { rare };
  });
}
