// Writes docs/system-calls.md from the tables of the host OS (emulator/linux/documentation.ts).
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../emulator/linux/documentation.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
});
const { systemCallsPage } = await import(
  'data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64')
);
writeFileSync(new URL('system-calls.md', import.meta.url), systemCallsPage());
