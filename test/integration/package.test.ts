import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');
const golden = join(root, 'test/integration/golden/package-contents.txt');

describe('the packed extension', () => {
  it('holds exactly the files of its golden list', () => {
    const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
    const listed = execFileSync(process.execPath, [vsce, 'ls', '--no-dependencies'], { cwd: root, encoding: 'utf8' });
    const files = listed.trim().split('\n').sort().join('\n') + '\n';
    if (process.env['GOLDEN'] === 'write') writeFileSync(golden, files);
    assert.equal(files, readFileSync(golden, 'utf8'));
  });
});
