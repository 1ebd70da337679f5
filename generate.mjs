// Makes emulator/engine/generated/ from the rows: a step of build.mjs, before anything that imports it is bundled or checked.
import { build } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes the files that emulator/engine/generate.ts makes, but those that are there already as they are to be. */
export async function generate() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('emulator/engine/generate.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { generatedFiles } = await import(`data:text/javascript;base64,${code}`);
  const folder = new URL('emulator/engine/generated/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(generatedFiles())) {
    const file = new URL(name, folder);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}
