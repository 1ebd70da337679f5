/** What a region's code calls by index: the same indices and types in every module of regions, so that a function can move between them. */
import type { HelperName } from '../wasm/region-helpers';

export interface RegionLinkage {
  /** Index of the type of a region (engine/convention.ts, REGION). */
  readonly regionType: number;
  /** Index of the type of a row's own function (wasm/row-function.ts); they stand in the table behind the slots. */
  readonly rowType: number;
  /** An access by the host. */
  helper(name: HelperName): number;
  /** A function of the rows' library. */
  function(name: string): number;
}
