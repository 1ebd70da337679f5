import assert from 'node:assert/strict';
import { tick } from '../../../emulator/units';
import { compile, needsCompiler } from './compile';
import { newHost, type Host, type HostOptions } from './host';

/** Ticks spread over a run by a fixed generator. */
function cuts(count: number, end: number): number[] {
  let state = 12345;
  const points = Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  });
  return points.sort((a, b) => a - b);
}

interface Outcome {
  readonly hash: string;
  readonly tick: number;
  readonly text: string;
  readonly sequence: number;
}
const outcome = (host: Host, text: string): Outcome => ({
  hash: host.machine.hash(),
  tick: host.machine.tick,
  text,
  sequence: host.machine.outbox.sequence,
});

/** Runs to `at`, saves, and goes on in a new machine, at every cut. */
function inPieces(options: HostOptions, points: readonly number[]): Outcome {
  let host = newHost(options);
  let text = '';
  for (const at of points) {
    host.run(at);
    text += host.text();
    const saved = structuredClone(host.machine.save());
    const next = newHost({ ...options });
    next.machine.load(saved);
    next.machine.outbox.drain();
    next.machine.outbox.assumeDelivered();
    assert.equal(next.machine.hash(), host.machine.hash(), `hash after loading at ${at}`);
    host = next;
  }
  host.run();
  return outcome(host, text + host.text());
}

describe('A run that is cut, saved and continued elsewhere', function () {
  before(function () {
    needsCompiler(this);
  });

  for (const [name, options] of [
    ['threads', { quantum: 2000, vary: true }],
    ['sleep', {}],
    ['memory', {}],
    ['echo', { stdin: 'some\ntext\n' }],
    ['signals', {}],
    ['signals2', { quantum: 3000, vary: true }],
    ['fork', {}],
    ['maps', {}],
    ['tree', {}],
  ] as const)
    it(`${name}: same hash, same output, nothing twice`, () => {
      const all: HostOptions = { program: compile(name), ramMiB: 64, ...options };
      const whole = newHost(all);
      whole.run();
      const expected = outcome(whole, whole.text());
      assert.deepEqual(inPieces(all, cuts(6, expected.tick)), expected);
    });

  it('going back to a snapshot in the same machine repeats the run', () => {
    const host = newHost({ program: compile('threads'), ramMiB: 64, quantum: 2000 });
    const points = cuts(8, 2_000_000);
    const snapshots = points.map((at) => {
      host.machine.run(tick(at));
      return { at: host.machine.tick, hash: host.machine.hash(), snapshot: host.machine.snapshot() };
    });
    host.run();
    const end = host.machine.hash();
    for (const { hash, snapshot } of snapshots.reverse()) {
      host.machine.restore(snapshot);
      assert.equal(host.machine.hash(), hash);
      host.run();
      assert.equal(host.machine.hash(), end);
    }
    assert.equal(host.text(), 'next 400 total 1400 sum 280\n', 'output was delivered once');
  });
});
