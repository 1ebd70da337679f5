import assert from 'node:assert/strict';
import { jumpTable } from '../../../emulator/engine/translator/jump-table';
import { Code } from '../../../emulator/engine/wasm/code';
import { ModuleBuilder } from '../../../emulator/engine/wasm/module';
import { va } from '../../../emulator/units';

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { exports: { which(to: bigint): number } };
};

/** Answers the number of the target, -1 for none of them. */
function chooser(targets: readonly number[]): (to: number) => number {
  const module = new ModuleBuilder();
  const code = new Code(['i64']);
  const arms = targets.map((pc, i) => ({
    pc: va(pc),
    go: () => {
      code.i32(i);
      code.return();
    },
  }));
  jumpTable(code, 'test', 0, arms);
  code.i32(-1);
  const index = module.declare({ parameters: ['i64'], results: ['i32'] });
  module.define(index, code);
  module.export('which', index);
  const bytes = module.finish(1);
  const memory = new (WebAssembly as unknown as { Memory: new (limits: object) => object }).Memory({
    initial: 0,
    maximum: 1,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return (to) => exports.which(BigInt(to));
}

describe('An indirect jump in a region', () => {
  const many = (count: number, step: number, from: number): number[] =>
    Array.from({ length: count }, (_, i) => from + ((i * 7) % count) * step);

  for (const [what, targets] of [
    ['three targets', many(3, 6, 0x10000)],
    ['a table of targets', many(24, 10, 0x10ff0)],
    ['a table at the top of the address space', many(16, 2, -64)],
    ['many targets far from each other', many(20, 0x100000, 0x40000000)],
  ] as const)
    it(`goes to each of ${what} and nowhere else`, () => {
      const which = chooser(targets);
      targets.forEach((pc, i) => assert.equal(which(pc), i));
      const known = new Set(targets);
      for (const pc of targets)
        for (const near of [pc - 2, pc + 2, pc + 4, pc + 2 ** 32, pc - 2 ** 32, pc + 2 ** 40])
          if (!known.has(near)) assert.equal(which(near), -1, near.toString(16));
    });
});
