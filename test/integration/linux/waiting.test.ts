import assert from 'node:assert/strict';
import { tick } from '../../../emulator/units';
import { compile, needsCompiler } from './compile';
import { newHost, type Host, type HostOptions } from './host';
import { golden, hasOracle, onLinux } from './oracle';

const PROGRAMS = {
  epoll: 'epoll: levels, edges, one-shot, nesting, waits with timeouts and signals',
  timers: 'timerfd, POSIX and interval timers, signalfd, clocks',
  sockets: 'Unix and loopback sockets: streams, packets, names, options, errors, files sent along',
  shared: 'locks of several processes, owners that die, pipes, poll and select',
  locks: 'mutexes of all kinds, conditions, barriers, semaphores, futex operations',
} as const;
/** qemu-riscv64 7.2 has no robust lists: the expected output of these is that of the same program on an x86-64 Linux. */
const WITHOUT_ORACLE = ['locks', 'shared'];
/** It does not tell of control messages that were cut (MSG_CTRUNC), either. */
const asTold = (text: string): string => text.replace('flags 40000008', 'flags 40000000');

function finished(options: HostOptions): Host {
  const host = newHost(options);
  assert.deepEqual(host.run(), { reason: 'halted' });
  const missing = host.events.filter((event) => event.kind === 'missing-system-call');
  assert.deepEqual(missing, []);
  return host;
}

/** Saves at `points` ticks of a run and goes on in a new machine each time. */
function inPieces(options: HostOptions, points: readonly number[]): { text: string; hash: string } {
  let host = newHost(options);
  let text = '';
  for (const at of points) {
    host.run(at);
    text += host.text();
    const saved = structuredClone(host.machine.save());
    host = newHost(options);
    host.machine.load(saved);
    host.machine.outbox.drain();
    host.machine.outbox.assumeDelivered();
  }
  host.run();
  return { text: text + host.text(), hash: host.machine.hash() };
}

describe('Programs that wait for descriptors, time and each other', function () {
  before(function () {
    needsCompiler(this);
  });

  for (const [name, what] of Object.entries(PROGRAMS)) {
    it(`${what}: what Linux prints`, () => {
      const host = finished({ program: compile(name) });
      assert.equal(host.text(), golden(name));
      assert.equal(host.linux.exitStatus, 0);
      assert.equal(host.linux.threads().length, 0);
    });

    it(`${name}: the same under any schedule, and when saved and loaded on the way`, () => {
      const options: HostOptions = { program: compile(name), ramMiB: 64, quantum: 3000, vary: true, seed: 7 };
      const whole = finished(options);
      assert.equal(whole.text(), golden(name));
      const end = whole.machine.tick;
      const points = [0.13, 0.37, 0.52, 0.71, 0.9].map((part) => Math.floor(part * end));
      assert.deepEqual(inPieces(options, points), { text: golden(name), hash: whole.machine.hash() });
    });

    it(`${name}: Linux itself prints that`, function () {
      if (WITHOUT_ORACLE.includes(name) || !hasOracle()) this.skip();
      // Its timers run in real time: a busy machine gets a second chance, and a third.
      const told = { text: asTold(golden(name)), status: 0 };
      const same = [1, 2].some(() => onLinux(name).text === told.text);
      if (!same) assert.deepEqual(onLinux(name), told);
    });
  }

  it('epoll waits for standard input from outside', () => {
    const host = newHost({ program: compile('epoll-stdin') });
    assert.deepEqual(host.run(), { reason: 'idle' });
    assert.equal(host.linux.threads()[0]?.systemCall, 'epoll_pwait');
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode('one\n'), end: false });
    assert.deepEqual(host.run(), { reason: 'idle' });
    const snapshot = host.machine.snapshot();
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode('two\n'), end: true });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.text(), 'epoll 1: one\npoll 1: two\nselect 1: end\n');
    host.machine.restore(snapshot);
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode('2\n'), end: true });
    assert.deepEqual(host.machine.run(tick(20_000_000_000)), { reason: 'halted' });
  });
});
