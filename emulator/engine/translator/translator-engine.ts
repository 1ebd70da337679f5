/** The WebAssembly interpreter with the translator beside it as an engine. */
import { Area, hartOffset } from '../../machine/layout';
import type { Hart } from '../../hart/hart';
import { COLD, type Host } from '../host';
import { LoopEngine } from '../loop-engine';
import { Code } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { validates } from '../wasm/web-assembly';
import { newCore } from '../wasm/wasm-engine';
import type { Left, Translated } from '../types';
import { RegionModules } from './region-modules';
import { Translator } from './translator';

/** V8 puts faster code in place of a function when it is called, so the loop is left now and then: at a hotness of 1000 after 200,000 instructions. */
const LONGEST = 200;

function tailCallsWork(): boolean {
  const module = new ModuleBuilder(1);
  const code = new Code([]);
  code.i32(0);
  const type = module.type({ parameters: [], results: [] });
  code.returnCallIndirect(type);
  module.define(module.declare({ parameters: [], results: [] }), code);
  return validates(module.finish(1));
}

let available: boolean | undefined;

export class TranslatorEngine extends LoopEngine {
  private modules: RegionModules | undefined;
  private translator: Translator | undefined;
  private executed = 0;
  private readonly onHot = (at: number, low: number, high: number): number => this.translator!.hot(at, low, high);

  constructor(
    host: Host,
    private readonly hotness: number,
  ) {
    super(host);
  }

  /** Can this host run it? */
  static get available(): boolean {
    return (available ??= tailCallsWork());
  }

  private begin(modules: RegionModules): Translator {
    const { host, hotness } = this;
    const translator = new Translator(host, modules, hotness);
    host.code.listener = translator;
    return translator;
  }

  get translated(): Translated | undefined {
    const { translator, modules } = this;
    if (!translator || !modules) return undefined;
    const { compiled, generations } = modules;
    return { made: translator.made, live: translator.regions.count, modules: compiled, generations };
  }

  rest(): void {
    if (!this.translator) return;
    this.translator.regions.setLinked(false);
    this.host.onHot = () => COLD;
  }

  protected loop(hart: Hart, limit: number): Left {
    this.modules ??= new RegionModules(newCore(this.host), () => newCore(this.host));
    this.translator ??= this.begin(this.modules);
    const { translator } = this;
    translator.regions.setLinked(true);
    this.host.onHot = this.onHot;
    translator.work(hart, this.executed);
    const left = this.modules.core.run(
      hartOffset(hart.id),
      4 * hart.translations.bank,
      Math.min(limit, LONGEST * this.hotness),
    );
    this.executed = this.host.memory.i32[Area.COUNT / 4]!;
    return left;
  }
}
