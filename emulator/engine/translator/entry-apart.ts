/**
 * Where a loop is entered in its middle, since that is where it was found hot (a loop with its test at the end, that is jumped to at
 * first, becomes hot at its second block), the loops around it have two entries each: control would go over a dispatch node each time
 * round the innermost. There the entry's block is put before the loop a second time: the region begins with that copy, once.
 */
import type { BlockEnd, Edge, Region, RegionBlock } from './region';
import { graphOfRegion, successorsOf } from './region-graph';
import { structure, type Structure } from './structure';

/** The region, or the same with its entry's block a second time where that spares turns over dispatch nodes. */
export function withEntryApart(region: Region): Region {
  const graph = graphOfRegion(region);
  if (!graph.some((successors) => successors.includes(0))) return region;
  const plain = structure(graph);
  if (plain.nodes.length === graph.length) return region;
  const apart = entryTwice(region);
  return turns(apart, structure(graphOfRegion(apart))) < turns(region, plain) ? apart : region;
}

/** The copy is the entry; what led to the entry leads to the original, the last block. */
function entryTwice({ pages, blocks }: Region): Region {
  const moved = (index: number): number => (index === 0 ? blocks.length : index);
  const edge = (to: Edge): Edge => ('block' in to ? { block: moved(to.block) } : to);
  const end = (of: BlockEnd): BlockEnd => {
    switch (of.kind) {
      case 'branch':
        return { kind: 'branch', taken: edge(of.taken), next: edge(of.next) };
      case 'jump':
      case 'next':
        return { kind: of.kind, to: edge(of.to) };
      case 'indirect':
        return { kind: 'indirect', targets: of.targets.map(({ pc, block }) => ({ pc, block: moved(block) })) };
      case 'interpret':
        return of;
    }
  };
  const all = blocks.map((block): RegionBlock => ({ ...block, end: end(block.end) }));
  return { pages, blocks: [...all, all[0]!] };
}

/** Steps from block to block that are looked at. */
const STEPS = 60;
/** How often a branch backwards is taken. */
const BACKWARD = 0.9;

/** A way from a block to another, how often it is taken of all times that the first is executed, and the dispatch nodes on it. */
interface Way {
  readonly from: number;
  readonly to: number;
  readonly odds: number;
  readonly passed: number;
}

/** How often control would go over dispatch nodes in so many steps, where branches go both ways at random. */
function turns({ blocks }: Region, { nodes }: Structure): number {
  const ways: Way[] = blocks.flatMap(({ end }, from) => {
    const successors = successorsOf(end);
    // What has left comes in again.
    if (successors.length === 0) return [{ from, to: 0, odds: 1, passed: 0 }];
    const odds = oddsOf(blocks, from, successors);
    return nodes[from]!.routes.map((route, i) => {
      let passed = 0;
      for (let { to, select } = route; select >= 0; passed++) ({ to, select } = nodes[to]!.routes[select]!);
      return { from, to: successors[i]!, odds: odds[i]!, passed };
    });
  });
  let visits = new Float64Array(blocks.length);
  visits[0] = 1;
  let total = 0;
  for (let step = 0; step < STEPS; step++) {
    const next = new Float64Array(blocks.length);
    for (const { from, to, odds, passed } of ways) {
      const share = visits[from]! * odds;
      next[to]! += share;
      total += share * passed;
    }
    visits = next;
  }
  return total;
}

function oddsOf(blocks: readonly RegionBlock[], from: number, successors: readonly number[]): readonly number[] {
  const { end, pc } = blocks[from]!;
  if (end.kind !== 'branch' || successors.length < 2) return successors.map(() => 1 / successors.length);
  const [taken, next] = successors as [number, number];
  if (blocks[taken]!.pc > pc || taken === next) return [0.5, 0.5];
  return [BACKWARD, 1 - BACKWARD];
}
