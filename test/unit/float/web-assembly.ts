/** A library of the row language as a WebAssembly module that exports its functions; the engine's own module exports none of them. */
import { Code } from '../../../emulator/engine/wasm/code';
import { Emitter, valueType } from '../../../emulator/engine/wasm/emitter';
import { ModuleBuilder } from '../../../emulator/engine/wasm/module';
import { Placing } from '../../../emulator/engine/wasm/placing';
import { LibraryTarget, type Linkage } from '../../../emulator/engine/wasm/row-function';
import type { FunctionDefinition, Library } from '../../../emulator/isa/language/ir';
import { HartWord } from '../../../emulator/machine/layout';
import type { Outcome } from './vectors';

type Exports = Readonly<Record<string, (...values: (bigint | number)[]) => bigint | number>>;
/** What of the host's WebAssembly object is used here; the types of this project know no DOM. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Exports };
};

/** A module with the functions of a library, all exported; more may be added before it is finished. */
export function libraryModule(library: Library): { readonly module: ModuleBuilder; readonly linkage: Linkage } {
  const module = new ModuleBuilder();
  // The hart stands at address 0, where its global says at first.
  const [hart, target] = [module.global('i32'), module.global('i64')];
  const globals = new Map(
    [...library.globals.values()].map(({ name, type }) => [name, module.global(valueType(type))]),
  );
  const parametersOf = ({ parameters }: FunctionDefinition) => parameters.map(({ type }) => valueType(type));
  const functions = new Map<string, number>();
  const linkage: Linkage = {
    import: (name) => {
      throw new Error(`a function of the library calls the host: ${name}`);
    },
    secondLevel: (name) => {
      throw new Error(`a function of the library accesses memory: ${name}`);
    },
    function: (name) => functions.get(name)!,
    global: (name) => globals.get(name)!,
    placing: new Placing(library),
    target,
    hart,
    // None of them uses it.
    bank: hart,
  };
  for (const definition of library.functions.values()) {
    const results = definition.result ? [valueType(definition.result)] : [];
    const index = module.declare({ parameters: parametersOf(definition), results });
    functions.set(definition.name, index);
    module.export(definition.name, index);
  }
  for (const definition of library.functions.values()) {
    const code = new Code(parametersOf(definition));
    const emitter = new Emitter(code, new LibraryTarget(code, linkage), library);
    definition.parameters.forEach(({ name }, i) => emitter.bind(name, i));
    emitter.function(definition);
    module.define(functions.get(definition.name)!, code);
  }
  return { module, linkage };
}

/** An instance with a memory of its own, as words, in which the hart stands at address 0. */
export function instantiate(module: ModuleBuilder): { readonly exports: Exports; readonly words: Uint32Array } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish(1)), { env: { memory } });
  return { exports, words: new Uint32Array(memory.buffer) };
}

/** Compiles a library; the result calls its functions with integers, `before` being fflags before. */
export function webAssembly(library: Library): (name: string, args: readonly bigint[], before: number) => Outcome {
  const { exports, words } = instantiate(libraryModule(library).module);
  return (name, args, before) => {
    words[HartWord.FCSR] = before;
    const { parameters, result } = library.functions.get(name)!;
    const values = args.map((arg, i) => (parameters[i]!.type === 'i64' ? arg : Number(arg)));
    const answer = BigInt(exports[name]!(...values));
    return { result: BigInt.asUintN(result === 'i64' ? 64 : 32, answer), flags: words[HartWord.FCSR]! };
  };
}
