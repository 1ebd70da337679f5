// Fused multiply-add where the host has an operator for it (engine/wasm/fused.ts): what translated code has in place of fma32 and fma64 of
// float-fma.ts, which do the rest. No row's text names these functions, and no interpreter has them.
import type { LibraryText } from '../language/check';

/** For each function the one that may take its place. */
export const FUSED: ReadonlyMap<string, string> = new Map([
  ['fma32', 'fusedFma32'],
  ['fma64', 'fusedFma64'],
]);

export const FLOAT_FUSED: LibraryText = {
  title: 'float-fused',
  text: `
fn fusedFma32(a: i32, b: i32, c: i32, rm: i32) -> i32 {
  if (rm == RNE && (fflags & NX) != 0) {
    let bits = asI32(fused(asF32(a), asF32(b), asF32(c)));
    if (isPlain32(bits)) { return bits; }
  }
  return fma32(a, b, c, rm);
}

fn fusedFma64(a: i64, b: i64, c: i64, rm: i32) -> i64 {
  if (rm == RNE && (fflags & NX) != 0) {
    let bits = asI64(fused(asF64(a), asF64(b), asF64(c)));
    if (isPlain64(bits)) { return bits; }
  }
  return fma64(a, b, c, rm);
}
`,
};
