/** The stitched stack: the frames of each world, with labels where control crossed. */
import assert from 'node:assert/strict';
import { instance } from '../../../monitor/types';
import type { Context } from '../../../monitor/system/types';
import { Stack } from '../../../debug-adapter/inspect/stack/stack';
import { Images } from '../../../debug-adapter/target/image';
import { Worlds } from '../../../debug-adapter/target/worlds';
import { tick, va } from '../../../emulator/units';
import { Bench, fixture } from './bench';

/** Runs the tour to the beginning of `run` and of `shadows`: two moments whose frames are on the stack at the same time. */
function worlds() {
  const bytes = fixture('tour-gcc-v5-O0.elf');
  const bench = new Bench(bytes);
  const image = new Images(() => undefined).add('tour', 'tour', bytes)!;
  const at = (name: string) => {
    const [fn] = image.program.info.functionsNamed(name);
    const address = va(image.program.lines!.afterPrologue(fn!.low, fn!.ranges[0]!.high));
    bench.machine.stops.arm(bench.space, address);
    let exit = bench.run(tick(10_000_000));
    while (exit.reason !== 'stop') exit = bench.run(tick(10_000_000));
    bench.machine.stops.disarm(bench.space, address);
    return bench.machine.harts[0]!.saveRegisters();
  };
  const [outer, inner] = [at('run'), at('shadows')];
  const known = new Worlds();
  known.add({ owner: { kind: 'host', pid: 1 }, label: 'host', space: bench.space, image, base: 0 });
  const stack = (contexts: readonly Context[]) => {
    const system = { read: bench.read.bind(bench), contexts: () => contexts, enclaves: () => NAMES.map(named) };
    return new Stack(system as never, known, 1)
      .entries(0, 100)
      .map((entry) => (entry.kind === 'label' ? `-- ${entry.text}` : entry.name));
  };
  const context = (registers: Context['registers'], more: Omit<Context, 'space' | 'registers'>): Context => ({
    ...{ space: bench.space, registers },
    ...more,
  });
  return { stack, context, outer, inner };
}

const NAMES = ['', 'caller', 'test-server'];
const named = (name: string, number: number) => ({ instance: instance(number), name });
const HOST = { kind: 'host', pid: 1 } as const;
const enclave = (number: number) => ({ kind: 'enclave', instance: instance(number) }) as const;

describe('A stitched stack', () => {
  it('of the host alone has no labels', () => {
    const { stack, context, inner } = worlds();
    assert.deepEqual(stack([context(inner, { world: HOST })]), ['shadows', 'run', '_start']);
  });

  it('names the way into each enclave and server, innermost first', () => {
    const { stack, context, inner, outer } = worlds();
    assert.deepEqual(
      stack([
        context(inner, { world: enclave(2), enteredBy: 'call_enclave' }),
        context(outer, { world: enclave(1), enteredBy: 'run' }),
        context(inner, { world: HOST }),
      ]),
      [
        ...['shadows', 'run', '_start', '-- call_enclave -> test-server #2'],
        ...['run', '_start', '-- PLenclave_run #1'],
        ...['shadows', 'run', '_start'],
      ],
    );
  });

  it('puts the frames of a stopped enclave under a label that says so, above its host thread', () => {
    const { stack, context, inner, outer } = worlds();
    assert.deepEqual(
      stack([context(inner, { world: enclave(1), enteredBy: 'run', stopped: true }), context(outer, { world: HOST })]),
      ['-- stopped', 'shadows', 'run', '_start', '-- PLenclave_run #1', 'run', '_start'],
    );
  });

  it('of an unknown thread is empty', () => {
    assert.deepEqual(worlds().stack([]), []);
  });
});
