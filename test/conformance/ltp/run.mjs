// `npm run ltp`: the system-call tests of the Linux Test Project (main.ts).
import { runBundled } from '../../tools/bundled.mjs';

await runBundled(import.meta.url, ['main', 'child']);
