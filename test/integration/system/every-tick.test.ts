import assert from 'node:assert/strict';
import { tick } from '../../../emulator/units';
import { createSystem, loadSystem } from '../../../monitor/system/system';
import type { LaunchDescription, System, SystemEvent } from '../../../monitor/system/types';
import { needsSamples, sampleLaunch } from './sample';

/** Positions of the machine that are cut at in each window; the environment can ask for more. */
const CUTS = Number(process.env['CUTS'] ?? 12);

const transition = (name: string) => (event: SystemEvent) => event.kind === 'transition' && event.name === name;

/** Where a window begins: the first event of a kind, or the power-on. */
const WINDOWS: readonly (readonly [
  string,
  string,
  readonly string[],
  ((event: SystemEvent) => boolean) | undefined,
])[] = [
  ['power-on', 'server-chain', ['caller', 'server', 'server1'], undefined],
  ['the start of the program', 'stop-resume', ['loop'], (e) => e.kind === 'process-started'],
  ['a thread’s start', 'shadow-fork', ['hello-world', '2'], (e) => e.kind === 'thread-started' && e.tid > 1],
  ['an enclave’s creation', 'stop-resume', ['loop'], (e) => e.kind === 'enclave-created'],
  ['a fork', 'shadow-fork', ['hello-world', '2'], (e) => e.kind === 'enclave-created' && e.type === 'NORMAL'],
  ['an ocall', 'hello-world', ['hello-world', '2'], transition('ocall')],
  ['call_enclave', 'server-chain', ['caller', 'server', 'server1'], transition('call_enclave')],
  ['SERVER_RETURN', 'server-chain', ['caller', 'server', 'server1'], transition('SERVER_RETURN')],
  ['an enclave’s end', 'shadow-fork', ['hello-world', '2'], (e) => e.kind === 'enclave-gone'],
  ['the host’s end', 'server-chain', ['caller', 'server', 'server1'], (e) => e.kind === 'thread-exited'],
];

interface Position {
  readonly tick: number;
  readonly hash: string;
}

/** To the window's start: the tick after the event. */
function toStart(launch: LaunchDescription, starts: ((event: SystemEvent) => boolean) | undefined): System {
  const system = createSystem(launch);
  if (!starts) return system;
  system.onEvent = starts;
  assert.equal(system.run(tick(2_000_000_000)).reason, 'event');
  system.onEvent = undefined;
  return system;
}

/** One piece of work, or one instruction, further. */
const next = (system: System): boolean => system.run(tick(system.tick + 1)).reason === 'until';

describe('every position of the machine is a whole state', function () {
  this.timeout(3_600_000);
  before(function () {
    needsSamples(this);
  });

  for (const [name, sample, args, starts] of WINDOWS)
    it(`saved, loaded and continued at each of ${CUTS} positions after ${name}, a run stays the same`, () => {
      const launch = sampleLaunch(sample, args, { memoryMiB: 64, schedule: { quantum: 20_000 } });
      const whole = toStart(launch, starts);
      const expected: Position[] = [];
      do expected.push({ tick: whole.tick, hash: whole.hash() });
      while (expected.length < CUTS && next(whole));
      let system = toStart(launch, starts);
      for (const position of expected) {
        assert.deepEqual({ tick: system.tick, hash: system.hash() }, position);
        system = loadSystem(launch, structuredClone(system.save()));
        assert.equal(system.hash(), position.hash, `after loading at ${position.tick}`);
        next(system);
      }
      whole.run(tick(2_000_000_000));
      system.run(tick(2_000_000_000));
      assert.deepEqual([system.tick, system.exitStatus, system.hash()], [whole.tick, whole.exitStatus, whole.hash()]);
    });
});
