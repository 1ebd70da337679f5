/**
 * Directed graphs as flat arrays: node 0 is the entry, from which every node can be reached. Order and dominators, without recursion, so
 * that a graph may be as deep as it is large.
 */

export interface Graph {
  readonly size: number;
  /** Edges of node n are `first[n]` up to `first[n + 1]`. */
  readonly first: Int32Array;
  /** Where each edge goes. */
  readonly to: Int32Array;
}

export function graphOf(successors: readonly (readonly number[])[]): Graph {
  const size = successors.length;
  const first = new Int32Array(size + 1);
  for (let n = 0; n < size; n++) first[n + 1] = first[n]! + successors[n]!.length;
  const to = new Int32Array(first[size]!);
  for (let n = 0, at = 0; n < size; n++) for (const target of successors[n]!) to[at++] = target;
  return { size, first, to };
}

/** The same edges the other way round. */
export function reversed({ size, first, to }: Graph): Graph {
  const back = new Int32Array(size + 1);
  for (const target of to) back[target + 1]!++;
  for (let n = 0; n < size; n++) back[n + 1]! += back[n]!;
  const next = back.slice();
  const from = new Int32Array(to.length);
  for (let n = 0; n < size; n++) for (let e = first[n]!; e < first[n + 1]!; e++) from[next[to[e]!]!++] = n;
  return { size, first: back, to: from };
}

/**
 * Nodes in postorder of a depth-first walk from `roots`, one after the other, that takes the edges which `taken` allows. Of two ways on, the
 * one named first comes later: in reverse postorder it stands nearer to its origin.
 */
export function postorder(graph: Graph, roots: Iterable<number>, taken?: (to: number) => boolean): Int32Array {
  const { size, first, to } = graph;
  const order = new Int32Array(size);
  const seen = new Uint8Array(size);
  /** Of each node on the path its edges still to be walked: those below this one. */
  const next = new Int32Array(size);
  const path = new Int32Array(size);
  let count = 0;
  for (const root of roots) {
    if (seen[root]) continue;
    let depth = 0;
    path[0] = root;
    seen[root] = 1;
    next[root] = first[root + 1]!;
    while (depth >= 0) {
      const n = path[depth]!;
      if (next[n]! === first[n]!) {
        order[count++] = n;
        depth--;
        continue;
      }
      const target = to[--next[n]!]!;
      if (seen[target] || (taken && !taken(target))) continue;
      seen[target] = 1;
      next[target] = first[target + 1]!;
      path[++depth] = target;
    }
  }
  return order.subarray(0, count);
}

/** Order and dominators of a graph. */
export interface Dominators {
  /** Nodes in reverse postorder. */
  readonly order: Int32Array;
  /** Place of each node in that order. */
  readonly place: Int32Array;
  /** Immediate dominator of each node; the entry's is the entry. */
  readonly parent: Int32Array;
}

/** Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001). */
export function dominators(graph: Graph): Dominators {
  const { size } = graph;
  const order = postorder(graph, [0]).reverse();
  if (order.length !== size) throw new Error(`${size - order.length} of ${size} nodes can't be reached from the entry`);
  const place = new Int32Array(size);
  order.forEach((n, i) => (place[n] = i));
  const { first, to: from } = reversed(graph);
  const parent = new Int32Array(size).fill(-1);
  parent[0] = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 1; i < size; i++) {
      const n = order[i]!;
      let found = -1;
      for (let e = first[n]!; e < first[n + 1]!; e++) {
        let other = from[e]!;
        if (parent[other]! < 0) continue;
        if (found < 0) {
          found = other;
          continue;
        }
        while (found !== other)
          if (place[found]! > place[other]!) found = parent[found]!;
          else other = parent[other]!;
      }
      if (parent[n] === found) continue;
      parent[n] = found;
      changed = true;
    }
  }
  return { order, place, parent };
}

export function dominates({ place, parent }: Dominators, a: number, b: number): boolean {
  while (place[b]! > place[a]!) b = parent[b]!;
  return a === b;
}

/**
 * Strongly connected components with a cycle in them of the part of a graph that `nodes` is. `inside` is scratch, a byte for each node that
 * may be in such a part, all zero before and after.
 * R. Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), with a stack of its own.
 */
export function cycles(
  successors: readonly (readonly number[])[],
  nodes: readonly number[],
  inside: Uint8Array,
): number[][] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: number[][] = [];
  for (const n of nodes) inside[n] = 1;
  const enter = (n: number): { n: number; edge: number } => {
    index.set(n, index.size);
    low.set(n, index.get(n)!);
    open.push(n);
    isOpen.add(n);
    return { n, edge: 0 };
  };
  for (const root of nodes) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    while (path.length > 0) {
      const top = path.at(-1)!;
      const { n } = top;
      if (top.edge < successors[n]!.length) {
        const target = successors[n]![top.edge++]!;
        if (!inside[target]) continue;
        if (!index.has(target)) path.push(enter(target));
        else if (isOpen.has(target)) low.set(n, Math.min(low.get(n)!, index.get(target)!));
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above) low.set(above.n, Math.min(low.get(above.n)!, low.get(n)!));
      if (low.get(n) !== index.get(n)) continue;
      const component = open.splice(open.lastIndexOf(n));
      for (const member of component) isOpen.delete(member);
      if (component.length > 1 || successors[n]!.includes(n)) found.push(component);
    }
  }
  for (const n of nodes) inside[n] = 0;
  return found;
}
