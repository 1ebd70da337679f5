/**
 * The WebAssembly interpreter as an engine. The module is made once per process, from the rows, when the first machine runs; every
 * machine has an instance of its own, with its memory and host.
 */
import { rowLibrary, rowSemantics } from '../../isa/semantics';
import type { Hart } from '../../hart/hart';
import { hartOffset } from '../../machine/layout';
import { LoopEngine } from '../loop-engine';
import type { Left } from '../types';
import { importsOf } from './imports';
import { interpreterModule } from './interpreter-module';

interface Instance {
  readonly exports: { readonly run: (hart: number, bank: number, limit: number) => Left };
}
/** What of the host's WebAssembly object is used here; the types of this project know no DOM. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => Instance;
    }
  | undefined;

let compiled: object | undefined;
/** @throws where the host has no WebAssembly, or refuses to compile */
function interpreter(): object {
  if (typeof WebAssembly === 'undefined') throw new Error('this host has no WebAssembly');
  return (compiled ??= new WebAssembly.Module(interpreterModule(rowSemantics(), rowLibrary())));
}

export class WasmEngine extends LoopEngine {
  private instance: Instance | undefined;

  /** Can this host run it? */
  static get available(): boolean {
    try {
      interpreter();
      return true;
    } catch {
      return false;
    }
  }

  private instantiate(): Instance {
    return (this.instance ??= new WebAssembly!.Instance(interpreter(), {
      env: { memory: this.host.memory.wasmMemory, ...importsOf(this.host) },
    }));
  }

  protected loop(hart: Hart, limit: number): Left {
    return this.instantiate().exports.run(hartOffset(hart.id), 4 * hart.translations.bank, limit);
  }
}
