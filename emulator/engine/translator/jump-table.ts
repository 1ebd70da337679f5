/** Where an indirect jump goes on inside its region: comparisons with what it is expected to go to, or a table for more than a few. */
import type { VirtualAddress } from '../../units';
import type { Code } from '../wasm/code';

/** One target and the code for it, which does not fall through. */
export interface Arm {
  readonly pc: VirtualAddress;
  readonly go: () => void;
}

/**
 * With more targets than this they stand in a table. Comparisons are no slower for a few: processors foresee each of them apart. Calls by
 * pointer to six functions took 1.2 times as long by a table, a loop over bytecode with nine cases as long.
 */
const COMPARED = 10;
/** Bytes between the first and the last target of a table: it has a place for every second one. */
const WIDEST = 4096;

/** By the address in the local `to`; falls through for any other target. `name` makes the labels differ from those around. */
export function jumpTable(code: Code, name: string, to: number, arms: readonly Arm[]): void {
  const first = Math.min(...arms.map(({ pc }) => pc));
  const span = Math.max(...arms.map(({ pc }) => pc)) - first;
  if (arms.length > COMPARED && span <= WIDEST) table(code, name, to, arms, first, span);
  else
    for (const { pc, go } of arms) {
      code.get(to);
      code.i64(BigInt(pc));
      code.op('i64.eq');
      code.if();
      go();
      code.end();
    }
}

function table(code: Code, name: string, to: number, arms: readonly Arm[], first: number, span: number): void {
  const other = `${name} other`;
  const label = (i: number): string => `${name} ${i}`;
  const places = new Array<string>(span / 2 + 1).fill(other);
  arms.forEach(({ pc }, i) => (places[(pc - first) / 2] = label(i)));
  const distance = code.local('i64');
  code.block(other);
  for (let i = arms.length - 1; i >= 0; i--) code.block(label(i));
  code.get(to);
  code.i64(BigInt(first));
  code.op('i64.sub');
  code.tee(distance);
  code.i64(BigInt(span));
  code.op('i64.gt_u');
  code.hint(false);
  code.brIf(other);
  // Instructions begin at even addresses, and so does what jalr jumps to.
  code.get(distance);
  code.op('i32.wrap_i64');
  code.i32(1);
  code.op('i32.shr_u');
  code.brTable(places, other);
  for (const { go } of arms) {
    code.end();
    go();
  }
  code.end();
  code.release('i64', distance);
}
