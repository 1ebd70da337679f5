// Writes docs/instructions.md from the rows (emulator/isa/documentation.ts).
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../emulator/isa/documentation.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
});
const { instructionsPage } = await import(
  'data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64')
);
writeFileSync(new URL('instructions.md', import.meta.url), instructionsPage());
