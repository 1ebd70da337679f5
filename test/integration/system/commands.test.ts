/** Commands of a launch, on a machine without a shell: what they do, what they say, and what is refused before anything runs. */
import assert from 'node:assert/strict';
import { CommandError, parseCommands } from '../../../emulator/linux/init/commands';
import { initProgram } from '../../../emulator/linux/init/program';
import { createSystem, loadSystem } from '../../../monitor/system/system';
import type { LaunchDescription, SystemEvent } from '../../../monitor/system/types';
import { tick } from '../../../emulator/units';
import { needsSamples, printed, runToEnd, sampleLaunch } from './sample';

const INIT = '/sbin/penglai-init';

function launch(lines: readonly string[]): LaunchDescription {
  const sample = sampleLaunch('shadow-fork', []);
  const init = { path: INIT, bytes: initProgram(parseCommands(lines)), mode: 0o755 };
  const module = new TextEncoder().encode('\x7fELF name=penglai\0');
  const files = [...sample.files, init, { path: '/root/penglai.ko', bytes: module, mode: 0o644 }];
  return { ...sample, files, program: INIT, argv0: 'init' };
}

function run(lines: readonly string[]) {
  const system = createSystem(launch(lines));
  const events = runToEnd(system);
  return { ...printed(events), status: system.exitStatus, events };
}

const INSTALL = ['insmod penglai.ko', 'mknod /dev/penglai_enclave_dev c 10 62', 'mount /dev/vda /mnt'];

describe('Commands of a launch', function () {
  before(function () {
    needsSamples(this);
  });

  it('install the driver and run programs one after the other, as in the tutorials', () => {
    const { stdout, stderr, enclaves, status } = run([
      ...INSTALL,
      '',
      '# twice',
      './host hello-world',
      './host hello-world 2',
    ]);
    assert.equal(stderr, 'mknod /dev/penglai_enclave_dev c 10 62: File exists\n');
    assert.match(enclaves, /^(hello world! my value is 100[12]\n){3}$/);
    assert.equal(stdout.match(/host: after exit the thread/g)?.length, 2);
    assert.equal(status, 0);
  });

  it('say what failed and why, go on, and end with the status of the last one', () => {
    const { stderr, status } = run([
      'insmod none.ko',
      'insmod penglai.ko',
      'insmod penglai.ko',
      'cd /nowhere',
      'mount -t nofs none /mnt',
      'umount /mnt',
      'nothing x',
      './penglai.ko',
    ]);
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      'insmod none.ko: No such file or directory',
      'insmod penglai.ko: File exists',
      'cd /nowhere: No such file or directory',
      'mount -t nofs none /mnt: No such device',
      'umount /mnt: Invalid argument',
      'nothing: No such file or directory',
      './penglai.ko: Permission denied',
    ]);
    assert.equal(status, 127);
    assert.equal(run(['./host', 'mkdir /made', 'cd /made']).status, 0);
    assert.equal(run(['mkdir /made', './host']).status, 1, 'that of a program');
    assert.equal(run(['mkdir /made', 'mkdir /made']).status, 1);
  });

  it('start programs as children of the first process, with its environment and folder', () => {
    const { events } = run(['cd /tmp', '/root/host']);
    const started = events.filter(
      (event): event is SystemEvent & { kind: 'process-started' } => event.kind === 'process-started',
    );
    assert.deepEqual(
      started.map(({ parent }) => parent),
      [0, 1],
    );
    const executed = events.filter((event) => event.kind === 'process-executed');
    assert.equal(executed.length, 1);
  });

  it('go on after the machine was saved and loaded in the middle of them', () => {
    const description = launch([...INSTALL, './host hello-world']);
    const whole = createSystem(description);
    const text = printed(runToEnd(whole));
    let system = createSystem(description);
    const events: SystemEvent[] = [];
    for (let cut = 1; cut < 10; cut++) {
      system.run(tick(Math.floor((whole.tick * cut) / 10)));
      events.push(...system.drain());
      system = loadSystem(description, structuredClone(system.save()));
    }
    events.push(...runToEnd(system));
    assert.deepEqual(printed(events), text);
    assert.equal(system.hash(), whole.hash());
  });

  it('are refused before anything runs when they need a shell or are not called so', () => {
    for (const [line, why] of [
      ['./host a | cat', /\| needs a shell/],
      ['./host &', /& needs a shell/],
      ['./host $HOME', /\$ needs a shell/],
      ['./host "$HOME"', /\$ needs a shell/],
      ['./host > out', /> needs a shell/],
      ["./host 'open", /is not closed/],
      ['A=1 ./host', /names no program/],
      ["''", /names no program/],
      ['mknod /dev/x c', /Usage: mknod/],
      ['mknod /dev/x c 10 256', /Usage: mknod/],
      ['mount /dev/vda', /Usage: mount/],
      ['mount -o remount /a /b', /Usage: mount/],
      ['insmod', /Usage: insmod/],
      ['cd', /Usage: cd/],
      ['./host a\0b', /NUL/],
    ] as const)
      assert.throws(
        () => parseCommands([line]),
        (error) => error instanceof CommandError && error.line === line.trim() && why.test(error.message),
        line,
      );
    assert.throws(() => parseCommands(Array.from({ length: 1001 }, () => './host')), /at most 1000/);
  });

  it('take words in quotes as they are', () => {
    const [command] = parseCommands([`  ./host 'a  b' "c|d" e"f"g '' `]);
    assert.deepEqual(command!.kind === 'run' && command!.argv, ['./host', 'a  b', 'c|d', 'efg', '']);
  });

  it('may be a thousand', () => {
    const { stderr, status } = run(Array.from({ length: 1000 }, (_, i) => `cd /nowhere${i}`));
    assert.equal(stderr.split('\n').length, 1001);
    assert.equal(status, 1);
  });
});
