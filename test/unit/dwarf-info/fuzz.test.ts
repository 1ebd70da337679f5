import assert from 'node:assert/strict';
import { Program } from '../../../debug-adapter/symbols/program';
import { chaoticFrame, exercise, random } from './exercise';
import { loadTour, tourBytes, TOURS } from './tour';

const MUTANTS = Number(process.env['FUZZ_MUTANTS'] ?? 25);
const FIRST_SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const NAMES = [
  'run',
  'sum_list',
  'packet',
  'node',
  'colour',
  'point',
  'sample',
  'first.next->value',
  'bag->items[0]',
  'sizeof(struct packet)',
];
const SECTIONS = [
  'info',
  'abbrev',
  'str',
  'str_offsets',
  'addr',
  'loc',
  'loclists',
  'ranges',
  'rnglists',
  'types',
  'aranges',
  'line',
];

/** Overwrites a few bytes of the debug sections with values that hurt: all ones, zero, one more, anything. */
function mutate(
  bytes: Uint8Array,
  targets: readonly (readonly [start: number, size: number])[],
  next: (below: number) => number,
): Uint8Array {
  const mutant = bytes.slice();
  for (let i = 1 + next(6); i > 0; i--) {
    const [start, size] = targets[next(targets.length)]!;
    const at = start + next(size);
    const kind = next(4);
    mutant[at] = kind === 0 ? 0xff : kind === 1 ? 0 : kind === 2 ? mutant[at]! + 1 : next(256);
    if (next(8) === 0) mutant.fill(mutant[at]!, at, Math.min(at + next(12), start + size));
  }
  return mutant;
}

describe('Debug information that was damaged at random', () => {
  for (const tour of TOURS) {
    it(`${tour} still gets an answer to every question, and in bounded time`, function () {
      const original = loadTour(tour);
      const targets = SECTIONS.map((name) => original.elf.sectionNamed(`.debug_${name}`))
        .filter((section) => section !== undefined && section.size > 0)
        .map((section) => [section!.offset, section!.size] as const);
      const pcs = ['run', 'sum_list', 'variable_length', 'by_value']
        .flatMap((name) => original.info.functionsNamed(name))
        .map((fn) => fn.low + 0x30);
      assert.ok(targets.length >= 5 && pcs.length === 4);
      let answers = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + MUTANTS; seed++) {
        const program = Program.load(mutate(tourBytes(tour), targets, random(seed)));
        assert.ok(program instanceof Program);
        answers += exercise(program, chaoticFrame(seed), pcs, NAMES) > 0 ? 1 : 0;
      }
      assert.equal(answers, MUTANTS);
    });
  }
});
