/**
 * The page allocator: a binary buddy tree as a persistent value, so that it is part of the kernel's immutable state. A block is
 * free and known to be zero, free with old content, used, or split in two halves. Knows page numbers only, never memory.
 */

export interface BuddySplit {
  readonly left: Buddy;
  readonly right: Buddy;
  /** Largest order that is free as a whole somewhere inside, -1 for none. */
  readonly best: number;
  /** The same of blocks that were in use before, all of them: taking one touches no new memory. */
  readonly freed: number;
}
export type Buddy = 'clean' | 'dirty' | 'used' | BuddySplit;

/** Pages [first, first + count). */
export interface PageRange {
  readonly first: number;
  readonly count: number;
}

const bestOf = (node: Buddy, order: number): number =>
  typeof node !== 'string' ? node.best : node === 'used' ? -1 : order;

const freedOf = (node: Buddy, order: number): number =>
  typeof node !== 'string' ? node.freed : node === 'dirty' ? order : -1;

/** The node of `order` that has these halves; halves of one kind become a whole. */
function join(left: Buddy, right: Buddy, order: number): Buddy {
  if (typeof left === 'string' && left === right) return left;
  const a = bestOf(left, order - 1);
  const b = bestOf(right, order - 1);
  const freed = Math.max(freedOf(left, order - 1), freedOf(right, order - 1));
  return { left, right, best: a === order - 1 && b === order - 1 ? order : Math.max(a, b), freed };
}

/** A tree of 2^order pages in which exactly `free` is free (and clean). */
export function buddyFrom(order: number, free: readonly PageRange[], first = 0): Buddy {
  const count = 2 ** order;
  const overlaps = free.filter((range) => range.first < first + count && first < range.first + range.count);
  if (overlaps.length === 0) return 'used';
  if (overlaps.some((range) => range.first <= first && first + count <= range.first + range.count)) return 'clean';
  const half = order - 1;
  return join(buddyFrom(half, overlaps, first), buddyFrom(half, overlaps, first + count / 2), order);
}

export interface Allocation {
  readonly tree: Buddy;
  readonly page: number;
  /** Parts of the block that hold old content and must be zeroed. */
  readonly dirty: readonly PageRange[];
}

function collectDirty(node: Buddy, order: number, first: number, into: PageRange[]): void {
  if (node === 'dirty') into.push({ first, count: 2 ** order });
  if (typeof node === 'string') return;
  collectDirty(node.left, order - 1, first, into);
  collectDirty(node.right, order - 1, first + 2 ** (order - 1), into);
}

/**
 * Takes a naturally aligned block of 2^want pages: one that was in use before if there is one, so that memory grows only when nothing freed
 * is left; of those the tightest fit, the lowest address among equals.
 */
export function buddyAllocate(tree: Buddy, order: number, want: number): Allocation | undefined {
  const room = freedOf(tree, order) >= want ? freedOf : bestOf;
  if (want > order || room(tree, order) < want) return undefined;
  const got: Taken = { page: 0, dirty: [] };
  const left = take(tree, order, want, 0, room, got);
  return { tree: left, ...got };
}

interface Taken {
  page: number;
  readonly dirty: PageRange[];
}

/** What is left of a node that has room; `got` is told the block. `room`: the largest order of the blocks that may be taken from a node. */
function take(tree: Buddy, order: number, want: number, first: number, room: typeof bestOf, got: Taken): Buddy {
  if (order === want) {
    got.page = first;
    collectDirty(tree, order, first, got.dirty);
    return 'used';
  }
  const half = order - 1;
  const left = typeof tree === 'string' ? tree : tree.left;
  const right = typeof tree === 'string' ? tree : tree.right;
  const a = room(left, half);
  const b = room(right, half);
  return a >= want && (b < want || a <= b)
    ? join(take(left, half, want, first, room, got), right, order)
    : join(left, take(right, half, want, first + 2 ** half, room, got), order);
}

/** Gives back the block of 2^freed pages at `page`; undefined when it was not allocated as a whole or is misaligned. */
export function buddyFree(tree: Buddy, order: number, freed: number, page: number): Buddy | undefined {
  if (!Number.isInteger(page) || page < 0 || page >= 2 ** order || freed > order || freed < 0) return undefined;
  if (order === freed) return page === 0 && tree === 'used' ? 'dirty' : undefined;
  if (tree === 'clean' || tree === 'dirty') return undefined;
  const half = order - 1;
  const left = tree === 'used' ? tree : tree.left;
  const right = tree === 'used' ? tree : tree.right;
  const goLeft = page < 2 ** half;
  const inner = goLeft ? buddyFree(left, half, freed, page) : buddyFree(right, half, freed, page - 2 ** half);
  if (inner === undefined) return undefined;
  return goLeft ? join(inner, right, order) : join(left, inner, order);
}

/** Number of free pages. */
export function buddyFreePages(tree: Buddy, order: number): number {
  if (tree === 'used') return 0;
  if (typeof tree === 'string') return 2 ** order;
  return buddyFreePages(tree.left, order - 1) + buddyFreePages(tree.right, order - 1);
}
