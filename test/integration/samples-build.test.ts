import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program } from '../../debug-adapter/symbols/program';
import { buildSamples } from '../../samples/toolchain/build';
import { compile } from '../../samples/toolchain/compile';
import type { Compiler, Kind } from '../../samples/toolchain/compiler';
import { findCompiler } from '../../samples/toolchain/find';
import { layoutOf } from '../../samples/toolchain/layout';
import { run, which } from '../../samples/toolchain/run';

const layout = layoutOf(resolve('.'));
const say = (): void => undefined;

/** The compiler that the samples are built with, and the packaged zig besides it where it is installed. */
async function compilers(): Promise<Compiler[]> {
  const found = await findCompiler({ layout, env: process.env, say: console.log });
  const modules = join(layout.toolchain, 'node_modules/@zigc');
  const zig = join(modules, `${process.platform}-${process.arch}`, 'bin/zig');
  if (found.kind === 'zig' || !existsSync(zig)) return [found];
  return [found, { kind: 'zig', path: zig, zigLib: join(modules, 'lib') }];
}

function load(path: string): Program {
  const program = Program.load(readFileSync(path));
  if (program instanceof Error) throw program;
  return program;
}

/** Number of the line with a marker, from 1. */
function marked(source: string, name: string): number {
  const line = readFileSync(source, 'utf8')
    .split('\n')
    .findIndex((text) => text.endsWith(`// bp: ${name}`));
  assert.notEqual(line, -1);
  return line + 1;
}

function addressesOf(program: Program, source: string, line: number): readonly number[] {
  const file = program.lines?.fileIndex(source);
  return file === undefined ? [] : program.lines!.addressesOf(file, line);
}

describe('Building the samples', function () {
  let available: Compiler[];
  let work: string;
  before(async () => {
    available = await compilers();
    console.log(`      with ${available.map(({ kind, path }) => `${kind} (${path})`).join(' and ')}`);
    if (available.every(({ kind }) => kind !== 'zig')) console.log('      skipped: zig, which is not installed');
  });
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'penglai-build-'));
  });
  afterEach(() => rmSync(work, { recursive: true, force: true }));

  /** Builds with every compiler there is; `check` gets the program. */
  async function withEach(
    job: { kind: Kind; source: string; flags?: string[] },
    check: (program: Program, path: string, compiler: Compiler) => void | Promise<void>,
  ): Promise<void> {
    for (const compiler of available) {
      const out = join(work, `${compiler.kind}-${job.kind}`);
      await compile({ compiler, layout, say }, { kind: job.kind, sources: [job.source], out, flags: job.flags ?? [] });
      await check(load(out), out, compiler);
    }
  }

  it("lays an enclave out as the SDK does: two segments, entry at the text's beginning, 64 KiB for mappings", async () => {
    const source = join(layout.samples, 'server-chain/caller.c');
    await withEach({ kind: 'eapp', source }, ({ elf }) => {
      assert.equal(elf.entry, 0x1000);
      assert.equal(elf.flags & 6, 0, 'soft-float');
      const segments = elf.segments;
      // Whatever else were here (attributes, a stack note) would be mapped and measured by the driver.
      assert.deepEqual(
        segments.map(({ type, vaddr }) => [type, vaddr % 4096]),
        [
          [1, 0],
          [1, 0],
        ],
      );
      const area = elf.sectionNamed('.mmap_area')!;
      assert.deepEqual([area.addr % 4096, area.size], [0, 0x10000]);
      assert.equal(elf.sectionNamed('.bss')!.addr % 4096, 0);
      assert.equal(elf.sectionNamed('.eh_frame'), undefined);
      assert.ok(elf.sectionNamed('.debug_frame'));
      assert.equal(elf.symbolNamed('_start')!.value, 0x1000);
    });
  });

  it('gives an enclave line information for its own code and none for the stubs that leave it', async () => {
    const source = join(layout.samples, 'server-chain/caller.c');
    await withEach({ kind: 'eapp', source }, (program) => {
      assert.ok(program.hasDebugInfo);
      assert.equal(program.debugInfoProblem, undefined);
      assert.ok(addressesOf(program, source, marked(source, 'call')).length > 0);
      for (const stub of ['_start', 'call_enclave', 'EAPP_RETURN', 'sbrk'])
        assert.equal(program.lines!.rowAt(program.addressOfSymbol(stub)!), undefined, stub);
    });
  });

  it('keeps programs small and free of sanitiser traps', async () => {
    const enclave = join(layout.samples, 'stop-resume/loop.c');
    const host = join(layout.samples, 'stop-resume/host.c');
    const check = (limit: number) => (_: Program, path: string) => {
      assert.ok(statSync(path).size < limit, `${path}: ${statSync(path).size} bytes`);
      assert.equal(readFileSync(path).includes('ubsan'), false);
    };
    await withEach({ kind: 'eapp', source: enclave }, check(100_000));
    await withEach({ kind: 'host', source: host }, check(1_000_000));
  });

  it('gives one sample, built in two folders, the paths of each, and binds a breakpoint in both', async () => {
    for (const compiler of available) {
      for (const [kind, file, marker] of [
        ['eapp', 'hello-world.c', 'hello'],
        ['host', 'host.c', 'run'],
      ] as const) {
        for (const folder of ['first', 'second']) {
          mkdirSync(join(work, folder), { recursive: true });
          const source = join(work, folder, file);
          cpSync(join(layout.samples, 'hello-world', file), source);
          const out = join(work, folder, 'out');
          await compile({ compiler, layout, say }, { kind, sources: [source], out });
          assert.ok(addressesOf(load(out), source, marked(source, marker)).length > 0, `${compiler.kind} ${source}`);
          const other = join(work, folder === 'first' ? 'second' : 'first');
          assert.equal(readFileSync(out).includes(other), false, `${out} names ${other}`);
        }
      }
    }
  });

  it('keeps breakpoints of an enclave that is built -O1 -fomit-frame-pointer', async () => {
    const source = join(layout.samples, 'shadow-fork/hello-world.c');
    await withEach({ kind: 'eapp', source, flags: ['-O1', '-fomit-frame-pointer'] }, (program) => {
      assert.ok(addressesOf(program, source, marked(source, 'greet')).length > 0);
    });
  });

  it('shows what the compiler says about a mistake, and leaves no output', async () => {
    const source = join(work, 'wrong.c');
    writeFileSync(source, '#include "eapp.h"\nint EAPP_ENTRY main() { return nothing_of_the_kind; }\n');
    for (const compiler of available) {
      const out = join(work, 'wrong');
      await assert.rejects(compile({ compiler, layout, say }, { kind: 'eapp', sources: [source], out }), {
        code: 'compile-failed',
        message: /wrong\.c:2:\d+: error: .*nothing_of_the_kind/s,
      });
      assert.equal(existsSync(out), false);
    }
    const sources = [join(work, 'absent.c')];
    await assert.rejects(
      compile({ compiler: available[0]!, layout, say }, { kind: 'host', sources, out: join(work, 'out') }),
      { code: 'source-missing', message: /absent\.c/ },
    );
  });

  it("lets a program replace a function of the SDK's library", async () => {
    const source = join(work, 'own.c');
    writeFileSync(
      source,
      '#include "eapp.h"\nint puts(const char *s) { return *s; }\nint EAPP_ENTRY main() { EAPP_RETURN(puts("x")); }\n',
    );
    await withEach({ kind: 'eapp', source }, (program) => {
      assert.ok(addressesOf(program, source, 2).includes(program.addressOfSymbol('puts')!));
    });
  });

  it('builds hosts that run: without a monitor they say that the device is not there', async function () {
    const qemu = which('qemu-riscv64', process.env);
    if (!qemu) {
      console.log('      skipped: running hosts, for qemu-riscv64 is not installed');
      return this.skip();
    }
    const source = join(layout.samples, 'stop-resume/host.c');
    await withEach({ kind: 'host', source }, async (_, path) => {
      const { status, text } = await run(qemu, [path, path]);
      assert.match(text, /LIB: PLenclave_init: cannot open enclave dev/);
      assert.match(text, /host: failed to create enclave/);
      assert.equal(status, 1);
    });
  });

  it('builds again only what would come out different', async () => {
    const copy = layoutOf(work);
    for (const folder of ['sdk', 'hello-world', 'stop-resume'])
      cpSync(join(layout.samples, folder), join(copy.samples, folder), { recursive: true });
    const lines: string[] = [];
    const compiler = available[0]!;
    const build = (...names: string[]) =>
      buildSamples({ compiler, layout: copy, say: (line) => lines.push(line) }, names);

    const all = [
      'build/hello-world/hello-world',
      'build/hello-world/host',
      'build/stop-resume/host',
      'build/stop-resume/loop',
    ];
    assert.deepEqual((await build()).built, all);
    assert.deepEqual(await build(), { built: [], current: 4 });
    assert.equal(lines.filter((line) => line.startsWith('built ')).length, 4);

    // Newer and yet the same: not built, but no longer older than its source.
    const source = join(copy.samples, 'hello-world/hello-world.c');
    const output = join(copy.build, 'hello-world/hello-world');
    const later = new Date(Date.now() + 2000);
    utimesSync(output, new Date(0), new Date(0));
    assert.deepEqual((await build()).built, []);
    assert.ok(statSync(output).mtimeMs >= statSync(source).mtimeMs);

    writeFileSync(source, readFileSync(source, 'utf8').replace('hello world!', 'hello there!'));
    utimesSync(source, later, later);
    assert.deepEqual((await build('stop-resume')).built, []);
    assert.deepEqual((await build()).built, ['build/hello-world/hello-world']);
    assert.ok(readFileSync(output).includes('hello there!'));

    const header = join(copy.sdk, 'eapp/include/print.h');
    writeFileSync(header, readFileSync(header, 'utf8') + '/* changed */\n');
    assert.deepEqual((await build()).built, ['build/hello-world/hello-world', 'build/stop-resume/loop']);

    rmSync(output);
    assert.deepEqual((await build('hello-world')).built, ['build/hello-world/hello-world']);
    await assert.rejects(build('hello'), { code: 'unknown-sample', message: /hello-world, stop-resume/ });
  });
});
