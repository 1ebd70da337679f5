import assert from 'node:assert/strict';
import { savedPc, savedX } from '../../../emulator/hart/registers';
import { tick } from '../../../emulator/units';
import { createSystem, createSystemWithoutChecks, loadSystem } from '../../../monitor/system/system';
import type { ExternalInput, LaunchDescription, System, SystemEvent } from '../../../monitor/system/types';
import { instance } from '../../../monitor/types';
import { needsSamples, printed, runToEnd, runUntil, sampleLaunch } from './sample';
import { compareWithGolden } from '../../tools/golden';

const golden = (name: string, text: string): void =>
  compareWithGolden(`test/integration/system/golden/${name}.txt`, text);

const SAMPLES: readonly (readonly [string, string, readonly string[]])[] = [
  ['hello-world-4', 'hello-world', ['hello-world', '4']],
  ['shadow-fork-4', 'shadow-fork', ['hello-world', '4']],
  ['shadow-fork-7', 'shadow-fork', ['hello-world', '7']],
  ['server-chain', 'server-chain', ['caller', 'server', 'server1']],
  ['server-chain-two', 'server-chain', ['caller', 'server']],
  ['stop-resume', 'stop-resume', ['loop']],
  ['hazards', 'hazards', ['careless']],
];

const worlds = (system: System, tid: number): string[] =>
  system.contexts(tid).map(({ world, enteredBy, stopped }) => {
    const who = world.kind === 'host' ? 'host' : `enclave #${world.instance}`;
    return `${who}${enteredBy ? ` by ${enteredBy}` : ''}${stopped ? ' stopped' : ''}`;
  });

const says = (text: string) => (event: SystemEvent) => event.kind === 'console' && event.text.includes(text);
const isTransition = (name: string) => (event: SystemEvent) => event.kind === 'transition' && event.name === name;

/** Runs a number of ticks; the machine may not end or idle meanwhile. */
function runFor(system: System, ticks: number): void {
  assert.equal(system.run(tick(system.tick + ticks)).reason, 'until');
}

describe('the samples on the composed system', function () {
  before(function () {
    needsSamples(this);
  });

  for (const [name, sample, args] of SAMPLES)
    it(`${sample} ${args.join(' ')} prints what it should, and exits with 0`, () => {
      const system = createSystem(sampleLaunch(sample, args));
      const events = runToEnd(system);
      const { enclaves, stdout, stderr } = printed(events);
      golden(name, `--- enclaves\n${enclaves}--- stdout\n${stdout}--- stderr\n${stderr}`);
      assert.equal(system.exitStatus, 0);
      assert.deepEqual(system.enclaves(), [], 'nothing is left behind');
    });

  it('in the deepest server one host thread is in four worlds, registers and address space of each its own', () => {
    const system = createSystem(sampleLaunch('server-chain', ['caller', 'server', 'server1']));
    assert.ok(runUntil(system, says('server: begin to run')));
    assert.deepEqual(worlds(system, 1), [
      'enclave #1 by call_enclave',
      'enclave #2 by call_enclave',
      'enclave #3 by run',
      'host',
    ]);
    const contexts = system.contexts(1);
    assert.equal(new Set(contexts.map(({ space }) => space)).size, 4);
    for (const { registers, space } of contexts) {
      const pc = savedPc(registers);
      assert.equal(system.machine.debugPort.read(space, pc, 2).length, 2, 'there is code at the pc');
      assert.equal(system.machine.debugPort.read(space, savedX(registers, 2) as never, 8).length, 8, 'and a stack');
    }
    const [server, server1, caller] = system.enclaves();
    assert.deepEqual([caller?.callee, server1?.caller, server1?.callee, server?.caller], [2, 3, 1, 2]);
    assert.deepEqual([caller?.tid, server1?.tid, server?.tid], [1, 1, 1]);
    assert.match(server!.refused.destroy!, /works for an enclave/);
  });

  it('contexts hold at every tick, also in the middle of the monitor’s and the kernel’s work', () => {
    const system = createSystem(sampleLaunch('server-chain', ['caller', 'server', 'server1']));
    assert.ok(runUntil(system, isTransition('run')));
    for (let i = 0; i < 400; i++) {
      const contexts = system.contexts(1);
      assert.equal(contexts.at(-1)?.world.kind, 'host');
      for (const { registers, space, world } of contexts) {
        const pc = savedPc(registers);
        const code = system.machine.debugPort.read(space, pc, 2);
        assert.equal(code.length, 2, `tick ${system.tick}: ${world.kind} at 0x${pc.toString(16)}`);
      }
      if (system.run(tick(system.tick + 1 + ((i * 7919) % 3000))).reason !== 'until') break;
    }
  });

  it('an instance’s creation is told before its first instruction', () => {
    const system = createSystem(sampleLaunch('shadow-fork', ['hello-world', '4']));
    assert.ok(runUntil(system, (e) => e.kind === 'enclave-created' && e.template !== undefined));
    const made = system.enclaves().find(({ template }) => template !== undefined)!;
    const tid = system.threads().find((thread) => system.contexts(thread.tid).length === 2)!.tid;
    const [inside] = system.contexts(tid);
    assert.deepEqual(inside?.world, { kind: 'enclave', instance: made.instance });
    assert.equal(savedPc(inside.registers), 0x1000);
    assert.equal(inside.space, made.space);
    const image = system.image(made.imageHash)!;
    assert.deepEqual(
      image,
      sampleLaunch('shadow-fork', []).files.find(({ path }) => path === '/root/hello-world')!.bytes,
    );
  });
});

describe('stop, resume and destroy from outside', function () {
  before(function () {
    needsSamples(this);
  });

  const answered = (id: number, result: number) => (event: SystemEvent) => {
    if (event.kind !== 'device-answer' || event.id !== id) return false;
    assert.equal(event.result, result);
    return true;
  };
  const command = (
    system: System,
    id: number,
    operation: 'stop' | 'resume' | 'destroy',
    result = 0,
    number = 1,
  ): void => {
    system.post({ kind: 'enclave', id, operation, instance: instance(number) });
    assert.ok(runUntil(system, answered(id, result)), `${operation} is answered`);
  };

  it('a stopped enclave does not run; resumed it does; destroyed, PLenclave_run returns 0 and the host exits with 0', () => {
    const system = createSystem(sampleLaunch('stop-resume', ['loop', '--wait']));
    assert.ok(runUntil(system, isTransition('run')));
    runFor(system, 3_000_000);
    assert.equal(system.enclaves()[0]!.refused.resume, 'It is not stopped.');
    const runner = system.enclaves()[0]!.tid!;

    command(system, 1, 'stop');
    system.drain();
    assert.equal(system.enclaves()[0]!.state, 'STOPPED');
    assert.deepEqual(worlds(system, runner), ['enclave #1 by run stopped', 'host']);
    const still = system.contexts(runner)[0]!.registers;
    runFor(system, 10_000_000);
    assert.deepEqual(system.contexts(runner)[0]!.registers, still);
    assert.ok(!system.drain().some(({ kind }) => kind === 'transition'), 'nothing polls');
    assert.equal(system.enclaves()[0]!.refused.stop, 'It is stopped already.');

    command(system, 2, 'resume');
    runFor(system, 2_000_000);
    assert.notDeepEqual(system.contexts(runner)[0]!.registers, still);

    command(system, 3, 'destroy');
    const { stdout } = printed(runToEnd(system));
    assert.match(stdout, /PLenclave run is finish/);
    assert.equal(system.exitStatus, 0);
  });

  it('what cannot be done is refused with EPERM, and an instance that does not exist with EINVAL', () => {
    const system = createSystem(sampleLaunch('stop-resume', ['loop', '--wait']));
    assert.ok(runUntil(system, isTransition('run')));
    command(system, 1, 'resume', -14);
    command(system, 2, 'stop', -22, 99);
    command(system, 3, 'destroy');
  });

  it('an enclave in the middle of a chain is stopped with its servers', () => {
    const system = createSystem(sampleLaunch('server-chain', ['caller', 'server', 'server1']));
    assert.ok(runUntil(system, says('server: begin to run')));
    command(system, 1, 'stop', 0, 3);
    assert.deepEqual(
      system.enclaves().map(({ state }) => state),
      ['STOPPED', 'STOPPED', 'STOPPED'],
    );
    assert.deepEqual(
      worlds(system, 1).map((text) => text.endsWith('stopped')),
      [true, true, true, false],
    );
    command(system, 2, 'destroy', -1, 1);
    command(system, 3, 'resume', 0, 3);
    const { enclaves } = printed(runToEnd(system));
    assert.match(enclaves, /caller: get server1 retval:0x0000000000000003/);
  });

  it('a host that is killed inside RUN takes its enclaves with it', () => {
    const system = createSystem(sampleLaunch('stop-resume', ['loop', '--wait']));
    assert.ok(runUntil(system, isTransition('run')));
    runFor(system, 2_000_000);
    system.post({ kind: 'signal', signal: 'SIGKILL' });
    const events = runToEnd(system);
    assert.equal(system.exitStatus, 128 + 9);
    assert.ok(events.some((event) => event.kind === 'enclave-gone'));
    assert.deepEqual(system.enclaves(), []);
  });
});

describe('a run that is cut and continued', function () {
  before(function () {
    needsSamples(this);
  });

  const typed = (text: string, end = false): ExternalInput => ({
    kind: 'stdin',
    bytes: new TextEncoder().encode(text),
    end,
  });
  const INPUTS: readonly ExternalInput[] = [typed('stop\n'), typed('resu'), typed('me\n'), typed('destroy\n', true)];

  /** Runs to the end or to a tick; an idle machine gets the next input, one that runs gets it after a while. */
  function advance(system: System, until: number): SystemEvent[] {
    const events: SystemEvent[] = [];
    while (system.tick < until) {
      const given = system.log.length;
      const input = INPUTS[given];
      const next = Math.min(until, input ? 4_000_000 * (given + 1) : Infinity);
      const { reason } = system.tick < next ? system.run(tick(next)) : { reason: 'until' };
      events.push(...system.drain());
      if (reason === 'halted') break;
      if (system.tick >= until) break;
      if (input) system.post(input);
      else assert.notEqual(reason, 'idle');
    }
    return events;
  }

  const key = (events: readonly SystemEvent[]): string[] =>
    events.map((event) =>
      JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
    );

  const launch = (): LaunchDescription => sampleLaunch('stop-resume', ['loop', '--input'], { seed: 7 });

  it('by save and load at random ticks, with input: the same hash, and every event once', () => {
    const whole = createSystem(launch());
    const expected = key(advance(whole, Infinity));
    assert.equal(whole.exitStatus, 0);
    const [end, hash] = [whole.tick, whole.hash()];
    let dice = 12345;
    for (let cut = 0; cut < 12; cut++) {
      dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0;
      const at = Math.floor((dice / 2 ** 32) * end);
      const first = createSystem(launch());
      const before = advance(first, at);
      const second = loadSystem(launch(), structuredClone(first.save()));
      assert.equal(second.hash(), first.hash(), `after loading at ${at}`);
      const all = key([...before, ...advance(second, Infinity)]);
      assert.deepEqual(all, expected, `cut at ${at}`);
      assert.equal(second.hash(), hash, `cut at ${at}`);
    }
  });

  it('by snapshot and restore: the logged inputs come again at their ticks, and nothing is told twice', () => {
    const system = createSystem(launch());
    advance(system, 3_000_000);
    const start = system.snapshot();
    const first = advance(system, Infinity);
    const [end, hash] = [system.tick, system.hash()];
    assert.ok(first.length > 0);
    system.restore(start);
    const { reason } = system.run(tick(end + 1));
    assert.equal(reason, 'halted');
    assert.equal(system.hash(), hash);
    assert.deepEqual(system.drain(), []);
  });

  it('two runs of one description are equal; another seed varies what is random only', () => {
    const run = (seed: number) => {
      const system = createSystem(sampleLaunch('hello-world', ['hello-world', '2'], { seed }));
      runToEnd(system);
      return system.hash();
    };
    assert.equal(run(1), run(1));
    assert.notEqual(run(1), run(2));
  });

  it('saved state of another format is refused with both formats named', () => {
    assert.throws(() => loadSystem(launch(), { format: 99 }), /format 99, this version reads 2/);
  });
});

describe('relay memory through the device', function () {
  before(function () {
    needsSamples(this);
  });

  it('is the enclave’s alone while it runs: the host’s mapping has no valid entry', () => {
    for (const hostPteInvalidation of [true, false]) {
      const system = createSystemWithoutChecks(sampleLaunch('server-chain', ['caller', 'server', 'server1']), {
        hostPteInvalidation,
      });
      assert.ok(runUntil(system, says('relay page content')));
      const host = system.processes()[0]!.space;
      const enclave = system.enclaves().find(({ name }) => name === 'test-caller')!.space!;
      const relay = system.machine.debugPort.translate(enclave, 0x38_0000_0000 as never)!;
      // The host had mapped it to write 22222; look for that page in its mmap area.
      let seen = false;
      for (let at = 0x3e_0000_0000; at < 0x40_0000_0000 && !seen; at += 4096)
        seen = system.machine.debugPort.translate(host, at as never) === relay;
      assert.equal(seen, !hostPteInvalidation);
    }
  });
});
