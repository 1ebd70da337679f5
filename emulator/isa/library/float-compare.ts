// Comparisons, minimum and maximum (unprivileged manual, "F" extension, "Single-Precision Floating-Point Compare Instructions" and
// "... Computational Instructions"; "Zfa"). feq, fltq and fleq are quiet, flt and fle signaling. Half-precision numbers are compared
// as the same numbers of single precision.

export const FLOAT_COMPARE = `
// What an unordered comparison gives: 0, and NV for a signaling NaN.
fn unordered32(a: i32, b: i32) -> i64 {
  if (isSignaling(zext64(a), FRACTION32, ONES32) || isSignaling(zext64(b), FRACTION32, ONES32)) { raise(NV); }
  return 0;
}

fn unordered64(a: i64, b: i64) -> i64 {
  if (isSignaling(a, FRACTION64, ONES64) || isSignaling(b, FRACTION64, ONES64)) { raise(NV); }
  return 0;
}

// Equal? Quiet: NV only for a signaling NaN.
fn eq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x == y) : unordered32(a, b);
}

// Less? Quiet: NV only for a signaling NaN.
fn ltq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x < y) : unordered32(a, b);
}

// Less or equal? Quiet: NV only for a signaling NaN.
fn leq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x <= y) : unordered32(a, b);
}

// Less? NV for any NaN.
fn lt32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x < y);
}

// Less or equal? NV for any NaN.
fn le32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x <= y);
}

// Equal? Quiet: NV only for a signaling NaN.
fn eq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x == y) : unordered64(a, b);
}

// Less? Quiet: NV only for a signaling NaN.
fn ltq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x < y) : unordered64(a, b);
}

// Less or equal? Quiet: NV only for a signaling NaN.
fn leq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x <= y) : unordered64(a, b);
}

// Less? NV for any NaN.
fn lt64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x < y);
}

// Less or equal? NV for any NaN.
fn le64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x <= y);
}

// Widening keeps order and quietens a signaling NaN, which raises its NV there.
fn eq16(a: i32, b: i32) -> i64 { return eq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
// Less? Quiet: NV only for a signaling NaN.
fn ltq16(a: i32, b: i32) -> i64 { return ltq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
// Less or equal? Quiet: NV only for a signaling NaN.
fn leq16(a: i32, b: i32) -> i64 { return leq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
// Less? NV for any NaN.
fn lt16(a: i32, b: i32) -> i64 { return lt32(convert16To32(a, RNE), convert16To32(b, RNE)); }
// Less or equal? NV for any NaN.
fn le16(a: i32, b: i32) -> i64 { return le32(convert16To32(a, RNE), convert16To32(b, RNE)); }

// The lesser operand, -0 being less than +0; with a NaN the other one, with two the canonical one.
fn minFloat(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) {
    let nan = nanFrom(a, b, fraction, ones);
    if (!isNan(a, fraction, ones)) { return a; }
    return isNan(b, fraction, ones) ? nan : b;
  }
  // Of two negative numbers the greater bits are the lesser number; otherwise the one with a sign.
  let negative = (a & signBit(fraction, ones)) != 0;
  let bothNegative = negative && (b & signBit(fraction, ones)) != 0;
  let first = bothNegative ? b <u a : negative || ((b & signBit(fraction, ones)) == 0 && a <u b);
  return first ? a : b;
}

fn minmFloat(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) { return nanFrom(a, b, fraction, ones); }
  return minFloat(a, b, fraction, ones);
}

// The greater number is the one whose negative is the lesser; a NaN stays one under a sign.
fn maxFloat(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  let sign = signBit(fraction, ones);
  let lesser = minFloat(a ^ sign, b ^ sign, fraction, ones);
  return isNan(lesser, fraction, ones) ? lesser : lesser ^ sign;
}

fn maxmFloat(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) { return nanFrom(a, b, fraction, ones); }
  return maxFloat(a, b, fraction, ones);
}

// minimumNumber: the other operand beside a NaN.
fn min16(a: i32, b: i32) -> i32 { return low32(minFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
// maximumNumber: the other operand beside a NaN.
fn max16(a: i32, b: i32) -> i32 { return low32(maxFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
// minimum: the canonical NaN beside a NaN.
fn minm16(a: i32, b: i32) -> i32 { return low32(minmFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
// maximum: the canonical NaN beside a NaN.
fn maxm16(a: i32, b: i32) -> i32 { return low32(maxmFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }

// minimumNumber: the other operand beside a NaN.
fn min32(a: i32, b: i32) -> i32 {
  let x = asF32(a);
  let y = asF32(b);
  if (x < y) { return a; }
  if (y < x) { return b; }
  // Equal numbers differ in the sign of zero at most.
  if (x == y) { return a | b; }
  return low32(minFloat(zext64(a), zext64(b), FRACTION32, ONES32));
}
// maximumNumber: the other operand beside a NaN.
fn max32(a: i32, b: i32) -> i32 {
  let x = asF32(a);
  let y = asF32(b);
  if (y < x) { return a; }
  if (x < y) { return b; }
  // Equal numbers differ in the sign of zero at most.
  if (x == y) { return a & b; }
  return low32(maxFloat(zext64(a), zext64(b), FRACTION32, ONES32));
}
// minimum: the canonical NaN beside a NaN.
fn minm32(a: i32, b: i32) -> i32 { return low32(minmFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }
// maximum: the canonical NaN beside a NaN.
fn maxm32(a: i32, b: i32) -> i32 { return low32(maxmFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }

// minimumNumber: the other operand beside a NaN.
fn min64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (x < y) { return a; }
  if (y < x) { return b; }
  // Equal numbers differ in the sign of zero at most.
  if (x == y) { return a | b; }
  return minFloat(a, b, FRACTION64, ONES64);
}
// maximumNumber: the other operand beside a NaN.
fn max64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (y < x) { return a; }
  if (x < y) { return b; }
  // Equal numbers differ in the sign of zero at most.
  if (x == y) { return a & b; }
  return maxFloat(a, b, FRACTION64, ONES64);
}
// minimum: the canonical NaN beside a NaN.
fn minm64(a: i64, b: i64) -> i64 { return minmFloat(a, b, FRACTION64, ONES64); }
// maximum: the canonical NaN beside a NaN.
fn maxm64(a: i64, b: i64) -> i64 { return maxmFloat(a, b, FRACTION64, ONES64); }
`;
