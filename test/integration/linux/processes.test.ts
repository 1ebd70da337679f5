import assert from 'node:assert/strict';
import type { Core } from '../../../emulator/linux/core';
import { buddyFreePages } from '../../../emulator/linux/memory/buddy';
import type { GuestFile } from '../../../emulator/linux/types';
import { PAGE_SIZE } from '../../../emulator/units';
import { compile, needsCompiler } from './compile';
import { newHost, type Host, type HostOptions } from './host';

const file = (path: string, text: string, mode = 0o755): GuestFile => ({
  path,
  bytes: new TextEncoder().encode(text),
  mode,
});
const FILES = [
  file('/home/data', 'data\n', 0o644),
  file('/home/text', 'no program\n'),
  file('/home/loop', '#!/home/loop\n'),
  file('/home/script', '#!/home/program echo\nrest\n'),
];

const coreOf = (host: Host): Core => (host.linux as unknown as { core: Core }).core;

/** Nothing of a process is left: no frame, table, number, file or queue. */
function assertNothingLeft(host: Host): void {
  const core = coreOf(host);
  const { state, layout } = core;
  const order = Math.ceil(Math.log2(host.machine.ramSize / PAGE_SIZE));
  const free = layout.free.reduce((sum, { start, end }) => sum + (end - start) / PAGE_SIZE, 0);
  const { pools } = state;
  assert.deepEqual(
    {
      // The list page and the trampoline are the kernel's.
      frames: free - 2 - buddyFreePages(state.buddy, order),
      roots: pools.root.next - pools.root.freed.size,
      leaves: pools.leaf.next - pools.leaf.freed.size,
      references: state.references.size,
      objects: state.objects.size,
      threads: state.threads.size,
      processes: state.processes.size,
      zombies: state.zombies.size,
      borrowers: state.borrowers.size,
      files: state.openFiles.size,
      pipes: state.pipes.size,
      queues: state.queues.size,
      jobs: state.jobs.size,
    },
    {
      frames: 0,
      roots: 1,
      leaves: 0,
      references: 0,
      objects: 0,
      threads: 0,
      processes: 0,
      zombies: 0,
      borrowers: 0,
      files: 0,
      pipes: 0,
      queues: 0,
      jobs: 0,
    },
  );
}

function finished(options: HostOptions): Host {
  const host = newHost({ ramMiB: 64, files: FILES, ...options });
  assert.deepEqual(host.run(), { reason: 'halted' });
  assertNothingLeft(host);
  return host;
}

/** Lines of the programs' own checks that are not `…: ok`. */
const problems = (host: Host): string[] =>
  host
    .text()
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith(': ok'));

describe('Processes of the host OS', function () {
  before(function () {
    needsCompiler(this);
  });

  it('fork, wait in every way, pipes between processes, orphans, exec, scripts, vfork and posix_spawn', () => {
    const host = finished({ program: compile('fork') });
    assert.deepEqual(problems(host), ['[echo][one two][three]', 'NAME=value', '[echo][/home/script][last]']);
    assert.equal(host.linux.exitStatus, 0);
  });

  it('the same in small slices of any length', () => {
    const host = finished({ program: compile('fork'), quantum: 700, vary: true, seed: 5 });
    assert.deepEqual(problems(host).toSorted(), ['NAME=value', '[echo][/home/script][last]', '[echo][one two][three]']);
  });
});

describe('Signals between processes of the host OS', function () {
  before(function () {
    needsCompiler(this);
  });

  for (const options of [{}, { quantum: 3000, vary: true, seed: 3 }])
    it(`of children, in queues, to groups; calls that restart; exec and death of many threads ${JSON.stringify(options)}`, () => {
      const host = finished({ program: compile('signals2'), ...options });
      assert.deepEqual(problems(host), []);
      assert.equal(host.linux.exitStatus, 0);
    });
});

describe('A host that forks without end', function () {
  before(function () {
    needsCompiler(this);
  });

  it('is refused when table pages are short, and nothing of its children stays behind', () => {
    const host = finished({ program: compile('crowded') });
    assert.equal(host.text(), 'many refused\n0\n'.repeat(3));
  });

  it('is bounded by memory, too: who writes when none is left is killed', () => {
    const host = finished({ program: compile('crowded'), args: ['2000000'], ramMiB: 32 });
    assert.equal(host.text(), 'many refused\n0\n'.repeat(3));
    assert.ok(host.events.some((event) => event.kind === 'console' && event.text.startsWith('Out of memory: killed')));
  });
});

/** Runs with something typed whenever everything waits for it. */
function typing(options: HostOptions, typed: readonly string[]): Host {
  const host = newHost({ ramMiB: 64, interactive: true, ...options });
  for (const text of typed) {
    assert.deepEqual(host.run(), { reason: 'idle' }, `before ${JSON.stringify(text)}: ${host.text()}`);
    host.linux.post({ kind: 'stdin', bytes: new TextEncoder().encode(text), end: false });
  }
  assert.deepEqual(host.run(), { reason: 'halted' }, host.text());
  assertNothingLeft(host);
  return host;
}

describe('The terminal of the host OS', function () {
  before(function () {
    needsCompiler(this);
  });

  const TYPED = [
    // Erase, erase a word, kill the line; ^D gives a part of a line, at its start the end of the file.
    'nothing\u0015left wrong\u0017rihh\u007f\u007fght\u0004',
    '\r\u0004four\r',
    '\u0003',
    'one\r',
    'one\r',
    '\u0003',
    '\u001c',
    '\u0003',
    '\u001a',
  ];

  it('edits lines, sends typed signals to the foreground, stops jobs that use it in the background', () => {
    const host = typing({ program: compile('jobs') }, TYPED);
    const lines = host.text().replaceAll('\r\n', '\n').split('\n');
    assert.deepEqual(
      lines.filter((line) => /: got /.test(line)),
      [],
    );
    assert.equal(lines.filter((line) => line.endsWith(': ok')).length, 35);
    assert.ok(
      host.text().includes('^C') && host.text().includes('^\\') && host.text().includes('^Z'),
      'they are echoed',
    );
    assert.equal(host.linux.exitStatus, 0);
  });
});
