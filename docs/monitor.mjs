// Writes docs/operations.md and docs/hazards.md from the monitor's tables (monitor/documentation.ts).
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../monitor/documentation.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'esm',
});
const { hazardsPage, operationsPage } = await import(
  'data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64')
);
writeFileSync(new URL('operations.md', import.meta.url), operationsPage());
writeFileSync(new URL('hazards.md', import.meta.url), hazardsPage());
