/**
 * The WebAssembly modules that live regions stand in. A module is made from a batch of regions; its functions are in the table at their
 * slots from then on.
 *
 * Modules must be few, and dead ones must go, but V8 (11.3, and until at least 12.4) keeps whatever instance imports a table alive as long
 * as the table lives, and a copy of the table in each. So there are generations: after MODULES modules everything begins anew with
 * another table and another instance of the interpreter. Modules are taken over as they are, with the code that V8 has optimised; small
 * ones, and those with dead regions, are merged: a function is the same in any module, because all of them have the same imports and types.
 * Measured with 1600 modules of 20 KB: 417 MiB with one table, 134 MiB in generations of 64.
 */
import { LIBRARY } from '../generated/wasm-module';
import { HELPERS, libraryExport, type HelperName } from '../wasm/region-helpers';
import { ModuleBuilder } from '../wasm/module';
import { compile, instantiate } from '../wasm/web-assembly';
import type { Core } from '../wasm/wasm-engine';
import { REGION, ROW, TABLE_PLACES } from '../convention';
import type { LiveRegion } from './live-region';
import type { RegionLinkage } from './region-linkage';

const WASM_PAGES = 65536;
/** Modules of a generation, dead ones included. */
const MODULES = 64;
/** Modules that a generation may begin with. */
const KEPT = 16;

/** The imports of every module of regions, in a module that has none yet. */
class RegionImports implements RegionLinkage {
  readonly regionType: number;
  readonly rowType: number;
  private readonly functions = new Map<string, number>();

  constructor(module: ModuleBuilder) {
    this.regionType = module.type(REGION);
    this.rowType = module.type(ROW);
    for (const { name, signature } of HELPERS) this.functions.set(name, module.import(name, signature));
    for (const { name, signature } of LIBRARY)
      this.functions.set(libraryExport(name), module.import(libraryExport(name), signature));
  }

  helper(name: HelperName): number {
    return this.functions.get(name)!;
  }
  function(name: string): number {
    return this.functions.get(libraryExport(name))!;
  }
}

interface RegionModule {
  readonly module: object;
  readonly regions: readonly LiveRegion[];
}

function moduleOf(regions: readonly LiveRegion[]): RegionModule {
  const builder = new ModuleBuilder(TABLE_PLACES);
  new RegionImports(builder);
  for (const { slot, body } of regions) {
    const index = builder.declare(REGION);
    builder.defineBody(index, body);
    builder.element(slot, index);
  }
  return { module: compile(builder.finish(WASM_PAGES)), regions };
}

export class RegionModules {
  readonly linkage: RegionLinkage = new RegionImports(new ModuleBuilder(TABLE_PLACES));
  private modules: RegionModule[] = [];
  /** Instances of modules of regions in this generation. */
  private instances = 0;
  /** Modules that were compiled, ever. */
  compiled = 0;
  /** How often everything began anew. */
  generations = 0;

  constructor(
    public core: Core,
    private readonly newCore: () => Core,
  ) {}

  /** Regions get a module, and their functions their places in the table. */
  add(regions: readonly LiveRegion[]): void {
    if (this.instances >= MODULES) this.renew();
    this.enter(this.make(regions));
  }

  /** Nobody reaches the function of a slot any more. */
  remove(slot: number): void {
    this.core.table.set(slot, null);
  }

  private make(regions: readonly LiveRegion[]): RegionModule {
    this.compiled++;
    return moduleOf(regions);
  }

  private enter(module: RegionModule): void {
    instantiate(module.module, this.core.forRegions);
    this.modules.push(module);
    this.instances++;
  }

  /** A new generation. */
  private renew(): void {
    this.generations++;
    const old = this.modules;
    this.core = this.newCore();
    this.modules = [];
    this.instances = 0;
    for (const module of this.merged(old)) this.enter(module);
  }

  /**
   * Few modules with all regions that are alive, in the order in which they are to be instantiated: of two regions that have had the same
   * slot, the one that is alive has it last.
   */
  private merged(modules: readonly RegionModule[]): RegionModule[] {
    const alive = new Map(modules.map((module) => [module, module.regions.filter((region) => region.alive)]));
    const large = [...alive.entries()]
      .filter(([{ regions }, { length }]) => 2 * length > regions.length)
      .sort(([, a], [, b]) => b.length - a.length)
      .slice(0, KEPT - 1);
    const kept = new Set(large.map(([module]) => module));
    const rest = modules.filter((module) => !kept.has(module)).flatMap((module) => alive.get(module)!);
    return [...modules.filter((module) => kept.has(module)), ...(rest.length > 0 ? [this.make(rest)] : [])];
  }
}
