/**
 * Calls with arguments at the edges: of 64 bits, of what a double holds exactly, of pages, of memory, and addresses that are somebody
 * else's, in every place of every function. Overflows would show here. Made in another process than the victim's, so that all are hostile.
 */
import { Sbi } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Layout, PAGE, RAM_START } from './world';
import { RAM } from './kernel';
import type { Word } from './kernel';

const EDGES: readonly Word[] = [
  0,
  1,
  7,
  PAGE - 1,
  PAGE,
  -1,
  -PAGE,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 52,
  2 ** 53 - PAGE,
  2n ** 53n + 1n,
  2n ** 63n - 4096n,
  2n ** 63n,
  RAM_START,
  RAM_START + RAM - 8,
  RAM_START + RAM,
  Layout.bitmap,
  Layout.leaf + 4,
];
const PLACES = 4;

/** Gives the number of calls that returned anything but an error or 0: a run, say. */
export const EDGE_CALLS: Omit<Attack, 'name' | 'checks' | 'refused' | 'succeeds'> = {
  by: 'kernel',
  prepare: (w, { secret }) => {
    const { root } = w.secondSpace();
    const values = [...EDGES, secret, secret + 1, 2n ** 64n - BigInt(secret)];
    return () => {
      const entered = w.enter(root);
      const functions = [...new Set(Object.values(Sbi))].sort((a, b) => a - b);
      let others = 1;
      let odd = 0;
      for (const fid of functions)
        for (let place = 0; place < PLACES; place++)
          for (const value of values) {
            // The other arguments: fixed, different in every call.
            const args = Array.from(
              { length: PLACES },
              () => values[(others = (others * 61 + 17) % 9973) % values.length]!,
            );
            args[place] = value;
            const result = w.k.call(fid, ...args);
            if (result > 0) odd++;
          }
      return [entered, odd];
    };
  },
};
