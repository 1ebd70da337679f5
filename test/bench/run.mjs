// `npm run bench`: bundles every benchmark of this folder as the programs that ship are bundled, and runs one after the other. Benchmarks
// print what they measured and compare with qemu-riscv64 in the same run, or say that it is missing. Arguments choose by name.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from '../../generate.mjs';

const folder = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. Choose from: ${known.join(', ')}.`);
  process.exit(2);
}

const out = mkdtempSync(join(tmpdir(), 'penglai-bench-'));
let failed = false;
try {
  await generate();
  await build({
    entryPoints: known.map((name) => join(folder, `${name}.ts`)),
    outdir: out,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
  });
  for (const name of wanted.length > 0 ? wanted : known) {
    console.log(`\n${name}`);
    const { status } = spawnSync(process.execPath, [join(out, `${name}.js`)], { stdio: 'inherit' });
    if (status !== 0) failed = true;
  }
} finally {
  rmSync(out, { recursive: true });
}
process.exitCode = failed ? 1 : 0;
