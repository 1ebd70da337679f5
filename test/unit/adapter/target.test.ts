/** Run control on real code: breakpoints, steps, stacks and faults, on the tour of C and the real machine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { va } from '../../../emulator/units';
import type { System } from '../../../monitor/system/types';
import { Images } from '../../../debug-adapter/target/image';
import { SourceMap } from '../../../debug-adapter/target/paths';
import type { Wall } from '../../../debug-adapter/target/run-loop';
import type { StepKind } from '../../../debug-adapter/target/step';
import { Target, type Stop } from '../../../debug-adapter/target/target';
import { Bench, fixture } from './bench';

const source = readFileSync(join(process.cwd(), 'test', 'fixtures', 'dwarf', 'tour.c'), 'utf8').split('\n');
/** Line of a `bp:` marker, or of the first line that contains a text. */
function line(text: string): number {
  const at = source.findIndex((one) => one.includes(`bp: ${text} `) || one.includes(text));
  assert.notEqual(at, -1, text);
  return at + 1;
}

const wall: Wall = {
  now: () => performance.now(),
  soon: (then) => void setImmediate(then),
  later: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

function start(
  elf: string,
  options: { stopOnEntry?: boolean; modified?: number; noDebug?: boolean; found?: boolean } = {},
) {
  const bytes = fixture(elf);
  const bench = new Bench(bytes);
  const images = new Images((hash) => (hash === 'tour' ? bytes : undefined));
  const image = images.add('tour', '/root/tour', bytes, { path: '/build/tour', modified: 1000 })!;
  let waiting: ((what: Stop | number | undefined) => void) | undefined;
  const mapped: string[] = [];
  const target = new Target(
    bench as unknown as System,
    images,
    {
      pace: 'fast',
      stopOnEntry: options.stopOnEntry ?? false,
      noDebug: options.noDebug ?? false,
      sourceMap: new SourceMap({}),
      filesOf: (of) =>
        (of.program.lines?.files ?? []).map(({ path }, file) => ({
          ...{ owner: of, file, path },
          local: options.found ? path : undefined,
        })),
      modifiedOf: () => options.modified,
      placeOf: (source) => source,
    },
    wall,
    {
      event: () => undefined,
      mapped: (mapping) => void mapped.push(mapping.label),
      unmapped: () => undefined,
      hazard: () => undefined,
      breakpointChanged: () => undefined,
      stopped: (stop) => waiting?.(stop),
      ended: (status) => waiting?.(status),
      tick: () => undefined,
      stuck: () => undefined,
    },
  );
  const outcome = async (go: () => void) => {
    const arrived = new Promise<Stop | number | undefined>((resolve) => (waiting = resolve));
    go();
    return arrived;
  };
  const run = () => outcome(() => target.resume());
  const step = (kind: StepKind) => outcome(() => target.startStep(kind, 1));
  const stack = () => [...target.stack(1).frames()].map(({ name, place }) => `${name}:${place?.line}`);
  /** Where the innermost frame is. */
  const here = () => stack()[0];
  return { bench, target, image, run, step, stack, here, mapped };
}

/** Runs to the end of `run`, whatever is in the way. */
const IN_LIST = line('in-list');

describe('A breakpoint', () => {
  for (const elf of ['tour-gcc-v5-O0.elf', 'tour-gcc-v4-O0.elf', 'tour-clang-v5-O0.elf'])
    it(`is verified before anything runs and hit once per passage (${elf})`, async () => {
      const { target, run, here } = start(elf);
      const [breakpoint] = target.breakpoints.set('/tour/tour.c', [IN_LIST]);
      assert.deepEqual([breakpoint!.verified, breakpoint!.line], [true, IN_LIST]);
      for (let i = 0; i < 3; i++) {
        const stop = (await run()) as Stop;
        assert.equal(stop.reason, 'breakpoint');
        assert.deepEqual(
          stop.breakpoints?.map(({ id }) => id),
          [breakpoint!.id],
        );
        assert.equal(here(), `sum_list:${IN_LIST}`);
      }
      assert.equal(await run(), 0);
    });

  it('keeps its number when the lines around it change', () => {
    const { target } = start('tour-gcc-v5-O0.elf');
    const [first] = target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    const [other, same] = target.breakpoints.set('/tour/tour.c', [line('in-run'), IN_LIST]);
    assert.equal(same!.id, first!.id);
    assert.notEqual(other!.id, first!.id);
  });

  it('moves to the next line that has code', async () => {
    const { target, run, here } = start('tour-gcc-v5-O0.elf');
    const blank = line('int value = at->value;') - 2; // the line before the loop
    const wanted = target.breakpoints.set('/tour/tour.c', [blank - 3])[0]!;
    assert.ok(wanted.verified);
    assert.ok(wanted.line > blank - 3);
    await run();
    assert.match(here()!, /^\w+:\d+$/);
  });

  it('that was removed while paused is not met again', async () => {
    const { target, run } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    await run();
    target.breakpoints.set('/tour/tour.c', []);
    assert.equal(await run(), 0);
  });

  it('at the opening line of a function stops where its arguments can be read', async () => {
    const { target, run, here } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [line('int shadows(int level) {')]);
    await run();
    assert.equal(here(), `shadows:${line('int value = level + 1;')}`);
  });

  it('in a function that was inlined is hit in the copy', async () => {
    const { target, run, stack } = start('tour-gcc-v5-O2.elf');
    target.breakpoints.set('/tour/tour.c', [line('in-scale')]);
    await run();
    assert.deepEqual(
      stack()
        .map((frame) => frame.split(':')[0])
        .slice(0, 4),
      ['scale', 'twofold', 'run', '_start'],
    );
  });

  it('in a file that no program was built from says so', () => {
    const { target } = start('tour-gcc-v5-O0.elf');
    const [breakpoint] = target.breakpoints.set('/elsewhere/none.c', [1]);
    assert.equal(breakpoint!.verified, false);
    assert.match(breakpoint!.message!, /None of the 1 programs.*sourceMap.*SOURCE_NOT_IN_PROGRAM/);
  });

  it('in a copy of a file that still is where it was built names the other one', () => {
    const { target } = start('tour-gcc-v5-O0.elf', { found: true });
    const [breakpoint] = target.breakpoints.set('/copy/tour.c', [1]);
    assert.equal(breakpoint!.verified, false);
    assert.match(breakpoint!.message!, /this file but one from \/tour\/tour\.c\..*sourceMap/);
  });

  it('behind the last line of a file says so', () => {
    const { target } = start('tour-gcc-v5-O0.elf');
    assert.match(target.breakpoints.set('/tour/tour.c', [99_999])[0]!.message!, /NO_CODE/);
  });

  it('in a source that is newer than the program is not verified', () => {
    const { target } = start('tour-gcc-v5-O0.elf', { modified: 2000 });
    const [breakpoint] = target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    assert.equal(breakpoint!.verified, false);
    assert.match(breakpoint!.message!, /changed after tour was built.*Build again.*SOURCE_NEWER/);
  });

  it('on an instruction that jumps to itself is hit each time', async () => {
    const { target, bench, run } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [line('in-run')]);
    await run();
    const loop = loopAt(bench);
    bench.machine.harts[0]!.pc = va(loop);
    target.breakpoints.set('/tour/tour.c', [line('for (;;)')]);
    for (let i = 0; i < 3; i++) assert.equal(((await run()) as Stop).reason, 'breakpoint');
    assert.equal(bench.machine.harts[0]!.pc, loop);
  });

  it('is hit by another thread that comes there while the first is interrupted before it', async () => {
    const { target, bench, run } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    assert.equal(((await run()) as Stop).tid, 1);
    const interrupted = bench.interruptNext(2);
    assert.equal(((await run()) as Stop).tid, 2, 'the second thread is there now');
    assert.equal(interrupted(), true);
    assert.equal(((await run()) as Stop).tid, 2, 'each time it comes around');
  });

  it('leaves the text of the program as it is', async () => {
    const { target, bench, run } = start('tour-gcc-v5-O0.elf');
    const text = () => Buffer.from(bench.machine.debugPort.read(bench.space, va(0x10000), 0x690)).toString('hex');
    target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    await run();
    const armed = text();
    target.breakpoints.set('/tour/tour.c', []);
    assert.equal(armed, text());
  });
});

describe('A step', () => {
  const at = async (marker: string, elf = 'tour-gcc-v5-O0.elf') => {
    const session = start(elf);
    session.target.breakpoints.set('/tour/tour.c', [line(marker)]);
    await session.run();
    session.target.breakpoints.set('/tour/tour.c', []);
    return session;
  };

  it('over a call stops at the next line of the same frame', async () => {
    const { step, here } = await at('result += sum_list(&first);');
    assert.equal(((await step('next')) as Stop).reason, 'step');
    assert.equal(here(), `run:${line('result += shadows(seed);')}`);
  });

  it('into a call stops at its first line behind the prologue', async () => {
    const { step, stack } = await at('result += sum_list(&first);');
    await step('stepIn');
    assert.deepEqual(stack().slice(0, 2), [
      `sum_list:${line('int total = 0;')}`,
      `run:${line('result += sum_list(&first);')}`,
    ]);
  });

  it('into a call through a pointer stops in what the pointer names', async () => {
    const { step, here } = await at('result += operation(3, 4)');
    await step('stepIn');
    assert.equal(here(), `multiply:${line('static int multiply')}`);
  });

  it('out goes on in the caller, in the middle of its line', async () => {
    const { step, here } = await at('in-list');
    await step('stepOut');
    assert.equal(here(), `run:${line('result += sum_list(&first);')}`);
  });

  it('goes around a loop', async () => {
    const { step, here } = await at('in-list');
    const lines: string[] = [];
    for (let i = 0; i < 4; i++) {
      await step('next');
      lines.push(here()!);
    }
    const loop = line('for (const struct node *at');
    assert.deepEqual(lines.slice(0, 2), [`sum_list:${loop}`, `sum_list:${line('int value = at->value;')}`]);
  });

  it('over the end of a function stops in its caller', async () => {
    const { step, here } = await at('return total;');
    await step('next');
    await step('next');
    assert.equal(here(), `run:${line('result += sum_list(&first);')}`);
  });

  it('works in optimised code without a frame pointer', async () => {
    const { step, here } = await at('result += shadows(seed);', 'tour-gcc-v5-O1.elf');
    await step('stepIn');
    assert.match(here()!, /^shadows:/);
    await step('stepOut');
    assert.match(here()!, /^run:/);
  });

  it('is over when a breakpoint comes first', async () => {
    const { target, step, here, run } = await at('result += sum_list(&first);');
    target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    assert.equal(((await step('next')) as Stop).reason, 'breakpoint');
    assert.equal(here(), `sum_list:${IN_LIST}`);
    target.breakpoints.set('/tour/tour.c', []);
    assert.equal(await run(), 0, 'nothing of the step is left');
  });
});

describe('A run', () => {
  it('with stopOnEntry stops in the function the program begins with', async () => {
    const { run, here } = start('tour-gcc-v5-O0.elf', { stopOnEntry: true });
    assert.equal(((await run()) as Stop).reason, 'entry');
    assert.match(here()!, /^_start:/);
  });

  it('that is paused in a tight loop stops there', async () => {
    const { target, bench, run } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [line('in-run')]);
    await run();
    // `status & 0` is what the program exits with; from here on it only loops if exit is taken away.
    bench.machine.harts[0]!.pc = va(loopAt(bench));
    target.breakpoints.set('/tour/tour.c', []);
    const stopped = run();
    setTimeout(() => target.pause(), 20);
    assert.equal(((await stopped) as Stop).reason, 'pause');
  });

  it('without debugging does not stop', async () => {
    const { target, run } = start('tour-gcc-v5-O0.elf', { noDebug: true, stopOnEntry: true });
    target.breakpoints.set('/tour/tour.c', [IN_LIST]);
    assert.equal(await run(), 0);
  });

  it('that faults stops at the line, with the address', async () => {
    const { target, bench, run, here } = start('tour-gcc-v5-O0.elf');
    target.breakpoints.set('/tour/tour.c', [line('int value = at->value;')]);
    await run();
    target.breakpoints.set('/tour/tour.c', []);
    bench.machine.harts[0]!.setX(8, 0x6000_0000); // the frame pointer leads nowhere
    const stop = (await run()) as Stop;
    assert.equal(stop.reason, 'exception');
    assert.equal(stop.fault?.name, 'SIGSEGV');
    assert.match(stop.fault!.description, /read from an address that is not mapped, 0x5fff/);
    assert.match(here()!, new RegExp(`:${line('int value = at->value;')}$`));
  });
});

/** Where the fixture's endless loop is: a jump to itself at the end of `_start`. */
function loopAt(bench: Bench): number {
  const text = bench.machine.debugPort.read(bench.space, va(0x10000), 0x690);
  for (let at = 0; at < text.length - 1; at += 2) if (text[at] === 0x01 && text[at + 1] === 0xa0) return 0x10000 + at;
  return assert.fail('no jump to itself');
}
