/** Slices, pace and pause, on a clock and a machine that do what the test says. */
import assert from 'node:assert/strict';
import type { MachineExit } from '../../../emulator/machine/types';
import { tick, type Tick } from '../../../emulator/units';
import { RunLoop, type Verdict, type Wall } from '../../../debug-adapter/target/run-loop';

const HZ = 100_000_000;

/** Time passes only when somebody waits for it or when the machine executes. */
class Clock implements Wall {
  time = 0;
  private tasks: { at: number; then: () => void }[] = [];
  now = () => this.time;
  soon = (then: () => void) => void this.tasks.push({ at: this.time, then });
  later = (milliseconds: number, then: () => void) => {
    const task = { at: this.time + milliseconds, then };
    this.tasks.push(task);
    return () => void (this.tasks = this.tasks.filter((other) => other !== task));
  };
  /** Runs what is due until `end`. */
  run(end: number): void {
    for (let turns = 0; turns < 100_000; turns++) {
      const next = this.tasks.sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.tasks.shift();
      this.time = Math.max(this.time, next.at);
      next.then();
    }
    this.time = Math.max(this.time, end);
  }
}

/** A machine of a given speed; `exit` may end a run early. */
class FakeMachine {
  tick: Tick = tick(0);
  readonly clockHz = HZ;
  idleUntil = 0;
  exit: ((until: number) => MachineExit | undefined) | undefined;
  constructor(
    private readonly clock: Clock,
    public ticksPerMillisecond: number,
  ) {}
  run(until: Tick): MachineExit {
    const early = this.exit?.(until);
    if (early) return early;
    const executed = Math.max(0, until - Math.max(this.tick, this.idleUntil));
    this.clock.time += executed / this.ticksPerMillisecond;
    this.tick = until;
    return { reason: 'until' };
  }
}

function start(
  pace: 'real' | 'fast',
  ticksPerMillisecond = 20_000,
  decide: (exit: MachineExit) => Verdict = () => 'go on',
) {
  const clock = new Clock();
  const machine = new FakeMachine(clock, ticksPerMillisecond);
  const loop = new RunLoop(machine, clock, pace, decide, () => undefined);
  return { clock, machine, loop };
}

describe('The run loop', () => {
  it('lets messages in after at most a slice, however long the guest computes', () => {
    const { clock, loop } = start('fast');
    loop.start();
    let longest = 0;
    let last = 0;
    const message = () => {
      longest = Math.max(longest, clock.time - last);
      last = clock.time;
      clock.soon(message);
    };
    clock.soon(message);
    clock.run(1000);
    assert.ok(longest > 0 && longest <= 30, `a message waited ${longest} ms`);
  });

  it('looks at the clock more often where the guest is slow, until it is fast again', () => {
    const { clock, machine, loop } = start('fast', 200);
    loop.start();
    const waits: number[] = [];
    let last = 0;
    const message = () => {
      waits.push(clock.time - last);
      last = clock.time;
      clock.soon(message);
    };
    clock.soon(message);
    clock.run(2000);
    assert.ok(Math.max(...waits.slice(2)) <= 13, `a message waited ${Math.max(...waits.slice(2))} ms`);
    const ends: number[] = [];
    machine.ticksPerMillisecond = 1_000_000;
    machine.exit = (until) => void ends.push(until - machine.tick);
    clock.run(2100);
    assert.equal(Math.max(...ends.slice(0, 4)), ends[3], 'pieces grow');
    assert.equal(ends.at(-1), 20_000);
  });

  it('never lets virtual time run ahead of the wall under pace real', () => {
    const { clock, machine, loop } = start('real');
    machine.idleUntil = Number.MAX_SAFE_INTEGER; // sleeping: ticks cost nothing
    loop.start();
    for (let now = 50; now <= 2000; now += 50) {
      clock.run(now);
      assert.ok(machine.tick <= (now * HZ) / 1000, `tick ${machine.tick} at ${now} ms`);
    }
    assert.ok(machine.tick > 1.9 * HZ, 'it kept up');
  });

  it('does not skip a sleep because the guest was slow before it', () => {
    const { clock, machine, loop } = start('real');
    loop.start();
    clock.run(1000); // 20 M ticks executed: 0.2 virtual seconds
    const before = machine.tick;
    machine.idleUntil = Number.MAX_SAFE_INTEGER;
    clock.run(1100);
    assert.ok(machine.tick - before <= 0.13 * HZ, `${machine.tick - before} ticks went by in 100 ms`);
  });

  it('runs as fast as it can under pace fast', () => {
    const { clock, machine, loop } = start('fast');
    machine.idleUntil = Number.MAX_SAFE_INTEGER;
    machine.exit = () => {
      clock.time += 0.01;
      return undefined;
    };
    loop.start();
    clock.run(100);
    assert.ok(machine.tick > 1 * HZ);
  });

  it('runs nothing after it was stopped', () => {
    const { clock, machine, loop } = start('fast');
    loop.start();
    clock.run(20);
    loop.stop();
    const at = machine.tick;
    clock.run(1000);
    assert.equal(machine.tick, at);
    assert.equal(loop.active, false);
  });

  it('stops when its owner says so, and waits for the outside when the machine has nothing to do', () => {
    let verdict: Verdict = 'wait';
    const { clock, machine, loop } = start('real', 20_000, () => verdict);
    loop.start();
    clock.run(100);
    const parked = machine.tick;
    clock.run(5000);
    assert.equal(machine.tick, parked);
    verdict = 'stop';
    loop.wake();
    clock.run(5100);
    assert.equal(loop.active, false);
    assert.ok(machine.tick > parked);
  });
});
