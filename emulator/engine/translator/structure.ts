/**
 * From a graph of blocks to nested control flow, as WebAssembly has it: what a block's code stands in, what follows it, and for each edge
 * whether the code of its target stands there or is branched to. Knows nothing of instructions.
 *
 * Method: N. Ramsey, "Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow", ICFP 2022: the code
 * of a node holds the code of all nodes that it dominates. Loops of several entries are given one first (reducible.ts).
 *
 * The code is written from the tree of node 0:
 *
 *     tree(n):       if isLoop, `loop` around body(n, merges), whose label is the one of n as a loop
 *     body(n, [m, …rest]):  `block`, body(n, rest), `end`, tree(m); the block's label is the one of m as a merge
 *     body(n, []):   the code of the node, its last act: route(edge)
 *     route(edge):   if `select` is not -1, that into the one local of selectors; then tree(to) if `inline`, else a branch to the label of `to`
 *
 * A loop's label stands for its node within the loop, a block's label before its `end`: a node that is both has its block closed when its
 * loop begins, so one stack of labels answers, the innermost first. What follows the end of a loop or the code of a node can't be reached.
 */
import { dominates, dominators, graphOf, postorder, type Dominators, type Graph } from './graph';
import { makeReducible, type Reducible } from './reducible';

/** How an edge is followed. */
export interface Route {
  readonly to: number;
  /** The tree of the target stands here; else it is branched to. */
  readonly inline: boolean;
  /** What the local of selectors is set to before, when `to` is a dispatch node; else -1. */
  readonly select: number;
}

export interface StructureNode {
  /** Edges go back to it. */
  readonly isLoop: boolean;
  /** Every cycle has such a node, and the entry is one. Never a dispatch node: what is checked here has a pc. */
  readonly isCheck: boolean;
  /** Nodes whose trees are placed behind this one's code, the outermost first: the last one follows directly. */
  readonly merges: readonly number[];
  /** One for each successor, in that order. Of a node with more than two none is inline, so that they may be a table of labels. */
  readonly routes: readonly Route[];
}

export interface Structure {
  /**
   * The nodes given, under their numbers, then dispatch nodes: the code of such a one is to take the route whose number is in the local of
   * selectors (set just before; one local serves them all). None of their routes is inline.
   */
  readonly nodes: readonly StructureNode[];
  /**
   * For each of the nodes given the largest total of weights on a way from it, itself included, up to the next check exclusive: with
   * instructions as weights, how many of them may be executed from a check on before there is another check.
   */
  longestPath(weights: ArrayLike<number>): Int32Array;
}

/**
 * Time is nearly linear in nodes and edges; nothing recurs, so a chain of thousands of nodes is no deeper for it. What the trees say may be:
 * the depth of nesting in blocks and loops is at most the number of nodes that are merges or loops, twice those that are both; a
 * tree is nested in as many others as its node has dominators, so what writes code by recursion is at most as deep as there are nodes.
 *
 * @param successors of each node its successors, the likeliest first; one may stand there more than once. All can be reached from node 0.
 * @throws Error when one can't be.
 */
export function structure(successors: readonly (readonly number[])[]): Structure {
  const given = graphOf(successors);
  const plain = dominators(given);
  const reducible = isReducible(given, plain) ? undefined : makeReducible(successors);
  const graph = reducible ? graphOf(reducible.successors) : given;
  const tree = reducible ? dominators(graph) : plain;
  const checks = new Uint8Array(successors.length);
  checks[0] = 1;
  const nodes = place(graph, tree, reducible);
  if (reducible) for (const head of reducible.heads) checks[head] = 1;
  else nodes.forEach(({ isLoop }, n) => isLoop && (checks[n] = 1));
  return {
    nodes: nodes.map((node, n) => ({ ...node, isCheck: checks[n] === 1 })),
    longestPath: (weights) => longestPath(given, checks, weights),
  };
}

/** An edge against the order closes a cycle. */
const isBack = ({ place }: Dominators, from: number, to: number): boolean => place[to]! <= place[from]!;

/** Is every loop entered at one node, which dominates the others? */
function isReducible({ size, first, to }: Graph, tree: Dominators): boolean {
  for (let n = 0; n < size; n++)
    for (let e = first[n]!; e < first[n + 1]!; e++)
      if (isBack(tree, n, to[e]!) && !dominates(tree, to[e]!, n)) return false;
  return true;
}

function place(graph: Graph, tree: Dominators, reducible: Reducible | undefined): Omit<StructureNode, 'isCheck'>[] {
  const { size, first, to } = graph;
  const loops = new Uint8Array(size);
  /** Edges that lead there forward; of a node that must be branched to, more than one. */
  const forward = new Uint32Array(size);
  for (let n = 0; n < size; n++) {
    const many = first[n + 1]! - first[n]! > 2;
    for (let e = first[n]!; e < first[n + 1]!; e++)
      if (isBack(tree, n, to[e]!)) loops[to[e]!] = 1;
      else forward[to[e]!]! += many || isDispatch(n, reducible) ? 2 : 1;
  }
  const merges: number[][] = Array.from({ length: size }, () => []);
  // Against the order: what comes last stands outermost.
  for (let i = size - 1; i > 0; i--) {
    const n = tree.order[i]!;
    if (forward[n]! > 1) merges[tree.parent[n]!]!.push(n);
  }
  return merges.map((behind, n) => {
    const routes: Route[] = [];
    for (let e = first[n]!; e < first[n + 1]!; e++) {
      const target = to[e]!;
      const inline = !isBack(tree, n, target) && forward[target] === 1;
      routes.push({ to: target, inline, select: reducible ? reducible.selects[n]![e - first[n]!]! : -1 });
    }
    return { isLoop: loops[n] === 1, merges: behind, routes };
  });
}

const isDispatch = (n: number, reducible: Reducible | undefined): boolean =>
  reducible !== undefined && n >= reducible.given;

/** Every cycle has a check, so without the edges to checks there is an order in which each node comes behind all it leads to. */
function longestPath(graph: Graph, checks: Uint8Array, weights: ArrayLike<number>): Int32Array {
  const { size, first, to } = graph;
  const longest = new Int32Array(size);
  const roots: number[] = [];
  for (let n = 0; n < size; n++) if (checks[n]) roots.push(n);
  for (const n of postorder(graph, roots, (target) => checks[target] === 0)) {
    let most = 0;
    for (let e = first[n]!; e < first[n + 1]!; e++)
      if (!checks[to[e]!] && longest[to[e]!]! > most) most = longest[to[e]!]!;
    longest[n] = most + weights[n]!;
  }
  return longest;
}
