// Starts the workbench's server on 127.0.0.1 behind a connection token, and stops it with everything it started.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {object} o
 * @param {string} o.vscode folder of the Code-OSS build
 * @param {string} o.dataDir where settings, logs, sockets and the server's own files go
 * @param {string} o.extensionsDir
 * @param {string} o.token connection token
 * @param {number} [o.port] 0 picks a free one
 * @param {string[]} [o.args] further server options
 * @param {(line: string) => void} [o.note] takes every line the server prints
 * @returns {Promise<{port: number, exited: Promise<number>, stop: () => Promise<void>, kill: () => void}>}
 */
export async function startServer(o) {
  const temporary = join(o.dataDir, 'tmp');
  for (const dir of ['user/User', 'user/logs', 'tmp']) mkdirSync(join(o.dataDir, dir), { recursive: true });
  mkdirSync(o.extensionsDir, { recursive: true });
  const child = spawn(process.execPath, serverArguments(o), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own: extension hosts and debug adapters go when it goes
    env: cleanEnvironment(temporary),
  });
  const kill = () => signalGroup(child, 'SIGKILL');
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const port = await new Promise((resolve, reject) => {
    let output = '';
    const take = (data) => {
      output += data;
      for (const line of String(data).trimEnd().split('\n')) o.note?.(line);
      const match = /listening on (\d+)/.exec(output);
      if (match) resolve(Number(match[1]));
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the VS Code server exited with ${code}:\n${output}`)));
    setTimeout(() => reject(new Error(`the VS Code server did not start:\n${output}`)), 60_000).unref();
  });
  const stop = async () => {
    signalGroup(child, 'SIGTERM');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
    kill();
  };
  return { port, exited, stop, kill };
}

function serverArguments(o) {
  return [
    join(o.vscode, 'out/server-main.js'),
    ...['--host', '127.0.0.1', '--port', String(o.port ?? 0), '--connection-token', o.token],
    ...['--accept-server-license-terms', '--disable-telemetry', '--disable-experiments'],
    ...['--server-data-dir', join(o.dataDir, 'server'), '--user-data-dir', join(o.dataDir, 'user')],
    ...['--extensions-dir', o.extensionsDir],
    ...(o.args ?? []),
  ];
}

/** No gallery (nothing is fetched), sockets in one place, and nothing of an outer VS Code leaks in. */
function cleanEnvironment(temporary) {
  const env = {
    ...process.env,
    EXTENSIONS_GALLERY: '{}',
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
    WORKBENCH: '1',
  };
  for (const key of Object.keys(env)) if (/^(VSCODE_(?!TEST)|ELECTRON_|NODE_OPTIONS$)/.test(key)) delete env[key];
  return env;
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // already gone
  }
}
