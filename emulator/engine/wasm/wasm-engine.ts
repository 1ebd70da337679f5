/**
 * The WebAssembly interpreter as an engine. The module was made from the rows when the project was built, because parsing them and
 * emitting costs 150 ms; it is compiled once per process, in 3 ms, when the first machine is made. Every machine has an instance of its own,
 * with its memory and host.
 */
import type { Hart } from '../../hart/hart';
import { hartOffset } from '../../machine/layout';
import { WASM_MODULE } from '../generated/wasm-module';
import type { Host } from '../host';
import { LoopEngine } from '../loop-engine';
import { TABLE_PLACES } from '../convention';
import type { Left } from '../types';
import { importsOf } from './imports';
import { compile, instantiate, isPresent, newTable, type Table } from './web-assembly';

/** Of Node.js, which decodes in a hundredth of the time; absent in a browser. */
declare const Buffer: { from(text: string, encoding: 'base64'): Uint8Array } | undefined;

function bytesOf(base64: string): Uint8Array {
  if (typeof Buffer !== 'undefined') return Buffer.from(base64, 'base64');
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

let compiled: object | undefined;
/** @throws where the host has no WebAssembly, or refuses to compile */
const interpreter = (): object => (compiled ??= compile(bytesOf(WASM_MODULE)));

/** An instance of the interpreter's module with a table of its own. */
export interface Core {
  readonly table: Table;
  /** See loop.ts. */
  readonly run: (hart: number, bank: number, limit: number) => Left;
  /** What modules of translated regions import (region-helpers.ts). */
  readonly forRegions: object;
}

export function newCore(host: Host): Core {
  const table = newTable(TABLE_PLACES);
  const shared = { memory: host.memory.wasmMemory, table };
  const { exports } = instantiate(interpreter(), { ...shared, ...importsOf(host) });
  return { table, run: exports.run as Core['run'], forRegions: { ...shared, ...exports } };
}

export class WasmEngine extends LoopEngine {
  private core: Core | undefined;

  /** Can this host run it? */
  static get available(): boolean {
    try {
      interpreter();
      return isPresent();
    } catch {
      return false;
    }
  }

  protected loop(hart: Hart, limit: number): Left {
    this.core ??= newCore(this.host);
    return this.core.run(hartOffset(hart.id), 4 * hart.translations.bank, limit);
  }
}
