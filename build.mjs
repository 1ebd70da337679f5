// Generates what is made from the rows, then bundles the programs that ship into dist/, and with --tests every test file into out/.
// With --generate it does nothing else than generate.
// Bundling is also what inlines `const enum` members across files, which the interpreter's speed depends on.
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.mjs';
import { engineByEnvironment } from './test/tools/engine-plugin.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // The module form of a library can be bundled in part.
  mainFields: ['module', 'main'],
  sourcemap: true,
  logLevel: 'warning',
};

/** Programs with the stable names other tools rely on. */
const programs = {
  extension: 'extension/extension.ts',
  'debug-adapter': 'debug-adapter/main.ts',
  penglai: 'cli/start.ts',
};
/** Started by cli/start.ts, and therefore a function already: to put megabytes of text into one costs 4 ms of each start. */
const command = {
  entryPoints: { 'penglai-main': 'cli/penglai.ts' },
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/** Modules that are loaded when something of them is used: 3 to 8 ms of a start each, and most starts use none. */
const loadedLate = {
  name: 'loaded-late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^((node:)?(child_process|crypto)|sm-crypto-v2)$/ }, ({ path, namespace }) =>
      namespace === 'late' ? undefined : { path, namespace: 'late' },
    );
    onLoad({ filter: /.*/, namespace: 'late' }, async ({ path }) => {
      const getters = Object.keys(await import(path)).map((name) => `get ${name}() { return load().${name}; }`);
      return {
        contents: `const load = () => require(${JSON.stringify(path)});\nmodule.exports = {${getters}};`,
        resolveDir: root,
      };
    });
  },
};

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path);
    const isEntry = entry.name.endsWith('.test.ts') || ['index.ts', 'resume.ts'].includes(entry.name);
    return isEntry ? [path] : [];
  });
}

await generate();
if (process.argv.includes('--generate')) process.exit();

const present = Object.fromEntries(Object.entries(programs).filter(([, file]) => existsSync(join(root, file))));
const shipped = { ...common, outdir: 'dist', external: ['vscode'], plugins: [loadedLate] };
await build({ ...shipped, entryPoints: present });
await build({ ...shipped, ...command });

if (process.argv.includes('--tests')) {
  rmSync(join(root, 'out'), { recursive: true, force: true });
  const { extension: _, ...alone } = present;
  const tried = { ...common, outdir: 'out/programs', plugins: [engineByEnvironment] };
  await build({ ...tried, entryPoints: alone });
  await build({ ...tried, ...command });
  await build({
    ...common,
    entryPoints: testFiles(join(root, 'test')),
    outdir: 'out/test',
    outbase: 'test',
    // Test-only packages stay in node_modules; what ships is bundled, as in dist/.
    plugins: [engineByEnvironment],
    external: ['vscode', 'mocha', 'esbuild', '@vscode/debugadapter-testsupport', '@vscode/test-electron'],
  });
}
