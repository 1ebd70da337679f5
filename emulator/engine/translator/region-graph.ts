/** A region as a graph of its blocks, as structure.ts takes it. */
import type { BlockEnd, Edge, Region } from './region';

/** The blocks that a block leads to, in the order in which its end names them. */
export function successorsOf(end: BlockEnd): number[] {
  const inside = (edge: Edge): number[] => ('block' in edge ? [edge.block] : []);
  switch (end.kind) {
    case 'branch':
      return [...inside(end.taken), ...inside(end.next)];
    case 'jump':
    case 'next':
      return inside(end.to);
    case 'indirect':
      return end.targets.map(({ block }) => block);
    case 'interpret':
      return [];
  }
}

export const graphOfRegion = ({ blocks }: Region): number[][] => blocks.map(({ end }) => successorsOf(end));
