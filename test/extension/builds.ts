/** Builds of the samples and of our own test programs that differ from what `npm run build` leaves. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');
const programs = join(root, 'test/fixtures/programs');
const builds = join(root, 'out/builds');

function compile(kind: '--host' | '--eapp', source: string, out: string, flags: string[] = []): void {
  const args = [
    join(root, 'dist/penglai.js'),
    'cc',
    kind,
    source,
    '-o',
    out,
    ...(flags.length ? ['--', ...flags] : []),
  ];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function folder(name: string): string {
  const path = join(builds, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** shadow-fork with other flags for the enclave; the folder holds `host` and `hello-world`. */
export function buildShadowFork(name: string, flags: string[]): string {
  const out = folder(`shadow-fork-${name}`);
  compile('--host', join(root, 'samples/shadow-fork/host.c'), join(out, 'host'));
  compile('--eapp', join(root, 'samples/shadow-fork/hello-world.c'), join(out, 'hello-world'), flags);
  return out;
}

/** Two enclaves from `left/eapp.c` and `right/eapp.c`, under the file names `a` and `b`. */
export function buildTwins() {
  const out = folder('twins');
  const source = (side: 'left' | 'right') => join(programs, 'twins', side, 'eapp.c');
  compile('--host', join(programs, 'twins/host.c'), join(out, 'host'));
  compile('--eapp', source('left'), join(out, 'a'));
  compile('--eapp', source('right'), join(out, 'b'));
  return { folder: out, host: join(out, 'host'), source };
}

/** The host of server-chain with a second busy thread, and a slow server in place of server1. Returns the host's path. */
export function buildBusyChain(): string {
  const out = folder('busy-chain');
  compile('--host', join(programs, 'busy-chain-host.c'), join(out, 'host'));
  compile('--eapp', join(programs, 'slow-server.c'), join(out, 'server1'));
  for (const enclave of ['caller', 'server'])
    cpSync(join(root, 'samples/build/server-chain', enclave), join(out, enclave), { preserveTimestamps: true });
  return join(out, 'host');
}
