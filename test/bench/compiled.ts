/** Programs of the benchmarks that are built when they are needed, with the compiler that the samples are built with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../samples/toolchain/compile';
import { findCompiler } from '../../samples/toolchain/find';
import { layoutOf } from '../../samples/toolchain/layout';

/** Builds `source` (a path below test/bench) and returns the program's path. */
export type Make = (kind: 'host' | 'eapp', source: string, name: string, flags?: readonly string[]) => Promise<string>;

/** Hands out a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'penglai-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Hands out a builder whose programs are gone afterwards. */
export const withPrograms = <T>(use: (make: Make, folder: string) => Promise<T>): Promise<T> =>
  withFolder(async (folder) => {
    const layout = layoutOf(process.cwd());
    const compiler = await findCompiler({ layout, env: process.env, say: () => undefined });
    const make: Make = async (kind, source, name, flags = []) => {
      const out = join(folder, name);
      await compile({ compiler, layout }, { kind, sources: [join(process.cwd(), 'test/bench', source)], out, flags });
      return out;
    };
    return use(make, folder);
  });
