// `npm run fuzz`: a hostile kernel and hostile enclaves above the monitor (main.ts).
import { runBundled } from '../tools/bundled.mjs';

await runBundled(import.meta.url, ['main']);
