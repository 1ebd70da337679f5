/** Folders of the developer that show in the emulated machine. */
import assert from 'node:assert/strict';
import { AdapterError } from '../../../debug-adapter/errors';
import type { Files } from '../../../debug-adapter/session/files';
import { gatherGuest } from '../../../debug-adapter/session/guest';
import { mountList, readMounts } from '../../../debug-adapter/session/mounts';
import { fixture } from './bench';

type Entry = { readonly text: string; readonly mode?: number } | { readonly link: string } | 'folder' | 'device';

function disk(content: Readonly<Record<string, Entry>>): Files {
  const at = (uri: string): Entry | undefined => content[decodeURIComponent(uri.replace('file://', ''))];
  return {
    async stat(uri) {
      const found = at(uri);
      if (found === undefined) return undefined;
      if (typeof found === 'string')
        return { kind: found === 'folder' ? 'folder' : 'other', size: 0, modified: 7, mode: 0o711 };
      return 'text' in found
        ? {
            kind: 'file',
            size: found.text.length,
            modified: 7,
            ...(found.mode === undefined ? {} : { mode: found.mode }),
          }
        : { kind: 'file', size: 1, modified: 7 };
    },
    async read(uri) {
      const found = at(uri);
      if (typeof found !== 'object' || !('text' in found)) throw new Error('not to be read');
      return new TextEncoder().encode(found.text);
    },
    async list(uri) {
      const folder = `${decodeURIComponent(uri.replace('file://', ''))}/`;
      return Object.keys(content)
        .filter((path) => path.startsWith(folder) && !path.slice(folder.length).includes('/'))
        .map((path) => path.slice(folder.length))
        .sort();
    },
    async link(uri) {
      const found = at(uri);
      return typeof found === 'object' && 'link' in found ? found.link : undefined;
    },
  };
}

const ROOT = {
  '/r': 'folder',
  '/r/.hidden': { text: 'h' },
  '/r/bin': 'folder',
  '/r/bin/sh': { link: 'busybox' },
  '/r/bin/busybox': { text: 'elf', mode: 0o4755 },
  '/r/dev': 'folder',
  '/r/dev/console': 'device',
} as const;

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AdapterError, String(error));
  return error.message;
}

describe('Mounts', () => {
  it('show a folder with its links, modes and hidden files; what is none of these is left out and said', async () => {
    const { files, nodes, warnings } = await readMounts(disk(ROOT), mountList('/r', undefined), '/');
    assert.deepEqual(
      files.map(({ path, mode, origin }) => [path, mode, origin]),
      [
        ['/.hidden', 0o755, '/r/.hidden'],
        ['/bin/busybox', 0o4755, '/r/bin/busybox'],
      ],
    );
    assert.deepEqual(nodes, [
      { kind: 'folder', path: '/bin', mode: 0o711 },
      { kind: 'link', path: '/bin/sh', target: 'busybox' },
      { kind: 'folder', path: '/dev', mode: 0o711 },
    ]);
    assert.match(warnings.join(), /1 entries of the mounts.*\/r\/dev\/console/);
  });

  it('go over the root, in the order of their places, and may be single files', async () => {
    const files = disk({ ...ROOT, '/lib': 'folder', '/lib/libc.so': { text: 'c' }, '/etc/hosts': { text: 'own' } });
    const list = mountList('/r', { '/usr/lib/': 'lib', '/etc/hosts': '/etc/hosts' });
    const { files: found } = await readMounts(files, list, '/');
    assert.deepEqual(
      found.map(({ path }) => path),
      ['/.hidden', '/bin/busybox', '/etc/hosts', '/usr/lib/libc.so'],
    );
  });

  it('that can not be made say why', async () => {
    const files = disk(ROOT);
    assert.match(await refusal(readMounts(files, [['lib', '/r']], '/')), /does not begin with \//);
    assert.match(
      await refusal(readMounts(files, [['/lib', '/none']], '/')),
      /\/none, which is to show at \/lib, does not exist/,
    );
  });

  it('do not replace what lies beside the program', async () => {
    const program = fixture('tour-gcc-v5-O0.elf');
    const base = disk({ '/p': 'folder', '/r': 'folder', '/r/root': 'folder', '/r/root/host': { text: 'other' } });
    const files: Files = {
      ...base,
      stat: async (uri) =>
        uri.endsWith('/p/host') ? { kind: 'file', size: program.length, modified: 7 } : base.stat(uri),
      read: async (uri) => (uri.endsWith('/p/host') ? program : base.read(uri)),
    };
    const guest = await gatherGuest(files, { program: '/p/host', sdkFiles: [], root: '/r' });
    assert.deepEqual(
      guest.files.map(({ path, origin }) => `${path} <- ${origin}`),
      ['/root/host <- /p/host'],
    );
  });
});
