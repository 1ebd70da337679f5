#!/usr/bin/env node
// Stand-in for a desktop VS Code's executable in extension tests: takes the command line that test runners give it, runs the tests
// in a real VS Code (server of code-server, workbench in a headless browser) and exits with their code.
import { mkdirSync, mkdtempSync, readFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { findChromium } from './chromium.mjs';
import { installWorkbench } from './install.mjs';
import { startServer } from './server.mjs';

/** Test output starts with this invisible character; what comes without it is the workbench's own noise. */
const MARK = '\u2063';
const TIMED_OUT = 124;
const SERVER_DIED = 97;
const PAGE_CRASHED = 98;
const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.commandCenter': false,
  'git.enabled': false,
};

/**
 * Opens a workbench and hands it to `use`; everything it started is gone afterwards.
 * @param {{folder?: string, extensionDevelopmentPath?: string[], extensionTestsPath?: string, extensionsDir?: string,
 *   userDataDir?: string, settings?: object, shots?: string, verbose?: boolean, viewport?: {width: number, height: number},
 *   scale?: number}} o
 */
export async function withWorkbench(o, use) {
  const vscode = installWorkbench();
  const { chromium } = await import('playwright-core');
  const dataDir = mkdtempSync(join(tmpdir(), 'penglai-workbench-'));
  const noise = [];
  const note = (line) => {
    noise.push(line);
    if (noise.length > 400) noise.shift();
    if (o.verbose) process.stderr.write(line + '\n');
  };
  const given = join(o.userDataDir ?? dataDir, 'User/settings.json'); // read, never written
  const settings = {
    ...QUIET_SETTINGS,
    ...(existsSync(given) ? JSON.parse(readFileSync(given, 'utf8')) : {}),
    ...o.settings,
  };
  mkdirSync(join(dataDir, 'user/User'), { recursive: true });
  writeFileSync(join(dataDir, 'user/User/settings.json'), JSON.stringify(settings));
  const token = randomBytes(16).toString('hex');
  let server, browser;
  const cleanUp = () => {
    server?.kill();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  process.once('exit', cleanUp); // Ctrl-C, a crash of this script
  try {
    server = await startServer({
      vscode,
      dataDir,
      token,
      note: (line) => note('[server] ' + line),
      extensionsDir: o.extensionsDir ?? join(dataDir, 'extensions'),
      // The smoke-test driver makes a built workbench honour the payload with the paths of extension and tests.
      args: ['--enable-smoke-test-driver', '--disable-workspace-trust'],
    });
    browser = await launchBrowser(chromium);
    const page = await browser.newPage({
      viewport: o.viewport ?? { width: 1280, height: 800 },
      deviceScaleFactor: o.scale ?? 1,
    });
    const { finished, settled } = await listen(page, server, o, note);
    await page.goto(workbenchUrl(server.port, token, o), { timeout: 120_000 });
    await page.waitForSelector('.monaco-workbench', { timeout: 120_000 });
    const result = await use({ page, finished, noise });
    await settled();
    return result;
  } catch (error) {
    process.stderr.write(noise.slice(-60).join('\n') + '\n');
    throw error;
  } finally {
    await browser?.close();
    await server?.stop();
    cleanUp();
    process.off('exit', cleanUp);
  }
}

function launchBrowser(chromium) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium, Chrome or Edge found; install one or set CHROME_PATH');
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', ...quiet],
  });
}

/** Connects the page's automation hooks: log lines, the tests' exit code, requests for pictures. */
async function listen(page, server, o, note) {
  const shots = o.shots ?? process.env.WORKBENCH_SHOTS;
  if (shots) mkdirSync(shots, { recursive: true });
  let pictures = Promise.resolve();
  const takePicture = async (name) => {
    await page.waitForTimeout(800); // views settle
    await page.screenshot({ path: join(shots, name + '.png') });
  };
  let finish;
  const finished = new Promise((done) => (finish = done));
  await page.exposeFunction('codeAutomationLog', (type, args) => {
    const text = format(...args);
    const shot = /^\u2063SHOT ([\w-]+)$/.exec(text);
    if (shot) pictures = shots ? pictures.then(() => takePicture(shot[1])).catch((e) => note(String(e))) : pictures;
    else if (text.startsWith(MARK)) process.stdout.write(text.slice(1) + '\n');
    else note(`[${type}] ${text}`);
  });
  await page.exposeFunction('codeAutomationExit', (code) => finish(code));
  page.on('crash', () => finish(PAGE_CRASHED));
  void server.exited.then(() => finish(SERVER_DIED));
  return { finished, settled: () => pictures };
}

function workbenchUrl(port, token, o) {
  const remote = (path) => `vscode-remote://127.0.0.1:${port}${resolve(path)}`;
  const payload = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
    ['enableProposedApi', ''],
    ...(o.extensionDevelopmentPath ?? []).map((path) => ['extensionDevelopmentPath', remote(path)]),
  ];
  if (o.extensionTestsPath) payload.push(['extensionTestsPath', remote(o.extensionTestsPath)]);
  const kind = o.folder?.endsWith('.code-workspace') ? 'workspace' : 'folder';
  const place = o.folder ? { [kind]: resolve(o.folder) } : { ew: 'true' };
  return `http://127.0.0.1:${port}/?${new URLSearchParams({ tkn: token, ...place, payload: JSON.stringify(payload) })}`;
}

/** Runs extension tests; resolves with their exit code. */
export function runExtensionTests(o) {
  return withWorkbench(o, async ({ page, finished, noise }) => {
    const limit = Number(process.env.WORKBENCH_TIMEOUT) || 900_000;
    const code = await Promise.race([finished, new Promise((done) => setTimeout(done, limit, TIMED_OUT).unref())]);
    if (code !== 0) {
      const shots = o.shots ?? process.env.WORKBENCH_SHOTS;
      if (shots) await page.screenshot({ path: join(shots, 'failure.png') }).catch(() => {});
      process.stderr.write(`--- workbench log (exit code ${code}) ---\n${noise.slice(-60).join('\n')}\n`);
    }
    return code;
  });
}

function parseCommandLine(argv) {
  const o = { extensionDevelopmentPath: [] };
  for (const argument of argv) {
    const [, key, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (!key) o.folder = argument;
    else if (key === 'folder-uri') o.folder = decodeURIComponent(new URL(value).pathname);
    else if (key === 'extensionDevelopmentPath') o.extensionDevelopmentPath.push(value);
    else if (key === 'extensionTestsPath') o.extensionTestsPath = value;
    else if (key === 'user-data-dir') o.userDataDir = resolve(value);
    else if (key === 'extensions-dir') o.extensionsDir = resolve(value);
    // anything else is for a desktop application
  }
  return o;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const o = parseCommandLine(process.argv.slice(2));
  if (!o.extensionTestsPath) {
    console.error('--extensionTestsPath is required');
    process.exit(2);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  process.exitCode = await runExtensionTests({ ...o, verbose: Boolean(process.env.WORKBENCH_VERBOSE) });
}
