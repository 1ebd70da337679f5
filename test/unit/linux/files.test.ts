import assert from 'node:assert/strict';
import { contentFrom, EMPTY, readContent, resizeContent, writeContent } from '../../../emulator/linux/files/content';
import { Map } from 'immutable';
import { buildTree } from '../../../emulator/linux/files/build';
import { find, normalize, resolve } from '../../../emulator/linux/files/walk';
import type { State } from '../../../emulator/linux/state';
import { Errno } from '../../../emulator/linux/errno';
import { fileBytes, parseElf } from '../../../emulator/linux/elf';
import { LaunchError } from '../../../emulator/linux/errors';
import { tinyElf } from '../../integration/linux/tiny';

describe('The content of a file', () => {
  it('equals a plain array under random writes, cuts and extensions', () => {
    let content = EMPTY;
    let plain = new Uint8Array(0);
    let state = 3;
    const draw = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let step = 0; step < 300; step++) {
      if (draw(5) === 0) {
        const size = draw(100_000);
        content = resizeContent(content, size);
        const next = new Uint8Array(size);
        next.set(plain.subarray(0, size));
        plain = next;
      } else {
        const offset = draw(90_000);
        const bytes = Uint8Array.from({ length: draw(20_000) }, () => draw(256));
        content = writeContent(content, offset, bytes);
        if (bytes.length > 0 && offset + bytes.length > plain.length) {
          const next = new Uint8Array(offset + bytes.length);
          next.set(plain);
          plain = next;
        }
        plain.set(bytes, Math.min(offset, plain.length));
      }
      assert.equal(content.size, plain.length);
      const at = draw(plain.length + 10);
      assert.deepEqual(readContent(content, at, 5000), plain.slice(at, at + 5000));
    }
    assert.deepEqual(readContent(content, 0, content.size), plain);
  });

  it('a write leaves the earlier value as it was', () => {
    const before = contentFrom(Uint8Array.of(1, 2, 3));
    writeContent(before, 1, Uint8Array.of(9));
    assert.deepEqual(readContent(before, 0, 9), Uint8Array.of(1, 2, 3));
  });
});

describe('Paths', () => {
  const fs = buildTree([{ path: '/a/b/file', bytes: Uint8Array.of(1), mode: 0o755 }], []);
  const process = { executable: '/a/b/file', cwd: fs.root, root: fs.root, descriptors: Map() };
  const state = { fs, processes: Map([[1, process]]), threads: Map(), openFiles: Map() } as unknown as State;
  const walk = (path: string, from = '/'): ReturnType<typeof resolve> =>
    resolve(state, path, { from: find(state, from)!, followLast: true, pid: 1, tid: 1 });

  it('are followed through dots, doubled slashes and the current directory', () => {
    for (const [path, from] of [
      ['/a/b/file', '/'],
      ['b//./file', '/a'],
      ['../b/file', '/a/b'],
      ['/../a/b/file', '/'],
    ] as const) {
      const at = walk(path, from);
      assert.ok(typeof at !== 'number' && at.inode !== undefined && at.path === '/a/b/file', path);
    }
    assert.equal(normalize('../../x/./y/..', '/a'), '/x');
  });

  it('that can not be followed say why', () => {
    assert.equal(walk('/a/none/file'), -Errno.ENOENT);
    assert.equal(walk('/a/b/file/more'), -Errno.ENOTDIR);
    assert.equal(walk('/a/b/file/'), -Errno.ENOTDIR);
    assert.equal(walk(''), -Errno.ENOENT);
    assert.equal(walk(`/${'x'.repeat(300)}`), -Errno.ENAMETOOLONG);
    assert.equal(walk(`/${'x/'.repeat(3000)}`), -Errno.ENAMETOOLONG);
  });

  it('/proc/self/exe leads to the program', () => {
    const at = walk('/proc/self/exe');
    assert.ok(typeof at !== 'number' && at.path === '/a/b/file');
  });

  it('a file inside a file is refused when the tree is built', () => {
    const file = { bytes: Uint8Array.of(), mode: 0o644 };
    assert.throws(
      () =>
        buildTree(
          [
            { ...file, path: '/x' },
            { ...file, path: '/x/y' },
          ],
          [],
        ),
      /which is a file/,
    );
  });
});

describe('Loading an ELF file', () => {
  const good = tinyElf('start:\nj start');
  const changed = (change: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer), bytes);
    return bytes;
  };
  const codeOf = (bytes: Uint8Array): string => {
    try {
      parseElf('/program', fileBytes(bytes));
      return 'loaded';
    } catch (error) {
      assert.ok(error instanceof LaunchError, String(error));
      assert.match(error.message, /^\/program .*\. .+\.$/);
      return error.code;
    }
  };

  it('refuses what is no program for this machine, each with a code', () => {
    assert.equal(codeOf(good), 'loaded');
    assert.equal(codeOf(new TextEncoder().encode('#!/bin/sh\n')), 'not-elf');
    assert.equal(codeOf(new Uint8Array(0)), 'not-elf');
    assert.equal(codeOf(changed((view) => view.setUint16(18, 62, true))), 'wrong-machine');
    assert.equal(codeOf(changed((_view, bytes) => void (bytes[4] = 1))), 'wrong-machine');
    assert.equal(codeOf(changed((view) => view.setUint16(16, 1, true))), 'not-executable');
    assert.equal(codeOf(good.subarray(0, 40)), 'damaged-elf');
    assert.equal(codeOf(good.subarray(0, good.length - 1)), 'damaged-elf');
    assert.equal(codeOf(changed((view) => view.setUint16(56, 65535, true))), 'damaged-elf');
    assert.equal(codeOf(changed((view) => view.setBigUint64(80, 0xffffffff80000000n, true))), 'damaged-elf');
    assert.equal(codeOf(changed((view) => view.setBigUint64(104, 1n, true))), 'damaged-elf');
  });

  it('ends in a program or a LaunchError for every cut and every changed byte', () => {
    for (let length = 0; length < good.length; length++) codeOf(good.subarray(0, length));
    for (let at = 0; at < 120; at++)
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) codeOf(changed((_view, bytes) => void (bytes[at] = value)));
  });
});
