// `npm run ltp`: bundles the runner as the programs that ship are bundled, and runs it with the arguments given (main.ts).
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from '../../../generate.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'penglai-ltp-'));
try {
  await generate();
  await build({
    entryPoints: ['main', 'child'].map((name) => join(folder, `${name}.ts`)),
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
