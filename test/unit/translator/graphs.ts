/** Random graphs for the tests: node 0 is the entry, all nodes can be reached from it. */
export type Successors = readonly (readonly number[])[];

/** A generator of uint32 (xorshift). */
export function random(seed: number): () => number {
  let state = (seed * 2654435761 + 88675123) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/** The part that can be reached, numbered anew. */
export function reachable(successors: Successors): Successors {
  const order = [0];
  for (const n of order) for (const to of successors[n]!) if (!order.includes(to)) order.push(to);
  return order.map((n) => successors[n]!.map((to) => order.indexOf(to)));
}

/**
 * Of several kinds by the seed: any edges at all (mostly irreducible), short jumps forward and back as code has them, and nests with many
 * entries; few or many edges.
 */
export function randomGraph(seed: number, most = 30): Successors {
  const next = random(seed);
  const size = 1 + (next() % most);
  const kind = next() % 3;
  const ways = 1 + (next() % 3);
  const target = (n: number): number => {
    if (kind === 0) return next() % size;
    const back = next() % 4 === 0;
    const far = kind === 1 ? 1 + (next() % 4) : 1 + (next() % size);
    return Math.min(size - 1, Math.max(0, back ? n - far : n + far));
  };
  return reachable(
    Array.from({ length: size }, (_, n) => {
      const edges = n === size - 1 ? next() % 2 : Math.min(ways, 1 + (next() % 3)) + (next() % 16 === 0 ? 4 : 0);
      return Array.from({ length: edges }, (__, edge) =>
        edge === 0 && kind > 0 ? Math.min(size - 1, n + 1) : target(n),
      );
    }),
  );
}

export const complete = (size: number): Successors =>
  Array.from({ length: size }, () => Array.from({ length: size }, (_, to) => to));
