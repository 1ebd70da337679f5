// `npm run bench`: the benchmark (bench.ts).
import { runBundled } from '../tools/bundled.mjs';

await runBundled(import.meta.url, ['bench', 'child', 'scale-child', 'regions-child', 'vscode-host'], {
  sourcemap: false,
  browser: ['browser-worker'],
});
