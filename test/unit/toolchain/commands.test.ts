import assert from 'node:assert/strict';
import { compileCommand, linkEappCommand, linkHostCommand, splitFlags } from '../../../samples/toolchain/compiler';
import type { Compiler, Kind } from '../../../samples/toolchain/compiler';
import { layoutOf } from '../../../samples/toolchain/layout';

const layout = layoutOf('/package');
const gcc: Compiler = { kind: 'gcc', path: '/bin/gcc' };
const clang: Compiler = { kind: 'clang', path: '/bin/clang' };
const zig: Compiler = { kind: 'zig', path: '/zig/bin/zig', zigLib: '/zig/lib' };
const all = [gcc, clang, zig];

const compileOf = (compiler: Compiler, kind: Kind, flags: string[] = []) =>
  compileCommand(compiler, layout, {
    kind,
    source: '/project/a.c',
    folder: '/project',
    object: '/tmp/a.o',
    flags,
    systemIncludes: [],
  });

describe('The command lines of the compilers', () => {
  it("hand the source over by its absolute path and the user's flags behind the defaults", () => {
    for (const compiler of all) {
      const { args } = compileOf(compiler, 'eapp', ['-g', '-O0', '-O2']);
      assert.deepEqual(args.slice(-7), ['-g', '-O0', '-O2', '-c', '/project/a.c', '-o', '/tmp/a.o']);
    }
  });

  it('build enclaves freestanding, soft-float, with unwind information only in .debug_frame', () => {
    for (const compiler of all) {
      const { args } = compileOf(compiler, 'eapp');
      for (const flag of ['-mabi=lp64', '-ffreestanding', '-fno-asynchronous-unwind-tables', '-fno-stack-protector'])
        assert.ok(args.includes(flag), `${compiler.kind} ${flag}`);
    }
    assert.ok(compileOf(gcc, 'eapp').args.includes('-march=rv64imac'));
    assert.ok(compileOf(zig, 'eapp').args.includes('-mcpu=generic_rv64+m+a+c'));
    assert.ok(!compileOf(gcc, 'host').args.includes('-ffreestanding'));
  });

  it("switch zig's undefined-behaviour traps off, for hosts and enclaves", () => {
    for (const kind of ['host', 'eapp'] as const)
      assert.ok(compileOf(zig, kind).args.includes('-fno-sanitize=undefined'));
  });

  it('make the folder a part of what zig hashes, so that no cached object names another folder', () => {
    assert.ok(compileOf(zig, 'host').args.includes('-fdebug-compilation-dir=/project'));
    assert.ok(compileOf(zig, 'eapp').args.includes('-fdebug-compilation-dir=/project'));
  });

  it("keep zig's caches below samples/build and tell it where its library is", () => {
    const { env } = compileOf(zig, 'host');
    assert.equal(env['ZIG_GLOBAL_CACHE_DIR'], '/package/samples/build/.toolchain/zig');
    assert.equal(env['ZIG_LOCAL_CACHE_DIR'], '/package/samples/build/.toolchain/zig');
    assert.equal(env['ZIG_LIB_DIR'], '/zig/lib');
    assert.deepEqual(compileOf(gcc, 'host').env, {});
  });

  it("link enclaves by the SDK's linker script, whichever linker it is", () => {
    for (const compiler of all) {
      const { args } = linkEappCommand(compiler, layout, ['/tmp/a.o'], '/out/a', []);
      assert.equal(args[args.indexOf('-T') + 1], '/package/samples/sdk/eapp/eapp.lds');
      assert.match(args.join(' '), /max-page-size=4096/);
      assert.deepEqual(args.slice(-2), ['-o', '/out/a']);
    }
  });

  it('link hosts statically; with zig against the prepared musl, which has the usual libraries in libc', () => {
    const musl = { crt1: '/m/crt1.o', libraries: ['/m/libc.a'] };
    const { args } = linkHostCommand(zig, layout, ['/tmp/a.o'], '/out/host', ['-lm', '-Wl,-x,--gc-sections'], musl);
    assert.deepEqual(args.slice(0, 2), ['ld.lld', '-static']);
    assert.ok(!args.includes('-lm'));
    assert.ok(args.includes('-x') && args.includes('--gc-sections') && args.includes('/m/libc.a'));
    assert.ok(linkHostCommand(gcc, layout, [], '/out/host', ['-lm'], undefined).args.includes('-lm'));
  });

  it("divide a user's flags between compiling and linking", () => {
    assert.deepEqual(splitFlags(['-O1', '-lm', '-DX=1', '-Wl,-x', '-Wall', 'extra.o', '-L/lib', 'lib.a']), {
      compile: ['-O1', '-DX=1', '-Wall'],
      link: ['-lm', '-Wl,-x', 'extra.o', '-L/lib', 'lib.a'],
    });
  });
});
