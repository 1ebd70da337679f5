import assert from 'node:assert/strict';
import type { Files } from '../../../debug-adapter/session/files';
import { attestationSettings, existingKeys } from '../../../debug-adapter/session/keys';
import { formatKeyFile, keysFrom } from '../../../monitor/attestation/keys';

/** A disk that exists only here; `writable` false: nothing can be made on it. */
function diskOf(paths: Record<string, string>, writable = true): { files: Files; disk: Map<string, string> } {
  const disk = new Map(Object.entries(paths));
  const pathOf = (uri: string): string => decodeURIComponent(uri.replace('file://', ''));
  const files: Files = {
    async stat(uri) {
      const text = disk.get(pathOf(uri));
      if (text !== undefined) return { kind: 'file', size: text.length, modified: 0 };
      const folder = [...disk.keys()].some((path) => path.startsWith(`${pathOf(uri)}/`));
      return folder ? { kind: 'folder', size: 0, modified: 0 } : undefined;
    },
    read: async (uri) => new TextEncoder().encode(disk.get(pathOf(uri))!),
    list: async () => [],
    async create(uri, bytes) {
      if (!writable || disk.has(pathOf(uri))) return false;
      disk.set(pathOf(uri), new TextDecoder().decode(bytes));
      return true;
    },
  };
  return { files, disk };
}

const FOREIGN = formatKeyFile(keysFrom(new Uint8Array(32).fill(9)));

describe('The simulated keys of a folder', () => {
  it('are made where the project begins, once, and found again from every file below', async () => {
    for (const mark of ['.git/HEAD', '.vscode/launch.json']) {
      const { files, disk } = diskOf({ '/home/p/build/out/host': '', [`/home/p/${mark}`]: '' });
      const first = await attestationSettings(files, '/home/p/build/out/host', {});
      assert.ok(disk.has('/home/p/.penglai/keys.json'));
      assert.equal(disk.get('/home/p/.penglai/.gitignore'), '*\n');
      assert.deepEqual(await attestationSettings(files, '/home/p/build/out/host', {}), first);
      assert.deepEqual(await existingKeys(files, '/home/p/other/enclave'), first.keys);
    }
  });

  it('lie beside a program that is in no project', async () => {
    const { files, disk } = diskOf({ '/tmp/x/host': '' });
    assert.equal(await existingKeys(files, '/tmp/x/host'), undefined);
    await attestationSettings(files, '/tmp/x/host', {});
    assert.ok(disk.has('/tmp/x/.penglai/keys.json'));
  });

  it('are the nearest there are', async () => {
    const { files } = diskOf({
      '/a/.penglai/keys.json': formatKeyFile(keysFrom(new Uint8Array(32))),
      '/a/b/.git/HEAD': '',
    });
    const inner = keysFrom(new Uint8Array(32).fill(9));
    assert.deepEqual((await attestationSettings(files, '/a/b/host', {})).keys, keysFrom(new Uint8Array(32)));
    await files.create!('file:///a/b/.penglai/keys.json', new TextEncoder().encode(FOREIGN));
    assert.deepEqual((await attestationSettings(files, '/a/b/host', {})).keys, inner);
  });

  it('stay the same where nothing can be written, and differ from folder to folder', async () => {
    const { files, disk } = diskOf({ '/ro/host': '', '/other/host': '' }, false);
    const one = await attestationSettings(files, '/ro/host', {});
    assert.deepEqual(await attestationSettings(files, '/ro/host', {}), one);
    assert.notDeepEqual((await attestationSettings(files, '/other/host', {})).keys, one.keys);
    assert.equal(disk.size, 2);
  });

  it('are random: two projects have other ones', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => attestationSettings(diskOf({}).files, '/p/host', {})),
    );
    assert.notDeepEqual(one!.keys, other!.keys);
  });

  it('are those of the other, when two make them at once', async () => {
    const { files, disk } = diskOf({ '/p/host': '' });
    const slow: Files = {
      ...files,
      async create(uri, bytes) {
        disk.set('/p/.penglai/keys.json', FOREIGN);
        return files.create!(uri, bytes);
      },
    };
    const { keys } = await attestationSettings(slow, '/p/host', {});
    assert.deepEqual(keys, keysFrom(new Uint8Array(32).fill(9)));
  });

  it('are not touched when none are wanted; a generated root key comes from them', async () => {
    const { files, disk } = diskOf({ '/p/host': '' });
    assert.deepEqual(await attestationSettings(files, '/p/host', { keys: 'none' }), { mode: 'penglai' });
    assert.equal(disk.size, 1);
    const settings = await attestationSettings(files, '/p/host', { keys: 'none', rootKey: 'generated' });
    assert.equal(settings.keys, undefined);
    assert.deepEqual(settings.rootKey, (await existingKeys(files, '/p/host'))!.root);
  });

  it('that are damaged are named, with the remedy', async () => {
    for (const text of ['', '{}', 'x'.repeat(200_000)]) {
      const { files } = diskOf({ '/p/.penglai/keys.json': text });
      await assert.rejects(
        attestationSettings(files, '/p/host', {}),
        /\/p\/\.penglai\/keys\.json cannot be used: .*Delete the file to get new ones/,
      );
    }
  });
});
