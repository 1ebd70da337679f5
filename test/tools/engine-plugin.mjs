// For bundles of the tests: whoever makes a machine gets it from machine-on-engine.ts, where the environment chooses its engine.
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('.', import.meta.url));
const machine = join(tools, '../../emulator/machine/machine');
const wrapper = join(tools, 'machine-on-engine.ts');

export const engineByEnvironment = {
  name: 'engine by environment',
  setup(build) {
    build.onResolve({ filter: /\/machine$/ }, ({ path, importer, resolveDir }) => {
      if (importer === wrapper || dirname(importer) === dirname(machine)) return undefined;
      return relative(join(resolveDir, path), machine) === '' ? { path: wrapper } : undefined;
    });
  },
};
