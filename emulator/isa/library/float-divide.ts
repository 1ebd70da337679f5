// Division (unprivileged manual, "F" extension, "Single-Precision Floating-Point Computational Instructions"; IEEE 754-2019, 7.3).
// Every quotient begins with the host's, of significands, to 53 digits; the sign of the remainder tells on which side the true one
// lies, which is all that rounding in any mode and to any precision up to 53 digits needs.

export const FLOAT_DIVIDE = `
// The quotient of numbers of which one is an infinity or a NaN.
fn divideSpecial(a: i64, b: i64, sign: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) { return nanFrom(a, b, fraction, ones); }
  let infinity = infinityOf(fraction, ones);
  let infiniteA = (a & infinity) == infinity;
  if (infiniteA && (b & infinity) == infinity) { return invalid(fraction, ones); }
  return infiniteA ? sign | infinity : sign;
}

// The number from 1 to 2 with the 53 digits of a significand.
fn unitOf(significand: i64) -> f64 {
  return asF64(((significand >>u 11) & 0xfffffffffffff) | 0x3ff0000000000000);
}

// The 53 digits of a normal number as a significand, moved down or up by a trace where the remainder says so.
fn adjusted(near: f64, remainder: i64) -> i64 {
  let digits = (asI64(near) << 11) | SIGN64;
  if (remainder <s 0) { return digits - 1; }
  return digits | zext64(remainder != 0);
}

fn divideFloat(a: i64, b: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let signMask = signBit(fraction, ones);
  let sign = (a ^ b) & signMask;
  let sizeA = a & (signMask - 1);
  let sizeB = b & (signMask - 1);
  if (sizeA >=u infinity || sizeB >=u infinity) { return divideSpecial(a, b, sign, fraction, ones); }
  if (sizeB == 0) {
    if (sizeA == 0) { return invalid(fraction, ones); }
    raise(DZ);
    return sign | infinity;
  }
  if (sizeA == 0) { return sign; }
  let x = significandOf(a, fraction, ones);
  let exponentA = exponentFound;
  let y = significandOf(b, fraction, ones);
  let borrow = x <u y;
  let exponent = exponentA - exponentFound - bit(borrow);
  let quotient = unitOf(x) / unitOf(y);
  // |remainder| <= y / 2^12, so that the product modulo 2^64 gives it exactly.
  let digits = (asI64(quotient) & 0xfffffffffffff) | 0x10000000000000;
  let dividend = (x >>u 11) << (borrow ? 53 : 52);
  let remainder = dividend - digits * (y >>u 11);
  return roundPack(sign, exponent, adjusted(quotient, remainder), rm, fraction, ones);
}

// The quotient.
fn div16(a: i32, b: i32, rm: i32) -> i32 {
  return low32(divideFloat(zext64(a), zext64(b), rm, FRACTION16, ONES16));
}

// The quotient.
fn div32(a: i32, b: i32, rm: i32) -> i32 {
  if (rm == RNE && (fflags & NX) != 0) {
    let bits = asI32(asF32(a) / asF32(b));
    if (isPlain32(bits)) { return bits; }
  }
  return low32(divideFloat(zext64(a), zext64(b), rm, FRACTION32, ONES32));
}

// The quotient.
fn div64(a: i64, b: i64, rm: i32) -> i64 {
  if (rm == RNE && (fflags & NX) != 0) {
    let bits = asI64(asF64(a) / asF64(b));
    if (isPlain64(bits)) { return bits; }
  }
  return divideFloat(a, b, rm, FRACTION64, ONES64);
}
`;
