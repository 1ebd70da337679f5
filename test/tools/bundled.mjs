// Runs a program of the tests: bundled as the programs that ship are bundled, with the arguments of this process and its exit status.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from '../../generate.mjs';
import { engineByEnvironment } from './engine-plugin.mjs';

/**
 * `base` is the caller's import.meta.url; the first of `names` (modules beside it) is the program, the others lie beside it for child
 * processes. Without `sourcemap` no time goes into reading one: for what is measured. `browser` are modules for a browser's worker.
 */
export async function runBundled(base, names, { sourcemap = true, browser = [] } = {}) {
  const folder = fileURLToPath(new URL('.', base));
  const out = mkdtempSync(join(tmpdir(), 'penglai-'));
  try {
    await generate();
    await build({
      entryPoints: names.map((name) => join(folder, `${name}.ts`)),
      outdir: out,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      sourcemap: sourcemap && 'inline',
      logLevel: 'warning',
      plugins: [engineByEnvironment],
    });
    if (browser.length > 0)
      await build({
        entryPoints: browser.map((name) => join(folder, `${name}.ts`)),
        outdir: out,
        bundle: true,
        platform: 'browser',
        target: 'es2022',
        format: 'iife',
        logLevel: 'warning',
      });
    const args = [
      ...(sourcemap ? ['--enable-source-maps'] : []),
      join(out, `${names[0]}.js`),
      ...process.argv.slice(2),
    ];
    process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(out, { recursive: true });
  }
}
