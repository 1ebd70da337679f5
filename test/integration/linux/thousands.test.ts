/** Crowds of threads: whatever they all wait for, no step of the host OS does something to more than a few pieces of them. */
import assert from 'node:assert/strict';
import { sizeOf } from '../../../emulator/machine/fifo';
import { PIECE } from '../../../emulator/linux/scheduler';
import type { State } from '../../../emulator/linux/state';
import { compile, needsCompiler } from './compile';
import { newHost, type Host } from './host';

const THREADS = 1200;
/** Threads that one step may wake, move or end: those of the pieces that fit into it, and the rest of one. */
const MOST = 4 * PIECE;
const EXPECTED = 'woken\nmoved\nend of file\nslept\nstopped 1\ncontinued\nkilled by 9\n';

const start = (quantum: number): Host =>
  newHost({ program: compile('thousands'), args: [String(THREADS)], ramMiB: 128, quantum });

/** Counts, at most in one step: threads that became ready, and those that came to a queue or left it. */
function countWork(host: Host): { ready: number; queued: number } {
  const most = { ready: 0, queued: 0 };
  const { supervisor } = host.machine.personalities;
  host.machine.personalities.supervisor = {
    step(hart) {
      const before = supervisor!.snapshot() as State;
      const cost = supervisor!.step(hart);
      const after = supervisor!.snapshot() as State;
      most.ready = Math.max(most.ready, after.ready.size - before.ready.size);
      if (after.queues === before.queues) return cost;
      for (const name of new Set([...before.queues.keys(), ...after.queues.keys()])) {
        const [one, other] = [before, after].map(({ queues }) => queues.get(name));
        const change = (one ? sizeOf(one) : 0) - (other ? sizeOf(other) : 0);
        most.queued = Math.max(most.queued, Math.abs(change));
      }
      return cost;
    },
    snapshot: () => supervisor!.snapshot(),
    restore: (root) => supervisor!.restore(root),
  };
  return most;
}

describe('Crowds of threads', function () {
  before(function () {
    needsCompiler(this);
  });

  it(`are woken, moved, timed out, stopped, continued and ended ${MOST} at most in a step`, () => {
    const host = start(100_000);
    const most = countWork(host);
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.text(), EXPECTED);
    assert.ok(most.ready > PIECE && most.ready <= MOST, `${most.ready} threads became ready in one step`);
    assert.ok(most.queued > PIECE && most.queued <= MOST, `${most.queued} threads changed a queue in one step`);
  });

  it('end as they do when they are saved and loaded in the middle of it', () => {
    const whole = start(20_000);
    whole.run();
    assert.equal(whole.text(), EXPECTED);
    const busy = findBusy();
    assert.ok(busy.length >= 3, `${busy.length} jobs that wake or end many`);
    let host = start(20_000);
    let text = '';
    for (const at of busy) {
      host.run(at);
      text += host.text();
      const saved = structuredClone(host.machine.save());
      host = start(20_000);
      host.machine.load(saved);
      host.machine.outbox.drain();
      host.machine.outbox.assumeDelivered();
    }
    host.run();
    assert.equal(text + host.text(), EXPECTED);
    assert.equal(host.machine.hash(), whole.machine.hash());
  });
});

/** Ticks at which jobs for crowds have begun. */
function findBusy(): number[] {
  const host = start(20_000);
  const { supervisor } = host.machine.personalities;
  const ticks: number[] = [];
  let known = 0;
  host.machine.personalities.supervisor = {
    step(hart) {
      const cost = supervisor!.step(hart);
      const { jobs, readyJobs } = supervisor!.snapshot() as State;
      const job = jobs.get(readyJobs.first() ?? 0);
      if (job && (job.work.kind === 'wake' || job.work.kind === 'crowd') && job.id !== known) {
        known = job.id;
        ticks.push(host.machine.tick + cost);
      }
      return cost;
    },
    snapshot: () => supervisor!.snapshot(),
    restore: (root) => supervisor!.restore(root),
  };
  host.run();
  return ticks;
}
