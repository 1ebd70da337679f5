import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, needsCompiler } from './compile';
import { programFile } from '../../tools/programs';

const COMMAND = programFile('penglai');
const LIBRARIES = '/usr/riscv64-linux-gnu/lib';

describe('penglai run with folders of the developer in the machine', function () {
  let folder: string;
  before(function () {
    needsCompiler(this);
    if (!existsSync(COMMAND)) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'penglai-mounts-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });
  const penglai = (...args: string[]) => spawnSync(process.execPath, [COMMAND, 'run', ...args], { encoding: 'utf8' });

  it('a dynamically linked program finds its libraries, executes itself, and its file comes out', function () {
    if (!existsSync(join(LIBRARIES, 'libc.so.6'))) {
      console.log(`skipped: no dynamic C library in ${LIBRARIES}`);
      this.skip();
    }
    const host = join(folder, 'dynamic');
    writeFileSync(host, compile('dynamic', ['-pie', '-Wl,--no-as-needed', '-lm']), { mode: 0o755 });
    const out = join(folder, 'result');
    const { status, stdout, stderr } = penglai('--mount', `/lib=${LIBRARIES}`, '--out', `/mnt/result=${out}`, host);
    assert.equal(stderr, '');
    const lines = (name: string, root: string) => [`started ${name} ${root}`, 'loaded 1.00', 'none 1'];
    assert.deepEqual(stdout.split('\n').slice(0, -1), [
      ...lines('./dynamic', '1.4142'),
      ...lines('again', '2.4495'),
      'child 0',
      'child 5',
    ]);
    assert.equal(status, 7);
    assert.equal(readFileSync(out, 'utf8'), 'by ./dynamic\n');
    assert.ok(!existsSync('/mnt/result'), 'nothing is written to the developer’s disk');
  });

  it('module, device node and disk answer as install.sh expects', () => {
    const host = join(folder, 'install');
    writeFileSync(host, compile('install'), { mode: 0o755 });
    writeFileSync(join(folder, 'penglai.ko'), '\x7fELF … license=GPL\0name=penglai\0vermagic=5.10.2');
    const { stdout, stderr, status } = penglai(host);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.split('\n'), [
      'insmod ok, again File exists, another Exec format error',
      'mknod File exists',
      'beside it ok',
      'opens 1',
      'nothing there No such device or address',
      'mount ok',
      'hidden No such file or directory',
      'link across Invalid cross-device link, rename across Invalid cross-device link',
      'busy Device or resource busy',
      'above is /',
      'umount ok, again Invalid argument',
      'back ok No such file or directory',
      'the disk keeps ok, read only Read-only file system',
      'tmpfs ok, unknown No such device, no disk Block device required',
      'rootfs / tmpfs rw,relatime 0 0',
      'proc /proc proc ro,relatime 0 0',
      '/dev/vda /media ext4 ro,relatime 0 0',
      'none /tmp tmpfs rw,relatime 0 0',
      '',
    ]);
    assert.equal(status, 0);
  });

  it('says what is wrong with a mount', () => {
    const host = join(folder, 'misc');
    writeFileSync(host, compile('misc'), { mode: 0o755 });
    assert.match(
      penglai('--mount', '/lib=/no/such/folder', host).stderr,
      /\/no\/such\/folder, which is to show at \/lib/,
    );
    assert.match(penglai('--mount', 'lib', host).stderr, /give a place in the machine/);
    assert.match(penglai('--out', '/none=x', host).stderr, /The machine has no file \/none at its end/);
  });
});
