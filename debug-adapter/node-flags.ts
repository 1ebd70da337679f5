/**
 * For programs that run in Node.js alone, imported before any machine is made: switches on what V8 has of WebAssembly but keeps behind a
 * flag. Nothing depends on it; results are the same without, slower.
 *
 * - Branch hints: V8 reads the section of hints (wasm/code.ts, `Code.hint`). Behind a flag from 9.x to 13.6 at least.
 * - Relaxed SIMD, for the fused multiply-add (wasm/fused.ts): on by default since 11.4; Node.js 20 has 11.3.
 *
 * V8 complains about flags that it doesn't know, so that only versions that were looked at get any.
 */
import { setFlagsFromString } from 'node:v8';

const [major = 0, minor = 0] = process.versions.v8.split('.').map(Number);
const version = 100 * major + minor;

if (version >= 1103 && version <= 1306) setFlagsFromString('--experimental-wasm-branch-hinting');
if (version === 1103) setFlagsFromString('--experimental-wasm-relaxed-simd');
