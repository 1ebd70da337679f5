/** What of the developer's files the emulated machine finds. */
import assert from 'node:assert/strict';
import { AdapterError } from '../../../debug-adapter/errors';
import type { Files } from '../../../debug-adapter/session/files';
import { gatherGuest } from '../../../debug-adapter/session/guest';
import { fixture } from './bench';

const ELF = fixture('tour-gcc-v5-O0.elf');
const MIB = 1024 * 1024;

/** Files by path; a number stands for a file of that size that must not be read. */
function disk(content: Record<string, Uint8Array | number | 'folder'>): Files {
  const at = (uri: string) => content[decodeURIComponent(uri.replace('file://', ''))];
  return {
    stat: async (uri) => {
      const found = at(uri);
      if (found === undefined) return undefined;
      const size = typeof found === 'number' ? found : found === 'folder' ? 0 : found.length;
      return { kind: found === 'folder' ? 'folder' : 'file', size, modified: 7 };
    },
    read: async (uri) => {
      const found = at(uri);
      if (!(found instanceof Uint8Array)) throw new Error('it must not be read');
      return found;
    },
    list: async (uri) => {
      const folder = `${decodeURIComponent(uri.replace('file://', ''))}/`;
      return Object.keys(content)
        .filter((path) => path.startsWith(folder))
        .map((path) => path.slice(folder.length))
        .filter((name) => !name.includes('/'))
        .sort();
    },
  };
}

const paths = async (files: Files, request: Parameters<typeof gatherGuest>[1]) =>
  (await gatherGuest(files, request)).files.map(({ path, origin }) => `${path} <- ${origin}`);

async function refusal(files: Files, request: Parameters<typeof gatherGuest>[1]): Promise<string> {
  const error = await gatherGuest(files, request).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AdapterError, String(error));
  return error.text;
}

describe('The files of the guest', () => {
  const text = new Uint8Array([65]);

  it('are the program and what lies beside it, files before folders, hidden ones left out', async () => {
    const files = disk({
      '/p/host': ELF,
      '/p/b': text,
      '/p/a': text,
      '/p/.stamp': text,
      '/p/a-folder': 'folder',
      '/p/a-folder/in': 'folder',
      '/p/a-folder/in/c': text,
      '/p/.git': 'folder',
      '/p/.git/x': text,
      '/q/x': text,
    });
    assert.deepEqual(await paths(files, { program: '/p/host' }), [
      '/root/host <- /p/host',
      '/root/a <- /p/a',
      '/root/b <- /p/b',
      '/root/a-folder/in/c <- /p/a-folder/in/c',
    ]);
  });

  it('may be listed as folders', async () => {
    const files = disk({ '/p/host': ELF, '/w/data': 'folder', '/w/data/sub': 'folder', '/w/data/sub/x': text });
    assert.deepEqual(await paths(files, { program: '/p/host', sdkFiles: ['data'], cwd: '/w' }), [
      '/root/host <- /p/host',
      '/root/data/sub/x <- /w/data/sub/x',
    ]);
  });

  it('are looked for on a bounded number of levels, and the user is told', async () => {
    const deep = Object.fromEntries(
      ['/a', '/a/b', '/a/b/c', '/a/b/c/d', '/a/b/c/d/e'].map((at) => [`/p${at}`, 'folder']),
    );
    const files = disk({
      '/p': 'folder',
      '/p/host': ELF,
      ...(deep as Record<string, 'folder'>),
      '/p/a/b/c/d/e/x': text,
    });
    const { files: taken, warnings } = await gatherGuest(files, { program: '/p/host' });
    assert.equal(taken.length, 1);
    assert.match(warnings[0]!, /what is deeper.*"sdkFiles"/);
    assert.match(await refusal(files, { program: '/p/host', sdkFiles: ['/p'] }), /4 levels.*TOO_MANY_FILES/);
  });

  it('are only the listed ones when they are listed, from the folder the configuration names', async () => {
    const files = disk({ '/p/host': ELF, '/p/b': text, '/w/data/x': text });
    assert.deepEqual(await paths(files, { program: '/p/host', sdkFiles: ['data/x'], cwd: '/w' }), [
      '/root/host <- /p/host',
      '/root/x <- /w/data/x',
    ]);
    assert.deepEqual(await paths(files, { program: '/p/host', sdkFiles: [] }), ['/root/host <- /p/host']);
  });

  it('leave out with a warning what is too large to take unasked', async () => {
    const files = disk({ '/p/host': ELF, '/p/huge': 100 * MIB });
    const { files: taken, warnings } = await gatherGuest(files, { program: '/p/host' });
    assert.equal(taken.length, 1);
    assert.match(warnings[0]!, /1 files of \/p were not copied.*huge.*"sdkFiles"/);
  });

  it('are refused when they are too large together', async () => {
    assert.match(
      await refusal(disk({ '/p/host': ELF, '/p/x': 600 * MIB }), { program: '/p/host', sdkFiles: ['x'] }),
      /600 MiB.*512 MiB/,
    );
    assert.match(await refusal(disk({ '/p/host': 600 * MIB }), { program: '/p/host' }), /TOO_MANY_FILES/);
  });

  it('are refused when two would have the same name', async () => {
    const files = disk({ '/p/host': ELF, '/q/host': text, '/q/a': text, '/r/a': text });
    assert.match(await refusal(files, { program: '/p/host', sdkFiles: ['/q/a', '/r/a'] }), /called a;.*SDK_FILE_TWICE/);
    assert.match(await refusal(files, { program: '/p/host', sdkFiles: ['/q/host'] }), /SDK_FILE_TWICE/);
  });

  it('cannot be made when the program is no RISC-V program', async () => {
    assert.match(
      await refusal(disk({ '/p/host': text }), { program: '/p/host' }),
      /not an ELF program.*PROGRAM_UNUSABLE/,
    );
    assert.match(await refusal(disk({ '/p': 'folder' }), { program: '/p' }), /is a folder.*PROGRAM_IS_FOLDER/);
    assert.match(await refusal(disk({}), { program: '/p/host' }), /does not exist.*PROGRAM_NOT_FOUND/);
  });
});
