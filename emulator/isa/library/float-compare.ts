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

fn eq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x == y) : unordered32(a, b);
}

fn ltq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x < y) : unordered32(a, b);
}

fn leq32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  return x == x && y == y ? zext64(x <= y) : unordered32(a, b);
}

fn lt32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x < y);
}

fn le32(a: i32, b: i32) -> i64 {
  let x = asF32(a);
  let y = asF32(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x <= y);
}

fn eq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x == y) : unordered64(a, b);
}

fn ltq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x < y) : unordered64(a, b);
}

fn leq64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  return x == x && y == y ? zext64(x <= y) : unordered64(a, b);
}

fn lt64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x < y);
}

fn le64(a: i64, b: i64) -> i64 {
  let x = asF64(a);
  let y = asF64(b);
  if (x != x || y != y) { raise(NV); }
  return zext64(x <= y);
}

// Widening keeps order and quietens a signaling NaN, which raises its NV there.
fn eq16(a: i32, b: i32) -> i64 { return eq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
fn ltq16(a: i32, b: i32) -> i64 { return ltq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
fn leq16(a: i32, b: i32) -> i64 { return leq32(convert16To32(a, RNE), convert16To32(b, RNE)); }
fn lt16(a: i32, b: i32) -> i64 { return lt32(convert16To32(a, RNE), convert16To32(b, RNE)); }
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

fn min16(a: i32, b: i32) -> i32 { return low32(minFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
fn max16(a: i32, b: i32) -> i32 { return low32(maxFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
fn minm16(a: i32, b: i32) -> i32 { return low32(minmFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }
fn maxm16(a: i32, b: i32) -> i32 { return low32(maxmFloat(zext64(a), zext64(b), FRACTION16, ONES16)); }

fn min32(a: i32, b: i32) -> i32 { return low32(minFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }
fn max32(a: i32, b: i32) -> i32 { return low32(maxFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }
fn minm32(a: i32, b: i32) -> i32 { return low32(minmFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }
fn maxm32(a: i32, b: i32) -> i32 { return low32(maxmFloat(zext64(a), zext64(b), FRACTION32, ONES32)); }

fn min64(a: i64, b: i64) -> i64 { return minFloat(a, b, FRACTION64, ONES64); }
fn max64(a: i64, b: i64) -> i64 { return maxFloat(a, b, FRACTION64, ONES64); }
fn minm64(a: i64, b: i64) -> i64 { return minmFloat(a, b, FRACTION64, ONES64); }
fn maxm64(a: i64, b: i64) -> i64 { return maxmFloat(a, b, FRACTION64, ONES64); }
`;
