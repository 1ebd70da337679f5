/** The library's functions as the generator of the source interpreter lowers them, called with BigInts. */
import { transformSync } from 'esbuild';
import { functionName, parameterName, type Linkage } from '../../../../emulator/engine/source/statements';
import { functionTexts, newLinkage, preamble, settle } from '../../../../emulator/engine/source/functions';
import * as support from '../../../../emulator/engine/source/support';
import type { Library, Type } from '../../../../emulator/isa/language/ir';
import { HartWord } from '../../../../emulator/machine/layout';
import type { Value } from '../../../reference/evaluate';

export interface Compiled {
  /** Calls a function; `fcsr` is frm << 5 | fflags before. */
  call(name: string, args: readonly Value[], fcsr?: number): { result: Value | undefined; fcsr: number };
  readonly text: string;
}

/** @param inlines functions of the library may be put in place of their calls */
export function compiled(library: Library, inlines: boolean): Compiled {
  // What is called from outside stays a function of its own.
  const usual = newLinkage(library);
  const called = (name: string): boolean => inlines && usual.inlined.has(name) && !name.startsWith('test');
  const linkage: Linkage = { ...usual, inlined: new Set([...usual.inlined].filter(called)) };
  const names = [...library.functions.keys()].filter((name) => !called(name));
  const texts = settle(linkage, () => functionTexts(linkage, names));
  const table = names.map((name) => `${name}: ${functionName(name)}`);
  const text = [
    ...preamble(linkage, 'support', texts.join('\n')),
    ...texts,
    `exports.table = { ${table.join(', ')} };`,
    'exports.bind = (words: Int32Array) => { x = words; };',
  ].join('\n');
  const { code } = transformSync(text, { loader: 'ts', format: 'cjs', target: 'node20' });
  const exports: {
    table?: Record<string, (...args: unknown[]) => unknown>;
    bind?: (words: Int32Array) => void;
  } = {};
  new Function('exports', 'require', code)(exports, () => support);
  const words = new Int32Array(HartWord.STATE_WORDS);
  exports.bind!(words);
  return {
    text,
    call(name, args, fcsr = 0) {
      words[HartWord.FCSR] = fcsr;
      const { parameters, result } = library.functions.get(name)!;
      const given = parameters.flatMap((parameter, i) => {
        const need = linkage.needs.get(parameterName(name, parameter.name)) ?? 0;
        return pass(parameter.type, args[i]!, need & 4 ? 3 : need);
      });
      const answer = exports.table![name]!(...given);
      return { result: result && back(result, answer), fcsr: words[HartWord.FCSR]! };
    },
  };
}

/** A value as the generated code takes it: of an i64 the halves that it needs. */
function pass(type: Type, value: Value, need: number): unknown[] {
  if (typeof value === 'number') return [value];
  if (type === 'bool') return [value !== 0n];
  const low = Number(BigInt.asIntN(32, value));
  if (type === 'i32') return [low];
  return [...(need & 1 ? [low] : []), ...(need & 2 ? [Number(BigInt.asIntN(32, value >> 32n))] : [])];
}

function back(type: Type, answer: unknown): Value {
  if (type === 'bool') return BigInt(answer as boolean);
  if (type === 'f32' || type === 'f64') return answer as number;
  const word = answer as number;
  if (word !== (word | 0)) throw new Error(`${word} is no int32`);
  const low = BigInt.asUintN(32, BigInt(word));
  return type === 'i32' ? low : (BigInt.asUintN(32, BigInt(support.words[0]!)) << 32n) | low;
}
