// Square root (unprivileged manual, "F" extension, "Single-Precision Floating-Point Computational Instructions"). Like a quotient
// (float-divide.ts) a root begins with the host's, to 53 digits, and the sign of the remainder does the rest.

export const FLOAT_SQRT = `
fn sqrtFloat(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let sign = a & signBit(fraction, ones);
  if (isNan(a, fraction, ones)) { return nanFrom(a, a, fraction, ones); }
  if (a == sign) { return a; }
  if (sign != 0) { return invalid(fraction, ones); }
  if (a == infinity) { return a; }
  let x = significandOf(a, fraction, ones);
  let exponent = exponentFound;
  // An even exponent is halved; an odd one leaves a two under the root.
  let odd = zext64(exponent & 1);
  let root = sqrt(asF64(asI64(unitOf(x)) + (odd << 52)));
  // |remainder| <= root, so that the square modulo 2^64 gives it exactly.
  let digits = (asI64(root) & 0xfffffffffffff) | 0x10000000000000;
  let remainder = ((x >>u 11) << (52 + odd)) - digits * digits;
  return roundPack(0, exponent >>s 1, adjusted(root, remainder), rm, fraction, ones);
}

// The square root.
fn sqrt16(a: i32, rm: i32) -> i32 {
  return low32(sqrtFloat(zext64(a), rm, FRACTION16, ONES16));
}

// The square root.
fn sqrt32(a: i32, rm: i32) -> i32 {
  if (rm == RNE && (fflags & NX) != 0) {
    let root = sqrt(asF32(a));
    // A root is never subnormal.
    if (abs(root) < asF32(INFINITY32)) { return asI32(root); }
  }
  return low32(sqrtFloat(zext64(a), rm, FRACTION32, ONES32));
}

// The square root.
fn sqrt64(a: i64, rm: i32) -> i64 {
  if (rm == RNE && (fflags & NX) != 0) {
    let root = sqrt(asF64(a));
    if (abs(root) < asF64(INFINITY64)) { return asI64(root); }
  }
  return sqrtFloat(a, rm, FRACTION64, ONES64);
}
`;
