#!/usr/bin/env node
// Packs the extension: `dist/penglai-enclave-debugger.vsix`, from the allow-list in package.json.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Packs what is built; returns the path of the .vsix. Everything it needs is bundled, so no node_modules go in. */
export function packageExtension() {
  const out = join(root, 'dist/penglai-enclave-debugger.vsix');
  const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
  const args = [
    vsce,
    'package',
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
    '--out',
    out,
  ];
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(packageExtension());
