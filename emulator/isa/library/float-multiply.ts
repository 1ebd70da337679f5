// Multiplication (unprivileged manual, "F" extension, "Single-Precision Floating-Point Computational Instructions").
// The host multiplies where that is the whole answer: to nearest, and with a result above the least normal number, so that only NX can be due.

export const FLOAT_MULTIPLY = `
// The product of numbers of which one is an infinity or a NaN. sign: that of the product.
fn multiplySpecial(a: i64, b: i64, sign: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) { return nanFrom(a, b, fraction, ones); }
  let size = signBit(fraction, ones) - 1;
  if ((a & size) == 0 || (b & size) == 0) { return invalid(fraction, ones); }
  return sign | infinityOf(fraction, ones);
}

fn multiplyFloat(a: i64, b: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let signMask = signBit(fraction, ones);
  let sign = (a ^ b) & signMask;
  let sizeA = a & (signMask - 1);
  let sizeB = b & (signMask - 1);
  if (sizeA >=u infinity || sizeB >=u infinity) { return multiplySpecial(a, b, sign, fraction, ones); }
  if (sizeA == 0 || sizeB == 0) { return sign; }
  let x = significandOf(a, fraction, ones);
  let exponentA = exponentFound;
  let y = significandOf(b, fraction, ones);
  let exponent = exponentA + exponentFound;
  let product = mulhu(x, y) | zext64(x * y != 0);
  // The product of two numbers from 1 to 2 lies from 1 to 4; with 11 bits to spare below, bit 0 is never needed for a digit.
  let zeros = clz(product);
  return roundPack(sign, exponent + 1 - low32(zeros), product << zeros, rm, fraction, ones);
}

// The product.
fn mul16(a: i32, b: i32, rm: i32) -> i32 {
  return low32(multiplyFloat(zext64(a), zext64(b), rm, FRACTION16, ONES16));
}

// The product.
fn mul32(a: i32, b: i32, rm: i32) -> i32 {
  if (rm == RNE) {
    let near = asF32(a) * asF32(b);
    let bits = asI32(near);
    if (isPlain32(bits)) {
      // The product of 48 digits is exact in binary64.
      if ((fflags & NX) == 0 && promote(asF32(a)) * promote(asF32(b)) != promote(near)) { raise(NX); }
      return bits;
    }
    if (near == asF32(0) && (asF32(a) == asF32(0) || asF32(b) == asF32(0))) { return bits; }
  }
  return low32(multiplyFloat(zext64(a), zext64(b), rm, FRACTION32, ONES32));
}

// The product.
fn mul64(a: i64, b: i64, rm: i32) -> i64 {
  if (rm == RNE) {
    let near = asF64(a) * asF64(b);
    let bits = asI64(near);
    if (isPlain64(bits)) {
      if ((fflags & NX) != 0) { return bits; }
      // The product of the significands has as many trailing zeros as both have. It is exact if these are 52, or 53 with a carry.
      let fieldA = low32(a >>u 52) & 0x7ff;
      let fieldB = low32(b >>u 52) & 0x7ff;
      let zeros = ctz(a | 0x10000000000000) + ctz(b | 0x10000000000000);
      let carry = (low32(bits >>u 52) & 0x7ff) - (fieldA + fieldB - 1023);
      if (fieldA != 0 && fieldB != 0) {
        if (low32(zeros) <s 52 + carry) { raise(NX); }
        return bits;
      }
    }
    if (near == asF64(0) && (asF64(a) == asF64(0) || asF64(b) == asF64(0))) { return bits; }
  }
  return multiplyFloat(a, b, rm, FRACTION64, ONES64);
}
`;
