/** Nested control flow against the graph it was made from. */
import assert from 'node:assert/strict';
import { structure, type Structure } from '../../../emulator/engine/translator/structure';
import { complete, randomGraph, random, reachable, type Successors } from './graphs';

/** Nested code as an emitter of WebAssembly writes it: labels are those of nodes. */
type Code =
  | { readonly kind: 'block' | 'loop'; readonly label: number; readonly body: readonly Code[] }
  | { readonly kind: 'node'; readonly node: number; readonly ways: readonly (readonly Code[])[] }
  | { readonly kind: 'select'; readonly value: number }
  | { readonly kind: 'branch'; readonly label: number };

interface Nested {
  readonly code: readonly Code[];
  /** How often the code of each node stands there. */
  readonly written: readonly number[];
  /** The deepest nesting in blocks and loops. */
  readonly depth: number;
}

/** Writes the code as the comment of structure.ts says; refuses branches to labels that are not in scope. */
function nest({ nodes }: Structure): Nested {
  const written = nodes.map(() => 0);
  const scope: number[] = [];
  let depth = 0;
  const inside = (kind: 'block' | 'loop', label: number, body: () => Code[]): Code => {
    scope.push(label);
    depth = Math.max(depth, scope.length);
    const code = { kind, label, body: body() };
    scope.pop();
    return code;
  };
  const tree = (n: number): Code[] =>
    nodes[n]!.isLoop ? [inside('loop', n, () => body(n, nodes[n]!.merges))] : body(n, nodes[n]!.merges);
  const body = (n: number, [merge, ...rest]: readonly number[]): Code[] => {
    if (merge !== undefined) return [inside('block', merge, () => body(n, rest)), ...tree(merge)];
    written[n]!++;
    const ways = nodes[n]!.routes.map(({ to, inline, select }): Code[] => {
      const before: Code[] = select < 0 ? [] : [{ kind: 'select', value: select }];
      if (inline) return [...before, ...tree(to)];
      assert.ok(scope.includes(to), `${n} branches to ${to}, which is not in scope`);
      return [...before, { kind: 'branch', label: to }];
    });
    return [{ kind: 'node', node: n, ways }];
  };
  return { code: tree(0), written, depth };
}

/** Executes nested code: `choose` says which way on is taken from a node of the graph, undefined to stop. */
function execute(
  nested: readonly Code[],
  given: number,
  choose: (node: number, ways: number) => number | undefined,
): void {
  const STOP = -1;
  let selector = -1;
  /** The label branched to, STOP, or undefined at the end. */
  const run = (codes: readonly Code[]): number | undefined => {
    for (const code of codes) {
      const left = step(code);
      if (left !== undefined) return left;
    }
    return undefined;
  };
  const step = (code: Code): number | undefined => {
    if (code.kind === 'branch') return code.label;
    if (code.kind === 'select') {
      selector = code.value;
      return undefined;
    }
    if (code.kind === 'node') {
      const way = code.node < given ? choose(code.node, code.ways.length) : selector;
      if (way === undefined) return STOP;
      const left = run(code.ways[way]!);
      assert.notEqual(left, undefined, 'control falls out of a node');
      return left;
    }
    for (;;) {
      const left = run(code.body);
      if (left !== code.label) return left;
      if (code.kind === 'block') return undefined;
    }
  };
  assert.equal(run(nested), STOP);
}

/** The node that an edge leads to, over dispatch nodes. */
function followed({ nodes }: Structure, given: number, from: number, edge: number): number {
  let { to, select } = nodes[from]!.routes[edge]!;
  while (to >= given) {
    assert.ok(select >= 0, 'a dispatch node is come to without a selector');
    ({ to, select } = nodes[to]!.routes[select]!);
  }
  return to;
}

function compare(successors: Successors, seed: number): void {
  const made = structure(successors);
  const given = successors.length;
  successors.forEach((targets, n) => {
    assert.equal(made.nodes[n]!.routes.length, targets.length);
    targets.forEach((to, edge) => assert.equal(followed(made, given, n, edge), to));
  });
  const { code, written, depth } = nest(made);
  assert.ok(
    written.every((times) => times === 1),
    `each node's code stands there once: ${written.join()}`,
  );
  assert.ok(depth <= 2 * made.nodes.length);
  // The same walk in the graph and in the code.
  const next = random(seed);
  let at = 0;
  let steps = 0;
  execute(code, given, (node, ways) => {
    assert.equal(node, at);
    if (ways === 0 || ++steps > 200) return undefined;
    const way = next() % ways;
    at = successors[node]![way]!;
    return way;
  });
}

/** Largest total of weights on a way without a check behind its first node, tried out. */
function longest(
  successors: Successors,
  checks: ReadonlySet<number>,
  weights: readonly number[],
  from: number,
): number {
  const ways = successors[from]!.filter((to) => !checks.has(to)).map((to) => longest(successors, checks, weights, to));
  return weights[from]! + Math.max(0, ...ways);
}

function checked(successors: Successors, seed: number): void {
  const made = structure(successors);
  const checks = new Set(successors.map((_, n) => n).filter((n) => made.nodes[n]!.isCheck));
  assert.ok(checks.has(0));
  const next = random(seed);
  const weights = successors.map(() => next() % 30);
  const found = made.longestPath(weights);
  // An endless recursion here would be a cycle without a check.
  successors.forEach((_, n) => assert.equal(found[n], longest(successors, checks, weights, n), `of node ${n}`));
}

const shapes: Readonly<Record<string, Successors>> = {
  'a single node': [[]],
  'a node that leads to itself': [[0]],
  'both ways to the same node': [[1, 1], []],
  'a loop both of whose ways lead back': [[1], [1, 1]],
  'a diamond': [[1, 2], [3], [3], []],
  'a loop': [[1], [2, 3], [1], []],
  'a loop in a loop': [[1], [2, 5], [3, 4], [2], [1], []],
  'two loops with one head': [[1, 2, 3], [0], [0], []],
  'a switch with a common end': [[1, 2, 3, 4, 4], [5], [5, 2], [5], [5], []],
  'a call from two places': [[1, 4], [2], [3, 5], [], [1], []],
  'a loop that is jumped into': [[1, 2], [2], [1, 3], []],
  'a loop with three entries': [[1, 2, 3], [2], [3], [1]],
  'a loop with two entries in another one': [[1, 2, 3, 4], [2, 3], [3, 4], [2], [1, 2]],
  'a loop that is jumped into at a node with an edge to itself': [
    [1, 2],
    [1, 2],
    [1, 2],
  ],
};

describe('nested control flow', function () {
  for (const [shape, successors] of Object.entries(shapes))
    it(`does what the graph does: ${shape}`, () => {
      for (let seed = 0; seed < 20; seed++) compare(successors, seed);
      checked(successors, 1);
    });

  it('does what the graph does, for thousands of random graphs', () => {
    for (let seed = 0; seed < 3000; seed++) compare(randomGraph(seed), seed);
  });

  it('does what the graph does where every node leads to every node', () => {
    for (let size = 1; size <= 24; size++) compare(complete(size), size);
  });

  it('has no dispatch nodes where every loop has one entry', () => {
    for (const shape of ['a diamond', 'a loop in a loop', 'two loops with one head', 'a call from two places'])
      assert.equal(structure(shapes[shape]!).nodes.length, shapes[shape]!.length, shape);
  });

  it('goes over the dispatch node once each time round a loop with two entries, not for each of them', () => {
    const { nodes } = structure(shapes['a loop that is jumped into']!);
    assert.equal(nodes.length, 5);
    const inner = [nodes[1]!.routes[0]!.to, nodes[2]!.routes[0]!.to];
    assert.deepEqual(inner.filter((to) => to === 4).length, 1);
  });

  it('puts the code of a node that has one way to it where that way is', () => {
    const { nodes } = structure(shapes['a diamond']!);
    assert.deepEqual(
      nodes[0]!.routes.map(({ inline }) => inline),
      [true, true],
    );
    assert.deepEqual(nodes[0]!.merges, [3]);
  });

  it('branches to all of more than two ways, so that they can be a table', () => {
    for (let seed = 0; seed < 500; seed++) {
      const successors = randomGraph(seed);
      const { nodes } = structure(successors);
      nodes.forEach(({ routes }, n) => {
        if (routes.length > 2 || n >= successors.length) assert.ok(routes.every(({ inline }) => !inline));
      });
    }
  });

  it('is as deep as a graph of thousands of nodes without being in danger', () => {
    const chain = Array.from({ length: 5000 }, (_, n) => (n < 4999 ? [n + 1] : [0]));
    const made = structure(chain);
    assert.ok(made.nodes.every(({ routes }, n) => routes[0]!.inline === n < 4999));
    assert.equal(made.longestPath(chain.map(() => 2))[0], 10000);
    // A loop that is jumped into.
    const ring = Array.from({ length: 3000 }, (_, n) => (n === 0 ? [1, 1500] : [n < 2999 ? n + 1 : 1]));
    assert.equal(structure(ring).nodes.length, 3001);
  });

  it('refuses a graph with nodes that nothing leads to', () => {
    assert.throws(() => structure([[1], [], [1]]), /1 of 3 nodes/);
  });
});

describe('the longest path between two checks', function () {
  it('is what trying all paths finds, in random graphs', () => {
    for (let seed = 0; seed < 1000; seed++) checked(reachable(randomGraph(seed, 14)), seed);
  });

  it('ends at the head of a loop and leaves the head itself out', () => {
    // 0 -> 1 -> 2 -> 1, 2 -> 3
    const { nodes, longestPath } = structure([[1], [2], [1, 3], []]);
    assert.deepEqual(
      nodes.map(({ isCheck }) => isCheck),
      [true, true, false, false],
    );
    assert.deepEqual([...longestPath([5, 7, 11, 13])], [5, 31, 24, 13]);
  });

  it('has a check on every cycle of a loop with several entries, and none at a dispatch node', () => {
    const shape = shapes['a loop with two entries in another one']!;
    const { nodes } = structure(shape);
    assert.ok(nodes.slice(shape.length).length > 0);
    assert.ok(nodes.slice(shape.length).every(({ isCheck }) => !isCheck));
  });
});
