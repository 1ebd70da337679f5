// `npm run differential`: engines and oracles compared (main.ts).
import { runBundled } from '../tools/bundled.mjs';

await runBundled(import.meta.url, ['main']);
