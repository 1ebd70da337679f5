import assert from 'node:assert/strict';
import {
  first,
  freeId,
  idsFrom,
  inOrder,
  insert,
  remove,
  withFree,
  withoutFree,
  type Sorted,
} from '../../../emulator/machine/sorted';

/** xorshift32: integers below `bound`. */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

const pairs = (tree: Sorted): [number, number][] => [...inOrder(tree)].map(({ key, tie }) => [key, tie]);
/** Fails unless both halves of every node differ in height by one at most, and the height is right. */
function height(tree: Sorted): number {
  if (!tree) return 0;
  const [left, right] = [height(tree.left), height(tree.right)];
  assert.ok(Math.abs(left - right) <= 1, 'balanced');
  assert.equal(tree.height, 1 + Math.max(left, right));
  return tree.height;
}

describe('a sorted set as a persistent value', () => {
  it('holds what was put in and not taken out, in order, and stays balanced', () => {
    const roll = dice(7);
    const wanted = new Set<string>();
    let tree: Sorted = null;
    for (let i = 0; i < 4000; i++) {
      const [key, tie] = [roll(200), roll(3)];
      if (roll(5) < 3) {
        tree = insert(tree, key, tie);
        wanted.add(`${key},${tie}`);
      } else {
        tree = remove(tree, key, tie);
        wanted.delete(`${key},${tie}`);
      }
      if (i % 100 !== 0) continue;
      height(tree);
      const sorted = [...wanted].map((text) => text.split(',').map(Number) as [number, number]);
      sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      assert.deepEqual(pairs(tree), sorted);
      assert.deepEqual(first(tree) && [first(tree)!.key, first(tree)!.tie], sorted[0]);
    }
  });

  it('an older value stays as it was; what changes nothing is the same value', () => {
    let tree: Sorted = null;
    for (let i = 0; i < 100; i++) tree = insert(tree, i);
    const before = pairs(tree);
    remove(insert(tree, 1000), 50);
    assert.deepEqual(pairs(tree), before);
    assert.deepEqual(pairs(insert(tree, 50)), before);
    assert.deepEqual(pairs(remove(tree, 1000)), before);
  });
});

describe('numbers that are given out', () => {
  it('the smallest free one comes first', () => {
    let ids = idsFrom(0x1000);
    const take = (): number => {
      const id = freeId(ids);
      ids = withoutFree(ids);
      return id;
    };
    assert.deepEqual([take(), take(), take(), take()], [0x1000, 0x1001, 0x1002, 0x1003]);
    ids = withFree(withFree(ids, 0x1002), 0x1000);
    assert.deepEqual([take(), take(), take()], [0x1000, 0x1002, 0x1004]);
  });
});
