/**
 * Where indirect jumps went lately, for the translator (translator/jump-profile.ts): the interpreter's loop writes down each, a region those
 * whose target it has not got. Two stores and no counter: which place is written follows from the instructions left, as good as by chance.
 */
import { Area } from '../../machine/layout';
import type { Code } from './code';

/** Places. */
export const SEEN_JUMPS = 128;
/** Bytes of a place. */
export const SEEN_JUMP_BYTES = 16;

/** `rest` is the local of the instructions left, `target` that of the address jumped to; `record` pushes the address of the jump's record. */
export function noteJump(code: Code, rest: number, record: () => void, target: number): void {
  const at = code.local('i32');
  code.get(rest);
  code.i32(Math.log2(SEEN_JUMP_BYTES));
  code.op('i32.shl');
  code.i32((SEEN_JUMPS - 1) * SEEN_JUMP_BYTES);
  code.op('i32.and');
  code.tee(at);
  record();
  code.memory('i32.store', Area.JUMPS);
  code.get(at);
  code.get(target);
  code.memory('i64.store', Area.JUMPS + 8);
  code.release('i32', at);
}
