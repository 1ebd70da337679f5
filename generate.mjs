// Makes emulator/engine/generated/ from the rows: a step of build.mjs, before anything that imports it is bundled or checked.
import { build } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes the source interpreter, unless it is there already as it is to be. */
export async function generate() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('emulator/engine/source/program.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { interpreterText } = await import(`data:text/javascript;base64,${code}`);
  const text = interpreterText();
  const folder = new URL('emulator/engine/generated/', import.meta.url);
  const file = new URL('interpreter.ts', folder);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
}
