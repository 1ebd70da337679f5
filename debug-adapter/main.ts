/**
 * The adapter as a process: the Debug Adapter Protocol over standard input and output, files from the file system, the clock of the
 * machine. Never opens a socket, and writes nothing but protocol messages to standard output.
 * `--log FILE` names the session's log.
 */
import { appendFileSync, writeFileSync, existsSync, mkdirSync } from 'node:fs';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import './node-flags';
import { createSystem } from '../monitor/system/system';
import { createFile } from './node-files';
import { DapServer } from './dap/server';
import { requests } from './requests/index';
import type { Environment, Log } from './session/environment';
import type { Files } from './session/files';
import { Session } from './session/session';

/** What was sent must have left before the process ends, but a client that does not read may not keep it alive. */
const DRAIN_MS = 500;

const files: Files = {
  async stat(uri) {
    try {
      const found = await stat(fileURLToPath(uri));
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
      return {
        kind,
        size: found.size,
        modified: found.mtimeMs,
        identity: `${found.dev}:${found.ino}`,
        mode: found.mode & 0o7777,
      };
    } catch {
      return undefined;
    }
  },
  async read(uri) {
    return new Uint8Array(await readFile(fileURLToPath(uri)));
  },
  async list(uri) {
    try {
      return (await readdir(fileURLToPath(uri))).sort();
    } catch {
      return [];
    }
  },
  async link(uri) {
    try {
      return await readlink(fileURLToPath(uri));
    } catch {
      return undefined;
    }
  },
  create: createFile,
};

function openLog(path = logPath(), plain = false): Log | undefined {
  try {
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true });
    if (plain) writeFileSync(path, '', { mode: 0o600 });
    // Created by its first line, readable by its owner only: it may hold what an enclave keeps secret.
    const line = (text: string) => {
      try {
        appendFileSync(path, plain ? `${text}\n` : `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
      } catch {
        // A full disk must not end a debug session.
      }
    };
    return { path, line };
  } catch {
    return undefined;
  }
}

function logPath(): string {
  const at = process.argv.indexOf('--log');
  const given = at >= 0 ? process.argv[at + 1] : undefined;
  return given ?? join(tmpdir(), `penglai-debug-adapter-${process.pid}.log`);
}

let leaving = false;
function exit(code: number): void {
  if (leaving) return;
  leaving = true;
  const end = () => process.exit(code);
  setTimeout(end, DRAIN_MS);
  process.stdout.write('', end);
}

function crash(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  openLog()?.line(`crash: ${text}`);
  process.stderr.write(`${text}\n`);
  exit(70);
}

function main(): void {
  // Libraries that print for people must not break the protocol.
  console.log = console.info = console.debug = (...items: unknown[]) => console.error(...items);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const environment: Environment = {
    files,
    wall: {
      now: () => performance.now(),
      soon: (then) => void setImmediate(then),
      later: (milliseconds, then) => {
        const timer = setTimeout(then, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    openLog,
    exit,
  };
  const server = new DapServer<Session>((made) => new Session(made, environment, createSystem), requests);
  server.on('close', () => server.session.leave());
  process.stdin.on('end', () => server.session.leave());
  process.stdout.on('error', () => server.session.leave());
  process.on('SIGTERM', () => server.session.leave());
  server.start(process.stdin, process.stdout);
}

main();
