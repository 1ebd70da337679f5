#!/usr/bin/env node
// `npm start`: installs what is missing, builds extension and samples, and opens VS Code on the samples: a desktop one, else the
// real workbench in the browser. Plain Node: runs before anything is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWorkbench } from './install.mjs';
import { startServer } from './server.mjs';
import { installDependencies } from './packages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const samples = join(root, 'samples');
/** Settings, opened files and installed extensions of the browser workbench: kept from one start to the next. */
const profile = join(root, '.workbench');
const MINIMUM = [1, 100];

function build() {
  const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  node('build.mjs');
  node('dist/penglai.js', 'build-samples');
}

/** `code` of a desktop VS Code that is new enough and has a screen to appear on. */
function desktopCode() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
  const shell = process.platform === 'win32';
  const { status, stdout } = spawnSync('code', ['--version'], { encoding: 'utf8', shell });
  const version = /^(\d+)\.(\d+)\./
    .exec(stdout ?? '')
    ?.slice(1)
    .map(Number);
  if (status !== 0 || !version) return undefined;
  const tooOld = version[0] < MINIMUM[0] || (version[0] === MINIMUM[0] && version[1] < MINIMUM[1]);
  if (tooOld)
    console.log(`Found VS Code ${version.join('.')}, which is older than ${MINIMUM.join('.')}: using the browser.`);
  return tooOld ? undefined : (args) => execFileSync('code', args, { stdio: ['ignore', 'ignore', 2], shell });
}

/** The port and token of the last start if the port still is free, so that an open browser tab finds its way back. */
async function address() {
  const file = join(profile, 'address.json');
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const port = (kept && (await freePort(kept.port))) || (await freePort(0));
  const token = kept?.token ?? randomBytes(16).toString('hex');
  writeFileSync(file, JSON.stringify({ port, token }), { mode: 0o600 });
  return { port, token };
}

function freePort(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, '127.0.0.1', () => {
      const found = probe.address().port;
      probe.close(() => resolve(found));
    });
  });
}

/** What a newcomer meets first: the samples' README, no tour of the editor. From then on the settings are the user's. */
const FIRST_SETTINGS = {
  'workbench.startupEditor': 'readme',
  'git.openRepositoryInParentFolders': 'never',
  'telemetry.telemetryLevel': 'off',
};

function firstSettings() {
  const file = join(profile, 'user/User/settings.json');
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(FIRST_SETTINGS, undefined, 2));
}

async function openBrowserWorkbench(vsix) {
  firstSettings();
  const vscode = installWorkbench();
  const extensionsDir = join(profile, 'extensions');
  mkdirSync(extensionsDir, { recursive: true });
  const server = ['--server-data-dir', join(profile, 'server'), '--user-data-dir', join(profile, 'user')];
  const install = ['--install-extension', vsix, '--force', '--extensions-dir', extensionsDir, ...server];
  execFileSync(process.execPath, [join(vscode, 'out/server-main.js'), '--accept-server-license-terms', ...install], {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, EXTENSIONS_GALLERY: '{}' },
  });
  const { port, token } = await address();
  const running = await startServer({ vscode, dataDir: profile, extensionsDir, token, port });
  const query = new URLSearchParams({ tkn: token, folder: samples });
  console.log(
    `\nVS Code is ready, with the samples open and waiting for F5:\n\n  http://127.0.0.1:${running.port}/?${query}\n`,
  );
  console.log('Ctrl-C ends it.');
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => new Promise((resolve) => process.once(name, resolve)));
  const died = running.exited.then((code) => {
    console.error(`The VS Code server ended by itself (exit code ${code}).`);
    process.exitCode = 1;
  });
  await Promise.race([...signals, died]);
  await running.stop();
}

installDependencies(root);
build();
const { packageExtension } = await import('../package.mjs');
const vsix = packageExtension();
const code = desktopCode();
if (code) {
  code(['--install-extension', vsix, '--force']);
  code([samples]);
  console.log('VS Code is open on the samples: choose one in Run and Debug and press F5.');
} else {
  await openBrowserWorkbench(vsix);
}
