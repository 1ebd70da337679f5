#!/usr/bin/env node
// Runs the extension tests in a real VS Code: VSCODE_EXECUTABLE, else a desktop VS Code that test-electron gets, else code-server's
// workbench in Chromium. First with the extension from its folder, then a short suite with the packed .vsix installed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { packageExtension } from '../../extension/package.mjs';
import { findChromium } from '../../extension/workbench/chromium.mjs';
import { installWorkbench } from '../../extension/workbench/install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workbench = join(root, 'extension/workbench/test-host.mjs');
/** The newest desktop release the extension promises to run on as its minimum. */
const DESKTOP_VERSION = '1.100.3';

/** Path of an executable that takes VS Code's test arguments; undefined when there is none. */
async function findVSCode() {
  if (process.env.VSCODE_EXECUTABLE) return process.env.VSCODE_EXECUTABLE;
  const hasScreen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (hasScreen) {
    try {
      return await downloadAndUnzipVSCode({ version: DESKTOP_VERSION, timeout: 60_000 });
    } catch (error) {
      console.error(`No desktop VS Code could be downloaded (${error.message}); trying code-server.`);
    }
  }
  return process.platform !== 'win32' && findChromium() ? workbench : undefined;
}

/** Installs a .vsix into a folder with the server of the workbench, or with the desktop's own command line. */
function installVsix(vsix, executable, extensionsDir, userDataDir) {
  const args = [
    '--install-extension',
    vsix,
    '--force',
    '--extensions-dir',
    extensionsDir,
    '--user-data-dir',
    userDataDir,
  ];
  const server = [join(installWorkbench(), 'out/server-main.js'), '--accept-server-license-terms'];
  const [command, first] = executable === workbench ? [process.execPath, server] : [executable, []];
  execFileSync(command, [...first, ...args], { stdio: ['ignore', 'ignore', 2] });
}

async function suite(executable, tests, { development = root, report, launchArgs = [] }) {
  const extensionTestsEnv = { REPORT: report, GREP: process.env.GREP };
  Object.assign(process.env, { REPORT: report });
  return runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: development,
    extensionTestsPath: join(root, 'out/test/extension', tests),
    extensionTestsEnv,
    launchArgs: [join(root, 'samples'), '--disable-workspace-trust', ...launchArgs],
  }).catch((error) => {
    console.error(String(error.message ?? error));
    process.exitCode = 1;
  });
}

const executable = await findVSCode();
if (!executable) {
  console.error(
    'No VS Code to test in: set VSCODE_EXECUTABLE, or make a desktop VS Code possible (a screen and a download), or install Chromium, Chrome or Edge for code-server.',
  );
  process.exit(1);
}
const report = process.env.REPORT;
await suite(executable, 'index.js', { report });

const temporary = mkdtempSync(join(tmpdir(), 'penglai-vsix-'));
try {
  const [extensionsDir, userDataDir] = [join(temporary, 'extensions'), join(temporary, 'user')];
  installVsix(packageExtension(), executable, extensionsDir, userDataDir);
  await suite(executable, 'packaged/index.js', {
    // VS Code runs tests for an extension in development: an empty one, so that the installed one is the one under test.
    development: join(root, 'test/extension/packaged/carrier'),
    report: report?.replace(/\.json$/, '-packaged.json'),
    launchArgs: [`--extensions-dir=${extensionsDir}`],
  });
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
