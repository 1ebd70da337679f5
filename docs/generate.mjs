// `node docs/generate.mjs NAME…` writes the pages that are made from tables of the code (all of them without a name).
import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Name -> the module that makes the pages, and which function makes which. */
const SOURCES = {
  instructions: ['../emulator/isa/documentation.ts', { 'instructions.md': 'instructionsPage' }],
  'system-calls': ['../emulator/linux/documentation.ts', { 'system-calls.md': 'systemCallsPage' }],
  monitor: ['../monitor/documentation.ts', { 'operations.md': 'operationsPage', 'hazards.md': 'hazardsPage' }],
};

for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SOURCES)) {
  if (!SOURCES[name]) throw new Error(`There are no pages ${name}; give some of ${Object.keys(SOURCES).join(', ')}.`);
  const [module, pages] = SOURCES[name];
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(module, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
  });
  const made = await import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64'));
  for (const [page, make] of Object.entries(pages)) writeFileSync(new URL(page, import.meta.url), made[make]());
}
