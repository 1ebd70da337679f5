/** Which source file a client's path means. */
import assert from 'node:assert/strict';
import { baseName, folderOf, normalize, resolvePath, toUri } from '../../../debug-adapter/session/files';
import { matchSource, SourceMap, type Candidate } from '../../../debug-adapter/target/paths';

const file = (path: string, local?: string, owner = 'elf'): Candidate<string> => ({ owner, file: 0, path, local });
const none = new SourceMap({});

function found(wanted: string, files: Candidate<string>[], map = none): string[] {
  const match = matchSource(wanted, files, map);
  return match.kind === 'found' ? match.candidates.map(({ path, owner }) => `${owner}:${path}`) : [match.kind];
}

describe('A client path', () => {
  it('means the file with exactly that path, in every program that has it', () => {
    const files = [file('/s/a.c', undefined, 'one'), file('/s/a.c', undefined, 'two'), file('/t/a.c')];
    assert.deepEqual(found('/s/a.c', files), ['one:/s/a.c', 'two:/s/a.c']);
  });

  it('is compared after `.` and `..` are taken out', () => {
    assert.deepEqual(found('/s/./x/../a.c', [file('/s/a.c')]), ['elf:/s/a.c']);
  });

  it('is compared without case and with either separator on Windows', () => {
    assert.deepEqual(found('c:\\S\\A.c', [file('C:/s/a.c')]), ['elf:C:/s/a.c']);
    assert.deepEqual(found('/S/a.c', [file('/s/b.c')]), ['none']);
  });

  it('is found through sourceMap, the longest prefix first', () => {
    const map = new SourceMap({ '/build': '/w', '/build/lib/': '/l' });
    assert.deepEqual(found('/w/a.c', [file('/build/a.c')], map), ['elf:/build/a.c']);
    assert.deepEqual(found('/l/b.c', [file('/build/lib/b.c')], map), ['elf:/build/lib/b.c']);
    assert.equal(map.apply('/building/a.c'), undefined);
  });

  it('means a file whose relative name was resolved to it', () => {
    assert.deepEqual(found('/w/src/a.c', [file('src/a.c', '/w/src/a.c')]), ['elf:src/a.c']);
  });

  it('means the file with the longest common end, when it is the only one', () => {
    const files = [file('/ci/one/eapp.c'), file('/ci/two/eapp.c')];
    assert.deepEqual(found('/home/me/one/eapp.c', files), ['elf:/ci/one/eapp.c']);
  });

  it('is ambiguous between files whose ends are equally long', () => {
    const match = matchSource('/home/me/eapp.c', [file('/ci/one/eapp.c'), file('/ci/two/eapp.c')], none);
    assert.deepEqual(match, { kind: 'ambiguous', paths: ['/ci/one/eapp.c', '/ci/two/eapp.c'] });
  });

  it('never means a file that is known to be elsewhere', () => {
    assert.deepEqual(found('/w/b/eapp.c', [file('/w/a/eapp.c', '/w/a/eapp.c')]), ['none']);
  });

  it('does not match a part of a name', () => {
    assert.deepEqual(found('/w/a.c', [file('/ci/xa.c')]), ['none']);
  });
});

describe('Paths and URIs', () => {
  it('become each other', () => {
    assert.equal(toUri('/a b/c#.c'), 'file:///a%20b/c%23.c');
    assert.equal(toUri('C:\\a\\b.c'), 'file:///C%3A/a/b.c');
    assert.equal(toUri('vscode-vfs://x/a.c'), 'vscode-vfs://x/a.c');
  });
  it('are joined and normalised as they are written', () => {
    assert.equal(resolvePath('/w', 'a/../b.c'), '/w/b.c');
    assert.equal(resolvePath('/w', '/b.c'), '/b.c');
    assert.equal(normalize('C:/a/../b'), 'C:\\b');
    assert.equal(normalize('../../a'), '../../a');
    assert.equal(baseName('C:\\x\\y.c'), 'y.c');
    assert.equal(folderOf('/a'), '/');
    assert.equal(folderOf('/a/b'), '/a');
  });
});
