// Installs the Code-OSS build that the npm package code-server carries, without running any install script.
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Folder of the Code-OSS build; installed on first use. Throws when npm can't. */
export function installWorkbench() {
  const vscode = join(here, 'node_modules/code-server/lib/vscode');
  if (!existsSync(join(vscode, 'out/server-main.js'))) {
    console.error('Installing the VS Code workbench (about 250 MB, once) …');
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: here,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
  }
  // The build looks for its packages next to itself: Node would walk up, but its web server only serves from there.
  const link = join(vscode, 'node_modules');
  if (!existsSync(link))
    symlinkSync(process.platform === 'win32' ? join(here, 'node_modules') : '../../..', link, 'junction');
  return vscode;
}
