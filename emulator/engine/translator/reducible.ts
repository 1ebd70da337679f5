/**
 * Makes every loop of a graph one that is entered at one node. A loop (a strongly connected component) with several entries gets a
 * dispatch node before it: every edge into the loop goes there first and says which entry it means. One of the entries is the loop's
 * head: edges to it from inside of the loop go over the dispatch node too, but for those from nodes that it dominates: they are a loop of
 * one entry within. What is left of the loop without its head is looked at in the same way. So control comes to a dispatch node when
 * the loop is entered, and each time that it comes round to its head by a way that another entry begins.
 */
import { cycles, dominates, dominators, graphOf } from './graph';

export interface Reducible {
  /** Nodes that are no dispatch nodes. */
  readonly given: number;
  /** By node: those given first, under their numbers, then dispatch nodes. A dispatch node has an edge to each entry of its loop. */
  readonly successors: readonly (readonly number[])[];
  /** For each of these edges: which of the edges of the dispatch node that it goes to is meant; -1 where it goes to no dispatch node. */
  readonly selects: readonly (readonly number[])[];
  /** Of the nodes given the heads of loops, whether of one entry or several: every cycle has one of them. */
  readonly heads: readonly number[];
}

export function makeReducible(given: readonly (readonly number[])[]): Reducible {
  const successors = given.map((targets) => [...targets]);
  const selects = given.map((targets) => targets.map(() => -1));
  const heads: number[] = [];
  const inside = new Uint8Array(given.length);
  for (const work = [given.map((_, n) => n)]; work.length > 0;)
    for (const loop of cycles(successors, work.pop()!, inside)) {
      const members = new Set(loop);
      const entries = entriesOf(successors, members);
      const head = entries.length === 1 ? entries[0]! : headOf(successors, members, entries);
      if (entries.length > 1) dispatch(successors, selects, members, entries, head);
      heads.push(head);
      work.push(loop.filter((n) => n !== head));
    }
  return { given: given.length, successors, selects, heads };
}

/** Nodes of a loop that are entered from outside, the lowest first. */
function entriesOf(successors: readonly (readonly number[])[], members: ReadonlySet<number>): number[] {
  const entries = new Set<number>(members.has(0) ? [0] : []);
  successors.forEach((targets, n) => {
    if (!members.has(n)) for (const to of targets) if (members.has(to)) entries.add(to);
  });
  return [...entries].sort((a, b) => a - b);
}

/** The entry that most edges of the loop go to: of a loop that is also jumped into, that is where it goes round. */
function headOf(
  successors: readonly (readonly number[])[],
  members: ReadonlySet<number>,
  entries: readonly number[],
): number {
  const counts = new Map(entries.map((entry) => [entry, 0]));
  for (const n of members) for (const to of successors[n]!) if (counts.has(to)) counts.set(to, counts.get(to)! + 1);
  const most = Math.max(...counts.values());
  return entries.find((entry) => counts.get(entry) === most)!;
}

function dispatch(
  successors: number[][],
  selects: number[][],
  members: ReadonlySet<number>,
  entries: readonly number[],
  head: number,
): void {
  const node = successors.length;
  successors.forEach((targets, n) =>
    targets.forEach((to, edge) => {
      if (members.has(n) ? to !== head : !entries.includes(to)) return;
      targets[edge] = node;
      selects[n]![edge] = entries.indexOf(to);
    }),
  );
  successors.push([...entries]);
  selects.push(entries.map(() => -1));
  const tree = dominators(graphOf(successors));
  for (const n of members)
    successors[n]!.forEach((to, edge) => {
      if (to !== node || !dominates(tree, head, n)) return;
      successors[n]![edge] = head;
      selects[n]![edge] = -1;
    });
}
