/**
 * The WebAssembly interpreter as an engine. The module was made from the rows when the project was built, because parsing them and
 * emitting costs 150 ms; it is compiled once per process, in 3 ms, when the first machine is made. Every machine has an instance of its own,
 * with its memory and host.
 */
import type { Hart } from '../../hart/hart';
import { hartOffset } from '../../machine/layout';
import { LoopEngine } from '../loop-engine';
import { TABLE_PLACES } from '../translator/convention';
import type { Left } from '../types';
import { WASM_MODULE } from '../generated/wasm-module';
import { importsOf } from './imports';

interface Instance {
  readonly exports: { readonly run: (hart: number, bank: number, limit: number) => Left };
}
/** What of the host's WebAssembly object is used here; the types of this project know no DOM. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => Instance;
      readonly Table: new (limits: { element: 'anyfunc'; initial: number; maximum: number }) => object;
    }
  | undefined;

function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

let compiled: object | undefined;
/** @throws where the host has no WebAssembly, or refuses to compile */
function interpreter(): object {
  if (typeof WebAssembly === 'undefined') throw new Error('this host has no WebAssembly');
  return (compiled ??= new WebAssembly.Module(bytesOf(WASM_MODULE)));
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
      env: {
        memory: this.host.memory.wasmMemory,
        table: new WebAssembly!.Table({ element: 'anyfunc', initial: TABLE_PLACES, maximum: TABLE_PLACES }),
        ...importsOf(this.host),
      },
    }));
  }

  protected loop(hart: Hart, limit: number): Left {
    return this.instantiate().exports.run(hartOffset(hart.id), 4 * hart.translations.bank, limit);
  }
}
