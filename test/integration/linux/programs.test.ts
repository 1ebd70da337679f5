import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { compile, needsCompiler } from './compile';
import { golden } from './oracle';
import { newHost, type Host, type HostOptions } from './host';

/** What qemu-riscv64 prints for the same executable. */
const EXPECTED = {
  threads: ['next 400 total 1400 sum 280'],
  memory: ['kept x 0', '0', '0', 'kept 3820', '0', '1 0', '1'],
  sleep: ['nap over', 'slept', 'in time', 'timedwait 110'],
  files: [
    'mkdir 0',
    'size 124125 sum 1399930000',
    'stat 124125 100644',
    'pread 4 28',
    '3',
    'shared Z',
    'truncate 0',
    'now 3',
    'dangling 1',
    'link 1',
    '. .. numbers sub ',
    'unlink 0 rmdir 1',
    'still 3',
    'pipe 7',
    'none 1 No such file or directory',
    'cwd ends 0',
  ],
  signals: [
    'seen 10',
    'blocked 10',
    'unblocked 20',
    'repaired 5',
    'left the handler',
    'sleep -1 1',
    'double 3.00 seen 42',
    'epipe 1',
  ],
  misc: [
    '2 first hello',
    'Linux riscv64',
    'tls 11 23',
    'random 16 1',
    'write bad -1 Bad address',
    'read kernel -1 Bad address',
    'abcd',
    'writev 5',
    'huge iov -1 Invalid argument',
    'unknown -1 Function not implemented',
    'stack 8388608',
    'cpus 1',
  ],
} as const;

function finished(options: HostOptions): Host {
  const host = newHost(options);
  assert.deepEqual(host.run(), { reason: 'halted' });
  return host;
}

const lines = (host: Host): string[] => host.text().split('\n').slice(0, -1);

describe('Static glibc programs on the host OS', function () {
  before(function () {
    needsCompiler(this);
  });

  it('threads take turns under a mutex and a condition variable', () => {
    const host = finished({ program: compile('threads') });
    assert.deepEqual(lines(host), EXPECTED.threads);
    assert.equal(host.linux.exitStatus, 0);
    assert.equal(host.events.filter((event) => event.kind === 'thread-started').length, 9);
    assert.equal(host.events.filter((event) => event.kind === 'thread-exited').length, 9);
  });

  it('threads count exactly whatever the quanta', () => {
    const ticks = [1, 2, 3].map((seed) => {
      const host = finished({ program: compile('threads'), quantum: 500, vary: true, seed });
      assert.deepEqual(lines(host), EXPECTED.threads);
      return host.machine.tick;
    });
    assert.equal(new Set(ticks).size, 3, 'each seed gives another schedule');
  });

  it('malloc, mmap, mprotect and mremap keep every byte', () => {
    assert.deepEqual(lines(finished({ program: compile('memory') })), EXPECTED.memory);
  });

  it('sleeping threads wake in the order of their deadlines', () => {
    const host = finished({ program: compile('sleep') });
    assert.deepEqual(lines(host), EXPECTED.sleep);
  });

  it('files, directories, links and pipes behave as on Linux', () => {
    assert.deepEqual(lines(finished({ program: compile('files') })), EXPECTED.files);
  });

  it('signals run handlers, repair faults and end the process', () => {
    const host = finished({ program: compile('signals') });
    assert.deepEqual(lines(host), EXPECTED.signals);
    assert.equal(host.linux.exitStatus, 128 + 6);
    const exit = host.events.find((event) => event.kind === 'process-exited');
    assert.equal(exit?.kind === 'process-exited' && exit.signal, 'SIGABRT');
  });

  it('bad pointers give EFAULT, an unknown call ENOSYS and one event', () => {
    const host = finished({ program: compile('misc'), args: ['first'], env: { GREETING: 'hello' } });
    assert.deepEqual(lines(host), EXPECTED.misc);
    assert.equal(host.linux.exitStatus, 42);
    const missing = host.events.filter((event) => event.kind === 'missing-system-call');
    assert.deepEqual(
      missing.map((event) => event.kind === 'missing-system-call' && event.number),
      [4000],
    );
  });

  it('capability sets are kept, told and inherited; the writable texts of /proc take what they should', () => {
    const host = finished({ program: compile('capabilities') });
    assert.equal(host.text(), golden('capabilities'));
    assert.equal(host.linux.exitStatus, 0);
  });

  it('resource limits and nice values are kept and inherited; those of files hold', () => {
    const host = finished({ program: compile('limits') });
    assert.equal(host.text(), golden('limits'));
    assert.equal(host.linux.exitStatus, 0);
  });

  it('input posted while the program waits is read line by line', () => {
    const host = newHost({ program: compile('echo') });
    assert.deepEqual(host.run(), { reason: 'idle' });
    assert.equal(host.linux.threads()[0]?.systemCall, 'read');
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode('one\n'), end: false });
    assert.deepEqual(host.run(), { reason: 'idle' });
    assert.equal(host.text(), 'ONE\n');
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode('two'), end: true });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.text(), 'ONE\nTWO');
    assert.equal(host.text('stderr'), '2 lines\n');
  });

  it('a fault is told while the thread stands at the instruction, then the process dies', () => {
    const host = newHost({ program: compile('segv') });
    host.machine.outbox.listener = (event) => (event as { kind?: string }).kind === 'process-fault';
    assert.deepEqual(host.run(), { reason: 'event' });
    const fault = host.events.find((event) => event.kind === 'process-fault');
    assert.ok(fault?.kind === 'process-fault');
    assert.equal(fault.signal, 'SIGSEGV');
    assert.equal(fault.address, 0);
    const [thread] = host.linux.threads();
    const space = host.linux.processes()[0]!.space;
    const pc = thread!.registers!.words[128]!;
    const instruction = host.machine.debugPort.read(space, pc as never, 4);
    assert.equal(instruction.length, 4, 'the instruction can still be read');
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.text(), 'about to fall\n');
    assert.equal(host.linux.exitStatus, 128 + 11);
  });

  it('a signal from outside ends a blocked program', () => {
    const host = newHost({ program: compile('echo') });
    host.run();
    host.linux.post({ kind: 'signal', signal: 'SIGTERM' });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 128 + 15);
  });

  it('a dynamically linked program runs when its loader and libraries are among the files', function () {
    const libraries = '/usr/riscv64-linux-gnu/lib';
    const names = ['ld-linux-riscv64-lp64d.so.1', 'libc.so.6'];
    if (!names.every((name) => existsSync(`${libraries}/${name}`))) {
      console.log(`skipped: no dynamic C library in ${libraries}`);
      this.skip();
    }
    const files = names.map((name) => ({
      path: `/lib/${name}`,
      bytes: new Uint8Array(readFileSync(`${libraries}/${name}`)),
      mode: 0o755,
    }));
    const program = compile('threads', ['-pie']);
    const host = finished({ program, files });
    assert.deepEqual(lines(host), EXPECTED.threads);
    const images = host.events.flatMap((event) => (event.kind === 'image' ? [event] : []));
    assert.deepEqual(
      images.map((image) => image.path),
      ['/home/program', '/lib/ld-linux-riscv64-lp64d.so.1'],
    );
    assert.ok(images.every((image) => image.base > 0));
    assert.throws(() => newHost({ program }), { code: 'interpreter-missing' });
  });
});
