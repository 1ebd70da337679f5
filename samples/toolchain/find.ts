/**
 * Finds a compiler for RISC-V: PENGLAI_CC, a riscv64 gcc, clang, and where there is none the packaged zig, installed on demand.
 *
 * A compiler counts only after it has built a small host and a small enclave: a cross compiler without its C library, or a clang without
 * lld, is no compiler here. The result is remembered until the compiler or the SDK's tool chain code changes.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Compiler } from './compiler';
import { identityOf } from './compiler';
import { COMPILE_VERSION, compile } from './compile';
import { errors } from './errors';
import type { Layout } from './layout';
import { run, which } from './run';

const CANDIDATES: readonly { kind: Compiler['kind']; name: string }[] = [
  { kind: 'gcc', name: 'riscv64-linux-gnu-gcc' },
  { kind: 'gcc', name: 'riscv64-unknown-linux-gnu-gcc' },
  { kind: 'clang', name: 'clang' },
];

export interface Search {
  readonly layout: Layout;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** @throws ToolchainError no-sdk, unusable-compiler, no-compiler, no-packaged-compiler */
export async function findCompiler(search: Search): Promise<Compiler> {
  if (!existsSync(search.layout.sdk)) throw errors.noSdk(search.layout.sdk);
  const named = search.env['PENGLAI_CC'];
  if (named) return namedCompiler(search, named);

  const skipped: string[] = [];
  for (const { kind, name } of CANDIDATES) {
    const path = which(name, search.env);
    if (path === undefined) continue;
    const compiler: Compiler = { kind, path };
    const failure = await trial(search, compiler);
    if (failure === undefined) return compiler;
    skipped.push(`${path}: ${firstLine(failure)}`);
  }
  return packagedCompiler(search, skipped);
}

async function namedCompiler(search: Search, named: string): Promise<Compiler> {
  const path = which(named, search.env);
  if (path === undefined) throw errors.unusableCompiler(named, 'there is no such program');
  const compiler: Compiler = { kind: await kindOf(path), path };
  const failure = await trial(search, compiler);
  if (failure !== undefined) throw errors.unusableCompiler(path, failure);
  return compiler;
}

async function kindOf(path: string): Promise<Compiler['kind']> {
  if (/^zig(\.exe)?$/.test(basename(path))) return 'zig';
  const { text } = await run(path, ['--version']);
  return /clang/i.test(text) ? 'clang' : 'gcc';
}

/** The zig of samples/toolchain, installed if it is not there. Its binary is called directly; the package's own launcher uses a shell. */
async function packagedCompiler(search: Search, skipped: readonly string[]): Promise<Compiler> {
  const { layout, say } = search;
  const modules = join(layout.toolchain, 'node_modules', '@zigc');
  const platform = `${process.platform}-${process.arch}`;
  const path = join(modules, platform, 'bin', process.platform === 'win32' ? 'zig.exe' : 'zig');
  if (!existsSync(path)) {
    for (const line of skipped) say(`not used: ${line}`);
    say('no C compiler for RISC-V found; installing zig (395 MB) into samples/toolchain');
    const failure = await install(layout, search.env);
    if (failure !== undefined) throw errors.noCompiler(skipped, failure);
    if (!existsSync(path)) throw errors.noPackagedCompiler(platform);
  }
  return { kind: 'zig', path, zigLib: join(modules, 'lib') };
}

/** Installs exactly what the lock says, without running anything from the packages. Returns npm's text if that failed. */
async function install(layout: Layout, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
  // Under `npm run` this is the npm that runs; else the one in PATH.
  const npm = env['npm_execpath'];
  const own = npm !== undefined && /npm-cli\.c?js$/.test(npm) && existsSync(npm);
  const { status, text } = own
    ? await run(process.execPath, [npm, ...args], { cwd: layout.toolchain, env })
    : await run('npm', args, { cwd: layout.toolchain, env });
  return status === 0 ? undefined : beginning(text);
}

/** npm's first lines say what is wrong; its usage text, which can follow, does not. */
const beginning = (text: string): string => text.trim().split('\n').slice(0, 8).join('\n');

/** Builds a host and an enclave. Undefined if both succeed, else why not. */
async function trial(search: Search, compiler: Compiler): Promise<string | undefined> {
  const { layout } = search;
  const proof = `${identityOf(compiler)} ${COMPILE_VERSION}`;
  const record = join(layout.cache, 'compiler');
  if (existsSync(record) && readFileSync(record, 'utf8') === proof) return undefined;

  const work = mkdtempSync(join(tmpdir(), 'penglai-trial-'));
  try {
    const host = join(work, 'host.c');
    const eapp = join(work, 'eapp.c');
    writeFileSync(host, '#include "penglai-enclave.h"\nint main(void) { return PLenclave_shmget(0); }\n');
    writeFileSync(eapp, '#include "eapp.h"\nint EAPP_ENTRY main() { EAPP_RETURN(0); }\n');
    const tools = { compiler, layout, say: search.say };
    await compile(tools, { kind: 'host', sources: [host], out: join(work, 'host') });
    await compile(tools, { kind: 'eapp', sources: [eapp], out: join(work, 'eapp') });
    mkdirSync(layout.cache, { recursive: true });
    writeFileSync(record, proof);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The line that says what is wrong, of a message that begins with what was tried. */
function firstLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines[1] ?? lines[0] ?? 'failed';
}
