/**
 * The interpreter as a WebAssembly module: a function per function of the library, one per row (row-function.ts), which the machine's
 * table holds by handler number behind its slots, and `run` (loop.ts). Made from the rows when the project is built: the bytes depend on
 * nothing else. What translated regions call is exported (region-helpers.ts): functions of the library, and the accesses by the host.
 */
import type { FunctionDefinition, Library, Semantics } from '../../isa/language/ir';
import type { Op } from '../../isa/op';
import { Pseudo } from '../record';
import { REGION, ROW, SLOTS, TABLE_PLACES } from '../convention';
import { Code } from './code';
import { Emitter, valueType } from './emitter';
import { HELPERS, helperCode, libraryExport, signatureOf } from './region-helpers';
import { IMPORTS, type Import } from './imports';
import { LoopBuilder } from './loop';
import { ModuleBuilder, type Signature } from './module';
import { Placing } from './placing';
import { LibraryTarget, RowTarget, type Linkage } from './row-function';
import { SECOND_LEVEL, type SecondLevel } from './second-level';

const WASM_PAGES = 65536;
const RUN: Signature = { parameters: ['i32', 'i32', 'i32'], results: ['i32'] };

class InterpreterModule implements Linkage {
  private readonly module = new ModuleBuilder(TABLE_PLACES);
  private readonly imports = new Map<Import, number>();
  private readonly functions = new Map<string, number>();
  private readonly globals = new Map<string, number>();
  readonly placing: Placing;
  readonly target: number;
  readonly hart: number;
  readonly bank: number;
  private readonly second = new Map<SecondLevel, number>();

  constructor(
    private readonly rows: ReadonlyMap<Op, Semantics>,
    private readonly library: Library,
    private readonly exported: readonly string[],
  ) {
    this.placing = new Placing(library);
    const { module } = this;
    for (const { name, parameters, result } of IMPORTS)
      this.imports.set(
        name,
        module.import(name, { parameters: Array(parameters).fill('i32'), results: result ? ['i32'] : [] }),
      );
    this.target = module.global('i64');
    this.hart = module.global('i32');
    this.bank = module.global('i32');
    for (const { name, type } of library.globals.values()) this.globals.set(name, module.global(valueType(type)));
  }

  import(name: Import): number {
    return this.imports.get(name)!;
  }
  function(name: string): number {
    return this.functions.get(name)!;
  }
  secondLevel(name: SecondLevel): number {
    return this.second.get(name)!;
  }
  global(name: string): number {
    return this.globals.get(name)!;
  }

  build(): Uint8Array {
    const { module } = this;
    for (const definition of this.library.functions.values())
      this.functions.set(definition.name, module.declare(signatureOf(definition)));
    for (const definition of this.library.functions.values())
      module.define(this.function(definition.name), this.libraryFunction(definition));
    for (const { name, signature, code } of SECOND_LEVEL) {
      const index = module.declare(signature);
      module.define(index, code(this.bank));
      this.second.set(name, index);
    }
    for (const [op, semantics] of this.rows)
      this.rowFunction(op, (target, emitter) => {
        target.begin(semantics.usesFloat);
        emitter.row(semantics.body);
        target.end();
      });
    this.rowFunction(Pseudo.ILLEGAL, (target) => target.illegal());
    for (const helper of HELPERS) {
      const index = module.declare(helper.signature);
      module.define(index, helperCode(helper, this));
      module.export(helper.name, index);
    }
    for (const name of this.exported) module.export(libraryExport(name), this.function(name));
    const run = module.declare(RUN);
    module.define(run, new LoopBuilder(this.rows, this.library, this, module.type(ROW), module.type(REGION)).build());
    module.export('run', run);
    return module.finish(WASM_PAGES);
  }

  private libraryFunction(definition: FunctionDefinition): Code {
    const code = new Code(definition.parameters.map(({ type }) => valueType(type)));
    const emitter = new Emitter(code, new LibraryTarget(code, this), this.library);
    definition.parameters.forEach(({ name }, i) => emitter.bind(name, i));
    emitter.function(definition);
    return code;
  }

  private rowFunction(handler: number, emit: (target: RowTarget, emitter: Emitter) => void): void {
    const code = new Code(ROW.parameters);
    const target = new RowTarget(code, this);
    emit(target, new Emitter(code, target, this.library));
    const index = this.module.declare(ROW);
    this.module.define(index, code);
    this.module.element(SLOTS + handler, index);
  }
}

/** The bytes of the interpreter for these rows. `exported`: functions of the library that translated regions call. */
export function interpreterModule(
  rows: ReadonlyMap<Op, Semantics>,
  library: Library,
  exported: readonly string[],
): Uint8Array {
  return new InterpreterModule(rows, library, exported).build();
}
