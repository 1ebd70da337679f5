/**
 * The C library for hosts built with zig: built once, without debug information, and then linked directly.
 *
 * Left to itself zig builds it with debug information: hosts become seven times as big, a step into printf() lands in the library,
 * and its objects, shared through the cache, name the folder of whichever program was built first.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Musl } from './compiler';
import { identityOf, muslCommand } from './compiler';
import type { Tools } from './compile';
import { errors } from './errors';
import { run } from './run';

const LIBRARIES = ['libc.a', 'libzigc.a', 'libcompiler_rt.a'];

/** @throws ToolchainError compile-failed */
export async function muslFor(tools: Tools): Promise<Musl> {
  const { compiler, layout } = tools;
  const key = createHash('sha256').update(identityOf(compiler)).digest('hex').slice(0, 16);
  const folder = join(layout.cache, `musl-${key}`);
  if (!existsSync(folder)) await build(tools, folder);
  const musl = found(folder);
  if (!musl) {
    rmSync(folder, { recursive: true, force: true });
    throw errors.compileFailed('musl', compiler.path, `no crt1.o and libc.a below ${folder}`);
  }
  return musl;
}

async function build(tools: Tools, folder: string): Promise<void> {
  tools.say?.('building the C library for riscv64 once; this takes about half a minute');
  const unfinished = `${folder}.${randomUUID()}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const source = join(unfinished, 'empty.c');
    writeFileSync(source, 'int main(void) { return 0; }\n');
    const command = muslCommand(tools.compiler, unfinished, source, join(unfinished, 'empty'));
    const { status, text } = await run(command.program, command.args, { cwd: unfinished, env: command.env });
    if (status !== 0) throw errors.compileFailed('musl', tools.compiler.path, text);
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** zig names outputs by hash; this cache has been used for one program only, so that the names are unique but for crt1.o's two equal builds. */
function found(folder: string): Musl | undefined {
  const outputs = readdirSync(join(folder, 'o'), { recursive: true, withFileTypes: true });
  const path = (name: string): string | undefined =>
    outputs
      .filter((entry) => entry.isFile() && entry.name === name)
      .map((entry) => join(entry.parentPath, name))
      .sort()[0];
  const crt1 = path('crt1.o');
  const libraries = LIBRARIES.map(path).filter((library) => library !== undefined);
  return crt1 !== undefined && path('libc.a') !== undefined ? { crt1, libraries } : undefined;
}
