/**
 * Makes a program that two oracles disagree on as small as it gets: instructions are replaced by ones that do nothing of the same
 * length, in ever smaller groups, while the two still disagree. Instructions that others depend on (Item.keep) go last and alone.
 */
import { disassemble, F_NAMES, X_NAMES } from '../../emulator/isa/disassemble';
import type { Program } from './batch';
import { compare, describe, type Difference } from './compare';
import type { Item } from './items';
import { lengthOf } from './kinds';

const C_NOP = 0x0001;
const NOP = 0x00000013;

const nothing = ({ bits }: Item): Item => ({ bits: lengthOf(bits) === 2 ? C_NOP : NOP });
const isNothing = ({ bits }: Item): boolean => bits === C_NOP || bits === NOP;

/** A disagreement about results; a program that one of them can't run to its end is no smaller form of it. */
function disagree(program: Program, { one, other }: Difference): Difference | undefined {
  return compare([program], [one, other]).find(({ error }) => error === undefined);
}

/** The smallest form found of a difference that also shows when its program runs alone; undefined when it does not. */
export function minimise(found: Difference): Difference | undefined {
  const alone = disagree(found.program, found);
  if (alone === undefined) return undefined;
  let difference: Difference = alone;
  for (const size of sizes(found.program.items.length))
    for (let from = 0; from < found.program.items.length; from += size) {
      const { program }: Difference = difference;
      const items = program.items.map((item, i) =>
        i >= from && i < from + size && !isNothing(item) && !(item.keep && size > 1) ? nothing(item) : item,
      );
      if (items.every((item, i) => item === program.items[i])) continue;
      difference = disagree({ ...program, items }, difference) ?? difference;
    }
  return difference;
}

function sizes(length: number): number[] {
  const list: number[] = [];
  for (let size = Math.ceil(length / 2); size > 1; size = Math.ceil(size / 2)) list.push(size);
  return [...list, 1, 1];
}

/** What is left of a program, with the registers it starts from. */
export function report(difference: Difference): string {
  const { program } = difference;
  let at = 0;
  const lines: string[] = [];
  for (const item of program.items) {
    if (!isNothing(item)) lines.push(`  ${at.toString(16).padStart(4)}: ${disassemble(item.bits, at).text}`);
    at += lengthOf(item.bits);
  }
  const names = new Set(lines.flatMap((text) => text.match(/\b[a-z]+\d*\b/g) ?? []));
  const start = [...X_NAMES.entries()]
    .map(([i, name]) => [name, program.x[i]] as const)
    .concat([...F_NAMES.entries()].map(([i, name]) => [name, program.f[i]] as const))
    .filter(([name]) => names.has(name));
  return [
    describe(difference),
    ...lines,
    ...start.map(([name, value]) => `  ${name} = 0x${(value ?? 0n).toString(16)}`),
    `  fcsr = 0x${program.fcsr.toString(16)}`,
  ].join('\n');
}
