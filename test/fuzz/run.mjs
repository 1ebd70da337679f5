// `npm run fuzz`: bundles main.ts as the programs that ship are bundled, and runs it with the arguments given.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from '../../generate.mjs';

const out = mkdtempSync(join(tmpdir(), 'penglai-fuzz-'));
try {
  await generate();
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  const args = ['--enable-source-maps', join(out, 'main.js'), ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(out, { recursive: true });
}
