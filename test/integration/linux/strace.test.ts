import assert from 'node:assert/strict';
import type { SystemCallEvent } from '../../../emulator/linux/events';
import { compile, needsCompiler } from './compile';
import { newHost } from './host';
import { call, CALL, text, tinyElf } from './tiny';

const calls = (host: ReturnType<typeof newHost>): SystemCallEvent[] =>
  host.events.flatMap((event) => (event.kind === 'system-call' ? [event] : []));

describe('The log of system calls', function () {
  it('shows arguments by their kinds, results, errors and costs', () => {
    const source = `start:
${call(CALL.openat, -100, '=path', 0o102, 0o644)}
${call(CALL.write, 'a0', '=text', 4)}
${call(CALL.openat, -100, '=path', 0o300, 0o600)}
${call(CALL.mmap, 0, 4096, 3, 0x22, -1, 0)}
${call(CALL.openat, -100, '=path', 0)}
${call(CALL.close, 99)}
${call(4000, 7, 8, 3, 4, -1, 0)}
${call(CALL.exitGroup, 5)}
path:
${text('/tmp/x')}
text:
${text('a\n\u0001"')}`;
    const host = newHost({ program: tinyElf(source), trace: { systemCalls: true } });
    host.run();
    const found = calls(host);
    assert.deepEqual(
      found.map((event) => event.text.replace(/0x3f[0-9a-f]+/, 'ADDRESS')),
      [
        'openat(AT_FDCWD, "/tmp/x", O_RDWR|O_CREAT, 0644) = 3',
        'write(3, "a\\n\\1\\"", 4) = 4',
        'openat(AT_FDCWD, "/tmp/x", O_RDONLY|O_CREAT|O_EXCL, 0600) = -1 EEXIST',
        'mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ADDRESS',
        'openat(AT_FDCWD, "/tmp/x", O_RDONLY) = 4',
        'close(99) = -1 EBADF',
        'call 4000(0x7, 0x8, 0x3, 0x4, 0xffffffffffffffff, 0) = -1 ENOSYS',
        'exit_group(5) = ?',
      ],
    );
    assert.deepEqual(found[2]!.error, 'EEXIST');
    assert.ok(found.every(({ ticks, started }) => ticks > 0 && started > 0));
    assert.deepEqual(found[1]!.arguments[1], { name: 'buf', text: '"a\\n\\1\\""' });
  });

  it('is silent unless it is asked for, and changes neither output nor time', function () {
    needsCompiler(this);
    const program = compile('files');
    const silent = newHost({ program });
    silent.run();
    assert.equal(calls(silent).length, 0);
    const loud = newHost({ program, trace: { systemCalls: true } });
    loud.run();
    assert.equal(loud.text(), silent.text());
    assert.equal(loud.machine.tick, silent.machine.tick);
    const some = newHost({ program, trace: { systemCalls: ['getcwd', 'pipe2', 'newfstatat'] } });
    some.run();
    const names = new Set(calls(some).map(({ name }) => name));
    assert.deepEqual([...names].sort(), ['getcwd', 'newfstatat', 'pipe2']);
    assert.match(calls(some).find(({ name }) => name === 'getcwd')!.text, /^getcwd\("\/tmp\/files-test", 256\) = 16$/);
    assert.match(calls(some).find(({ name }) => name === 'pipe2')!.text, /^pipe2\(\[\d, \d\], 0\) = 0$/);
    assert.match(
      calls(some).find(({ text }) => text.includes('"numbers"'))!.text,
      /\{st_mode=S_IFREG\|0644, st_size=124125, \.\.\.\}, 0\) = 0$/,
    );
  });
});
