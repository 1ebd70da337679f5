import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../adapter/builds';
import { needsSamples } from './sample';

const COMMAND = join(process.cwd(), 'dist/penglai.js');
const sample = (name: string, file: string): string => join(process.cwd(), 'samples/build', name, file);

function penglai(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'run', ...args], {
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('penglai run', function () {
  this.timeout(60_000);
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
