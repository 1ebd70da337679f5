// Makes emulator/isa/generated/ and emulator/engine/generated/ from the rows: a step of build.mjs, before anything that imports it is bundled or checked.
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

/** Writes the files that a room's generate.ts makes, but those that are there already as they are to be. */
async function generateRoom(room) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`${room}/generate.ts`, import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  const generatedFiles = await load(outputFiles[0].contents);
  const folder = new URL(`${room}/generated/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(generatedFiles())) {
    const file = new URL(name, folder);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}

export async function generate() {
  // The engines are made of what reads the decoder's tables.
  await generateRoom('emulator/isa');
  await generateRoom('emulator/engine');
}
