import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../adapter/builds';
import { needsSamples } from './sample';
import { programFile } from '../../tools/programs';

const COMMAND = programFile('penglai');
const sample = (name: string, file: string): string => join(process.cwd(), 'samples/build', name, file);

function penglai(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'run', ...args], {
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** The numbers of programs/runtime.c and how it shows them. */
function wideNumbers() {
  const unsigned = (number: bigint) => BigInt.asUintN(128, number);
  const value = 0x00f0000000001230n;
  const wide = BigInt.asIntN(128, (0x8123456789abcdefn << 64n) | value);
  const half = (number: bigint) => BigInt.asUintN(64, number).toString(16).padStart(16, '0');
  const shows = (what: string, number: bigint) => `${what} ${half(number >> 64n)} ${half(number)}`;
  return { value, wide, shows, unsigned };
}

describe('penglai run', function () {
  let folder: string;
  before(function () {
    needsSamples(this);
    if (!existsSync(COMMAND)) {
      console.log('skipped: dist/penglai.js is missing; npm run build makes it');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'penglai-run-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('prints what host and enclaves print, takes the host’s own options as its arguments, exits with its status', () => {
    const { status, stdout, stderr } = penglai([sample('hello-world', 'host'), 'hello-world', '2']);
    assert.deepEqual(stdout.split('\n').filter((line) => line === 'hello world!').length, 2);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.equal(penglai([sample('stop-resume', 'host'), '--nonsense']).status, 1);
  });

  it('starts from the code that V8 has kept of an earlier start, and makes it anew when it is not of this program', () => {
    const cache = COMMAND.replace(/penglai\.js$/, 'penglai-main-run.cache');
    const help = (): string => penglai(['--help']).stdout;
    const shown = help();
    const { ino } = statSync(cache);
    assert.equal(help(), shown);
    assert.equal(statSync(cache).ino, ino, 'it was refused, and made again');
    writeFileSync(cache, Buffer.alloc(statSync(cache).size, 'not of this program'));
    assert.equal(help(), shown);
    const bytes = readFileSync(cache);
    assert.ok(!bytes.includes('not of this program'));
    assert.equal(help(), shown);
    assert.ok(readFileSync(cache).equals(bytes));
  });

  it('forwards standard input, from a pipe and from a file', () => {
    // All of it is there before the enclave runs, so what the commands achieve is another matter.
    const commands = 'stop\nresume\ndestroy\n';
    const piped = penglai([sample('stop-resume', 'host'), 'loop', '--input'], commands);
    assert.match(piped.stdout, /stop enclave\n.*resume enclave\n.*destroy enclave\n/);
    writeFileSync(join(folder, 'commands'), commands);
    const fromFile = penglai(['--stdin', join(folder, 'commands'), sample('stop-resume', 'host'), 'loop', '--input']);
    assert.match(fromFile.stdout, /stop enclave\n.*resume enclave\n.*destroy enclave\n/);
  });

  it('gives the guest only the files that are named, when some are', () => {
    const loop = sample('stop-resume', 'loop');
    const all = penglai(['--sdk-file', loop, sample('stop-resume', 'host'), 'loop']);
    assert.equal(all.status, 0);
    const none = penglai(['--sdk-file', sample('hello-world', 'hello-world'), sample('stop-resume', 'host'), 'loop']);
    assert.notEqual(none.status, 0);
  });

  it('shows every message of an enclave on a line of its own, as records of a kernel’s log are', async () => {
    const pieces = await build('eapp', join(process.cwd(), 'test/integration/system/programs/pieces.c'));
    const { stdout } = penglai(['--sdk-file', pieces, sample('hello-world', 'host'), 'pieces']);
    assert.match(stdout, /^one\ntwo\n\nthree\nfour\nhost: /);
  });

  it('runs an enclave with the library’s functions, and a failed assertion ends it', async () => {
    const library = await build('eapp', join(process.cwd(), 'test/integration/system/programs/library.c'));
    const { stdout, stderr } = penglai(['--sdk-file', library, sample('hello-world', 'host'), 'library']);
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 11), [
      ...['strncat abcd', 'strncat abcde', 'strstr cde', 'strstr none', 'strstr abcde', 'strspn 3 0', 'strcspn 3 5'],
      ...['bcopy aabcd', 'bcmp 1', 'bzero aa', '4294967295 -9223372036854775808 ffffffffffffffff'],
    ]);
    assert.match(lines[11]!, /library\.c:\d+: assertion failed: args\[14\] == 1$/);
    assert.ok(!stdout.includes('not reached'));
    assert.match(stderr, /enclave #1 is killed: /);
  });

  it('runs an enclave that counts bits and divides 128-bit integers', async () => {
    const runtime = await build('eapp', join(process.cwd(), 'test/integration/system/programs/runtime.c'));
    const { stdout } = penglai(['--sdk-file', runtime, sample('hello-world', 'host'), 'runtime']);
    const { value, wide, shows, unsigned } = wideNumbers();
    const by = (divisor: bigint, dividend = wide) => [
      ...[shows('div', dividend / divisor), shows('mod', dividend % divisor)],
      ...[shows('udiv', unsigned(dividend) / unsigned(divisor)), shows('umod', unsigned(dividend) % unsigned(divisor))],
    ];
    assert.deepEqual(stdout.split('\n').slice(0, 29), [
      ...['clz 8 3', 'ctz 4 3', 'ffs 5 popcount 8', 'parity 0 clrsb 7', 'bswap 301200000000f000 78563412'],
      ...[0n, 4n, 64n, 100n].flatMap((count) => [
        ...[shows('left', wide << count), shows('right', unsigned(wide) >> count), shows('signed', wide >> count)],
      ]),
      ...[...by(1000000007n), ...by(-(1n << 90n) - 5n), ...by(wide, value)],
    ]);
  });

  it('gives the guest what is in folders beside the host, and folders that are named', () => {
    const home = join(folder, 'home');
    mkdirSync(join(home, 'images', 'more'), { recursive: true });
    copyFileSync(sample('hello-world', 'host'), join(home, 'host'));
    copyFileSync(sample('hello-world', 'hello-world'), join(home, 'images', 'more', 'hello'));
    const host = join(home, 'host');
    const greets = (...args: string[]) => penglai(args).stdout.includes('hello world!');
    assert.ok(greets(host, 'images/more/hello'));
    assert.ok(greets('--sdk-file', join(home, 'images'), host, 'images/more/hello'));
    assert.ok(greets('--sdk-file', join(home, 'images', 'more', 'hello'), host, 'hello'));
    assert.ok(!greets('--sdk-file', join(home, 'images'), host, 'hello'));
  });

  it('waits for a slow reader of its output, and ends when there is none any more', async () => {
    const chatter = await build('eapp', join(process.cwd(), 'test/integration/system/programs/chatter.c'));
    const host = sample('hello-world', 'host');
    const run = spawn(process.execPath, [COMMAND, 'run', '--sdk-file', chatter, host, 'chatter']);
    let stderr = '';
    run.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    let chunks = 0;
    run.stdout.on('data', () => {
      if (++chunks === 40) return void run.stdout.destroy();
      run.stdout.pause();
      setTimeout(() => run.stdout.resume(), 5);
    });
    const [code] = (await once(run, 'close')) as [number];
    assert.deepEqual([code, stderr], [128 + 13, '']);
  });

  it('says what is wrong and what to do, in one line', () => {
    const text = join(folder, 'script');
    writeFileSync(text, '#!/bin/sh\n');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[join(folder, 'nothing')], /^penglai: The program .*nothing does not exist\. .+\n$/],
      [[text], /^penglai: .*script cannot be run\. .+\n$/],
      [
        ['--sdk-file', join(folder, 'gone'), sample('hello-world', 'host')],
        /^penglai: The file .*gone does not exist\. Build it first, or correct the path\.\n$/,
      ],
      [['--stdin', join(folder, 'gone'), sample('hello-world', 'host')], /^penglai: The file for standard input .+\n$/],
      [['--seed', 'x', text], /whole number/],
    ];
    for (const [args, expected] of cases) {
      const { status, stderr } = penglai(args);
      assert.match(stderr, expected);
      assert.equal(status, 1);
    }
  });
});
