/** What of a hart is state, for comparing machines. */
import type { Hart } from '../../emulator/hart/hart';
import { HartWord } from '../../emulator/machine/layout';

/** A copy of its words; where results for x0 go is no state. */
export function stateOf(hart: Hart): Int32Array {
  const words = hart.words.slice();
  words.fill(0, HartWord.DISCARD, HartWord.DISCARD + 2);
  return words;
}
