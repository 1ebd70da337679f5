/**
 * From C sources to one RISC-V program: compile each source, add the SDK, link. Outputs appear under their name only when complete.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { Command, Compiler, Kind } from './compiler';
import { compileCommand, identityOf, linkEappCommand, linkHostCommand, splitFlags } from './compiler';
import { errors } from './errors';
import type { Layout } from './layout';
import { muslFor } from './musl';
import { forEachLimited, run } from './run';

export interface Job {
  readonly kind: Kind;
  /** C or assembly files; made absolute, so that the debug information names them whatever the current folder is. */
  readonly sources: readonly string[];
  readonly out: string;
  /** Added behind `-g -O0`. Those for the linker (-l, -L, -Wl, objects, archives) are used when linking. */
  readonly flags?: readonly string[];
}

export interface Tools {
  readonly compiler: Compiler;
  readonly layout: Layout;
  /** Told what takes long. */
  readonly say?: (line: string) => void;
}

/** What a program is built with before the user's flags. */
export const DEFAULT_FLAGS = ['-g', '-O0'];

/**
 * The SDK's C sources are optimised a little so that enclaves stay small; they keep line information. Its assembly has none: stepping
 * into call_enclave() is to arrive in the server.
 */
const sdkFlags = (source: string): string[] => (extname(source) === '.c' ? ['-g', '-O1', '-Wall', '-Wextra'] : ['-g0']);

/**
 * Builds one program.
 * @throws ToolchainError source-missing, compile-failed (with the compiler's own text), cannot-write, no-sdk
 */
export async function compile(tools: Tools, job: Job): Promise<void> {
  const sources = job.sources.map((source) => resolve(source));
  const missing = sources.find((source) => !existsSync(source));
  if (missing !== undefined) throw errors.sourceMissing(missing);

  const out = resolve(job.out);
  const flags = splitFlags(job.flags ?? []);
  const work = mkdtempSync(join(tmpdir(), 'penglai-cc-'));
  try {
    makeFolder(dirname(out));
    const sdk = await sdkObjects(tools, job.kind);
    const own = sources.map((source, i) => ({ source, object: join(work, `${i}-${basename(source)}.o`) }));
    await compileAll(tools, job.kind, own, () => [...DEFAULT_FLAGS, ...flags.compile]);

    const objects = [...own.map(({ object }) => object), ...sdk];
    // Beside the output, so that the rename is atomic.
    const unfinished = `${out}.${randomUUID()}.tmp`;
    try {
      await execute(
        tools.compiler,
        await linkCommand(tools, job.kind, objects, unfinished, flags.link),
        dirname(out),
        out,
      );
      renameSync(unfinished, out);
    } finally {
      rmSync(unfinished, { force: true });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function linkCommand(
  tools: Tools,
  kind: Kind,
  objects: readonly string[],
  out: string,
  flags: readonly string[],
): Promise<Command> {
  const { compiler, layout } = tools;
  if (kind === 'eapp') return linkEappCommand(compiler, layout, objects, out, flags);
  const musl = compiler.kind === 'zig' ? await muslFor(tools) : undefined;
  return linkHostCommand(compiler, layout, objects, out, flags, musl);
}

async function compileAll(
  tools: Tools,
  kind: Kind,
  files: readonly { source: string; object: string }[],
  flagsFor: (source: string) => readonly string[],
): Promise<void> {
  const { compiler, layout } = tools;
  const systemIncludes = kind === 'eapp' && compiler.kind !== 'zig' ? await ownHeaders(compiler) : [];
  await forEachLimited(files, availableParallelism(), async ({ source, object }) => {
    const folder = dirname(source);
    const command = compileCommand(compiler, layout, {
      kind,
      source,
      folder,
      object,
      flags: flagsFor(source),
      systemIncludes,
    });
    await execute(compiler, command, folder, source);
  });
}

/** The folders of the compiler's own headers: what -nostdinc takes away and a freestanding program still needs. */
async function ownHeaders(compiler: Compiler): Promise<string[]> {
  if (compiler.kind === 'clang') {
    const { text } = await run(compiler.path, ['-print-resource-dir']);
    return [join(text.trim(), 'include')];
  }
  const names = await Promise.all(
    ['include', 'include-fixed'].map((name) => run(compiler.path, [`-print-file-name=${name}`])),
  );
  return names.map(({ text }) => text.trim()).filter((path) => path.includes('/') && existsSync(path));
}

/** Objects of the SDK's library, compiled once for a compiler, the SDK's content and the place it lies. */
async function sdkObjects(tools: Tools, kind: Kind): Promise<string[]> {
  const { layout } = tools;
  const folder = join(layout.sdk, kind, 'src');
  if (!existsSync(folder)) throw errors.noSdk(layout.sdk);
  const sources = readdirSync(folder)
    .filter((name) => /\.[cS]$/.test(name))
    .sort();
  const hash = createHash('sha256');
  hash.update(JSON.stringify([identityOf(tools.compiler), layout.sdk, COMPILE_VERSION]));
  for (const path of sdkFiles(layout, kind)) hash.update(path).update(readFileSync(path));
  const cached = join(layout.cache, `sdk-${kind}-${hash.digest('hex').slice(0, 16)}`);
  const objects = sources.map((name) => join(cached, `${name}.o`));
  if (existsSync(cached)) return objects;

  const unfinished = `${cached}.${randomUUID()}`;
  makeFolder(unfinished);
  try {
    const files = sources.map((name) => ({ source: join(folder, name), object: join(unfinished, `${name}.o`) }));
    await compileAll(tools, kind, files, sdkFlags);
    try {
      renameSync(unfinished, cached);
    } catch (error) {
      // Another process was faster: what it left is the same.
      if (!existsSync(cached)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return objects;
}

/** To be raised when command lines change, so that outputs of earlier ones are not taken for current. */
export const COMPILE_VERSION = 1;

/** All files of the SDK that a program of this kind depends on. */
export function sdkFiles(layout: Layout, kind: Kind): string[] {
  const root = join(layout.sdk, kind);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw errors.cannotWrite(path, (error as Error).message);
  }
}

async function execute(compiler: Compiler, command: Command, cwd: string, what: string): Promise<void> {
  const { status, text } = await run(command.program, command.args, { cwd, env: command.env });
  if (status !== 0) throw errors.compileFailed(what, compiler.path, text);
  if (text.trim()) process.stderr.write(text);
}
