/** What a region's code calls by index: the same indices and types in every module of regions, so that a function can move between them. */

/** Accesses by the host: functions of the core module (the address, for a store the value, what `rest` is when the instruction is done). */
export type Helper = `${'load' | 'store'}${8 | 16 | 32 | 64}`;

export interface RegionLinkage {
  /** Index of the type of a region (convention.ts, REGION). */
  readonly regionType: number;
  helper(name: Helper): number;
  /** A function of the rows' library. */
  function(name: string): number;
}
