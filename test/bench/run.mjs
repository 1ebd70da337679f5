// `npm run bench`: the benchmark (bench.ts).
import { runBundled } from '../tools/bundled.mjs';

await runBundled(import.meta.url, ['bench', 'child', 'scale-child'], { sourcemap: false });
