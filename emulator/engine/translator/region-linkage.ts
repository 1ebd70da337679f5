/** What a region's code calls by index: the same indices and types in every module of regions, so that a function can move between them. */
import type { HelperName } from '../wasm/region-helpers';

export interface RegionLinkage {
  /** Index of the type of a region (convention.ts, REGION). */
  readonly regionType: number;
  /** An access by the host. */
  helper(name: HelperName): number;
  /** A function of the rows' library. */
  function(name: string): number;
}
