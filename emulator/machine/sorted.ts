/**
 * A sorted set of pairs of numbers, and the smallest free number of a range, as persistent values: for state that is one immutable
 * tree. Each operation touches the nodes on one path (AVL trees: Adelson-Velsky and Landis 1962), so that thousands of
 * entries cost little more than ten. Equal histories give equal trees.
 */

/** Pairs, by `key` and then `tie`. */
export interface SortedNode {
  readonly key: number;
  readonly tie: number;
  readonly left: Sorted;
  readonly right: Sorted;
  readonly height: number;
}
export type Sorted = SortedNode | null;

const heightOf = (tree: Sorted): number => (tree ? tree.height : 0);

function node(key: number, tie: number, left: Sorted, right: Sorted): SortedNode {
  return { key, tie, left, right, height: 1 + Math.max(heightOf(left), heightOf(right)) };
}

/** A node whose halves differ in height by two at most, balanced. */
function balanced(key: number, tie: number, left: Sorted, right: Sorted): SortedNode {
  const difference = heightOf(left) - heightOf(right);
  if (difference > 1) {
    const { left: outer, right: inner } = left!;
    if (heightOf(outer) >= heightOf(inner)) return node(left!.key, left!.tie, outer, node(key, tie, inner, right));
    const { key: k, tie: t, left: a, right: b } = inner!;
    return node(k, t, node(left!.key, left!.tie, outer, a), node(key, tie, b, right));
  }
  if (difference < -1) {
    const { left: inner, right: outer } = right!;
    if (heightOf(outer) >= heightOf(inner)) return node(right!.key, right!.tie, node(key, tie, left, inner), outer);
    const { key: k, tie: t, left: a, right: b } = inner!;
    return node(k, t, node(key, tie, left, a), node(right!.key, right!.tie, b, outer));
  }
  return node(key, tie, left, right);
}

/** The set with the pair; the same set when it has it. */
export function insert(tree: Sorted, key: number, tie = 0): SortedNode {
  if (!tree) return node(key, tie, null, null);
  const order = key - tree.key || tie - tree.tie;
  if (order === 0) return tree;
  return order < 0
    ? balanced(tree.key, tree.tie, insert(tree.left, key, tie), tree.right)
    : balanced(tree.key, tree.tie, tree.left, insert(tree.right, key, tie));
}

/** The set without the pair. */
export function remove(tree: Sorted, key: number, tie = 0): Sorted {
  if (!tree) return null;
  const order = key - tree.key || tie - tree.tie;
  if (order < 0) return balanced(tree.key, tree.tie, remove(tree.left, key, tie), tree.right);
  if (order > 0) return balanced(tree.key, tree.tie, tree.left, remove(tree.right, key, tie));
  if (!tree.left) return tree.right;
  if (!tree.right) return tree.left;
  const next = first(tree.right)!;
  return balanced(next.key, next.tie, tree.left, remove(tree.right, next.key, next.tie));
}

/** The smallest pair. */
export function first(tree: Sorted): SortedNode | undefined {
  let at = tree;
  while (at?.left) at = at.left;
  return at ?? undefined;
}

/** All pairs, smallest first. */
export function* inOrder(tree: Sorted): Generator<SortedNode> {
  if (!tree) return;
  yield* inOrder(tree.left);
  yield tree;
  yield* inOrder(tree.right);
}

/** Pairs whose key is `key` or greater, smallest first. */
export function* from(tree: Sorted, key: number): Generator<SortedNode> {
  if (!tree) return;
  if (tree.key >= key) {
    yield* from(tree.left, key);
    yield tree;
  }
  yield* from(tree.right, key);
}

// ---- numbers that are given out, the smallest free one first ---------------------------------------------------------------

export interface Ids {
  /** This one and all above it were never given out. */
  readonly next: number;
  /** Below it, given back. */
  readonly freed: Sorted;
}

export const idsFrom = (start: number): Ids => ({ next: start, freed: null });

/** The smallest free number. */
export const freeId = (ids: Ids): number => first(ids.freed)?.key ?? ids.next;

/** The numbers without the smallest free one. */
export const withoutFree = (ids: Ids): Ids => {
  const id = freeId(ids);
  return id === ids.next ? { ...ids, next: id + 1 } : { ...ids, freed: remove(ids.freed, id) };
};

/** A number that was given out is free again. */
export const withFree = (ids: Ids, id: number): Ids => ({ ...ids, freed: insert(ids.freed, id) });
