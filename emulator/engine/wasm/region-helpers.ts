/**
 * Functions of the interpreter's module that translated regions call: accesses by the host, where the translations don't answer, and the
 * rows' library. Every module of regions imports them all, in one order, so that a function keeps its meaning in any of them.
 *
 * `load8 … load64(bank, address, rest)` answers the value, zero-extended, its Result at Area.RESULT;
 * `store8 … store64(bank, address, value, rest)` answers the Result. `rest` is the number of instructions that may be begun behind this one.
 * They look at the translations once more, then at their second level: an access that shared its look with others
 * (translator/access-groups.ts) may still hit, and so may one that is not aligned.
 */
import type { FunctionDefinition } from '../../isa/language/ir';
import { Area, Bank } from '../../machine/layout';
import { Result } from '../types';
import { Code } from './code';
import { valueType, type Push } from './emitter';
import type { Signature } from './module';
import { pair, type Linkage } from './row-function';
import { LOADS, STORES, TranslatedAccess } from './translated-access';

export type HelperName = `${'load' | 'store'}${8 | 16 | 32 | 64}`;

interface Helper {
  readonly name: HelperName;
  readonly store: boolean;
  readonly bits: 8 | 16 | 32 | 64;
  readonly signature: Signature;
}

export const HELPERS: readonly Helper[] = ([8, 16, 32, 64] as const).flatMap((bits) => {
  const value = bits === 64 ? 'i64' : 'i32';
  return [
    { name: `load${bits}`, store: false, bits, signature: { parameters: ['i32', 'i64', 'i32'], results: [value] } },
    {
      name: `store${bits}`,
      store: true,
      bits,
      signature: { parameters: ['i32', 'i64', value, 'i32'], results: ['i32'] },
    },
  ] as const;
});

/** Name of a function of the library among the module's exports. */
export const libraryExport = (name: string): string => `library ${name}`;

export const signatureOf = ({ parameters, result }: FunctionDefinition): Signature => ({
  parameters: parameters.map(({ type }) => valueType(type)),
  results: result ? [valueType(result)] : [],
});

/** Tells the host how many instructions have begun, where so many may be begun behind this one. */
export function tellCount(code: Code, rest: Push): void {
  code.i32(0);
  code.i32(0);
  code.memory('i32.load', Area.LIMIT);
  rest();
  code.op('i32.sub');
  code.memory('i32.store', Area.COUNT);
}

/** What the bank answers is done and returned. */
function hit(code: Code, bank: number, store: boolean, bits: number): void {
  const [address, value] = [bank + 1, bank + 2];
  const access = new TranslatedAccess(code, bank, 'miss');
  code.block('miss');
  access.placeInPage(store ? Bank.WRITE : Bank.READ, address, bits);
  if (store) code.get(value);
  done(code, store, bits);
  code.end();
}

/** Behind the place of an access, and the value of a store. */
function done(code: Code, store: boolean, bits: number): void {
  if (store) {
    code.memory(STORES[bits]!);
    code.i32(Result.DONE);
  } else {
    code.memory(LOADS[bits]!);
    code.i32(0);
    code.i32(Result.DONE);
    code.memory('i32.store', Area.RESULT);
  }
  code.return();
}

/** What the second level answers is done and returned. */
function second(code: Code, { store, bits }: Helper, linkage: Linkage): void {
  const [address, value] = [1, 2];
  const place = code.local('i32');
  code.get(address);
  code.i32(bits / 8);
  code.call(linkage.secondLevel(store ? 'secondStore' : 'secondLoad'));
  code.tee(place);
  code.if();
  code.get(place);
  if (store) code.get(value);
  done(code, store, bits);
  code.end();
  code.release('i32', place);
}

export function helperCode(helper: Helper, linkage: Linkage): Code {
  const { store, bits, signature } = helper;
  const code = new Code(signature.parameters);
  const [bank, address, value] = [0, 1, 2];
  const rest = store ? 3 : 2;
  hit(code, bank, store, bits);
  second(code, helper, linkage);
  const host = linkage.import(store ? 'store' : 'load');
  tellCount(code, () => code.get(rest));
  const result = code.local('i32');
  pair(code, () => code.get(address));
  code.i32(bits / 8);
  if (store) {
    if (bits === 64) pair(code, () => code.get(value));
    else {
      code.get(value);
      code.i32(0);
    }
    code.call(host);
    return code;
  }
  code.call(host);
  code.set(result);
  code.i32(0);
  code.get(result);
  code.memory('i32.store', Area.RESULT);
  code.i32(0);
  code.memory(bits === 64 ? 'i64.load' : 'i32.load', Area.VALUE);
  return code;
}
