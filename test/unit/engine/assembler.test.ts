import assert from 'node:assert/strict';
import { Bytes } from '../../../emulator/engine/wasm/bytes';
import { Code } from '../../../emulator/engine/wasm/code';
import { ModuleBuilder } from '../../../emulator/engine/wasm/module';

interface Memory {
  readonly buffer: ArrayBuffer;
}
interface Exports {
  readonly exports: Readonly<Record<string, (...args: (number | bigint)[]) => number | bigint | void>>;
}
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => Exports;
};

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const instantiate = (module: ModuleBuilder, env: object = {}): Exports['exports'] =>
  new WebAssembly.Instance(new WebAssembly.Module(module.finish(1)), { env: { memory, ...env } }).exports;

/** A module whose function `f` takes an i64 and gives one. */
function unary(emit: (code: Code) => void): (value: bigint) => bigint {
  const module = new ModuleBuilder();
  const code = new Code(['i64']);
  emit(code);
  const f = module.declare({ parameters: ['i64'], results: ['i64'] });
  module.define(f, code);
  module.export('f', f);
  return instantiate(module)['f'] as (value: bigint) => bigint;
}

describe('The WebAssembly assembler', () => {
  it('writes integers as LEB128, signed ones with their sign', () => {
    const written = (write: (to: Bytes) => void): number[] => {
      const bytes = new Bytes();
      write(bytes);
      return [...bytes.view];
    };
    // The example of the format's definition (DWARF 5, 7.6).
    assert.deepEqual(
      [2, 127, 128, 129, 12857].map((value) => written((to) => to.u32(value))),
      [[2], [0x7f], [0x80, 1], [0x81, 1], [0xb9, 0x64]],
    );
    assert.deepEqual(
      [2, -2, 127, -127, 128, -128, -129].map((value) => written((to) => to.s32(value))),
      [[2], [0x7e], [0xff, 0], [0x81, 0x7f], [0x80, 1], [0x80, 0x7f], [0xff, 0x7e]],
    );
    assert.deepEqual(
      written((to) => to.u32(0xffffffff)),
      [0xff, 0xff, 0xff, 0xff, 0x0f],
    );
  });

  it('constants of every size come out as they went in', () => {
    for (const shift of [0n, 6n, 7n, 13n, 31n, 32n, 62n, 63n])
      for (const near of [-1n, 0n, 1n])
        for (const sign of [1n, -1n]) {
          const value = BigInt.asIntN(64, sign * (1n << shift) + near);
          assert.equal(unary((code) => code.i64(value))(0n), value);
        }
  });

  it('a branch to a label leaves the innermost block of that name; a loop begins again', () => {
    const sum = unary((code) => {
      const total = code.local('i64');
      code.block('end');
      code.loop('again');
      code.get(0);
      code.op('i64.eqz');
      code.brIf('end');
      code.get(total);
      code.get(0);
      code.op('i64.add');
      code.set(total);
      code.get(0);
      code.i64(1n);
      code.op('i64.sub');
      code.set(0);
      code.br('again');
      code.end();
      code.end();
      code.get(total);
    });
    assert.equal(sum(100n), 5050n);
  });

  it('a table jump takes the place its number says, or the last one', () => {
    const choose = unary((code) => {
      code.block('two');
      code.block('one');
      code.get(0);
      code.op('i32.wrap_i64');
      code.brTable(['one', 'two'], 'two');
      code.end();
      code.i64(1n);
      code.return();
      code.end();
      code.i64(2n);
    });
    assert.deepEqual([0n, 1n, 2n, 99n].map(choose), [1n, 2n, 2n, 2n]);
  });

  it('functions call imports, one another, and what stands in the table', () => {
    const module = new ModuleBuilder();
    const signature = { parameters: ['i32'], results: ['i32'] } as const;
    const imported = module.import('triple', signature);
    const inner = new Code(['i32']);
    inner.get(0);
    inner.call(imported);
    const outer = new Code(['i32']);
    outer.get(0);
    outer.i32(5);
    outer.callIndirect(module.type(signature));
    const [first, second] = [module.declare(signature), module.declare(signature)];
    module.define(first, inner);
    module.define(second, outer);
    module.element(5, first);
    module.export('f', second);
    assert.equal(instantiate(module, { triple: (value: number) => 3 * value })['f']!(14), 42);
  });

  it('refuses a label that is not there, a block without an end, and an operator that does not exist', () => {
    const code = new Code([]);
    assert.throws(() => code.br('nowhere'), /no label nowhere/);
    assert.throws(() => code.op('i32.frobnicate'), /i32.frobnicate is no operator/);
    code.block('open');
    assert.throws(() => code.finish(), /block open has no end/);
  });
});
