// Makes emulator/engine/generated/ from the rows: a step of build.mjs, before anything that imports it is bundled or checked.
import { build } from 'esbuild';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Loads the bundle from a file: an error in a row then names a place, not a page of base64. */
async function load(contents) {
  const folder = mkdtempSync(join(tmpdir(), 'penglai-generate-'));
  try {
    const file = join(folder, 'generate.mjs');
    writeFileSync(file, contents);
    return (await import(pathToFileURL(file).href)).generatedFiles;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

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
  const generatedFiles = await load(outputFiles[0].contents);
  const folder = new URL('emulator/engine/generated/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(generatedFiles())) {
    const file = new URL(name, folder);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}
