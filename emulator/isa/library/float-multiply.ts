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
  }
  return low32(multiplyFloat(zext64(a), zext64(b), rm, FRACTION32, ONES32));
}

// Exponent of the last digit of a number other than zero that is not 0, counted as the exponent field counts the last place.
fn lastDigit64(a: i64) -> i32 {
  let field = low32(a >>u 52) & 0x7ff;
  return field == 0 ? low32(ctz(a)) + 1 : low32(ctz(a | 0x10000000000000)) + field;
}

// A product as it was rounded, NX raised if it is not exact: if its exact last digit is below its last place.
fn accrued64(a: i64, b: i64, bits: i64) -> i64 {
  if (lastDigit64(a) + lastDigit64(b) - 1075 <s (low32(bits >>u 52) & 0x7ff)) { raise(NX); }
  return bits;
}

// Have both at most 26 digits, so that their product has no more than 52?
fn areShort64(a: i64, b: i64) -> bool {
  return ((a | b) & 0x7ffffff) == 0;
}

// The product.
fn mul64(a: i64, b: i64, rm: i32) -> i64 {
  if (rm == RNE) {
    let bits = asI64(asF64(a) * asF64(b));
    if (isPlain64(bits)) {
      return (fflags & NX) != 0 || areShort64(a, b) ? bits : accrued64(a, b, bits);
    }
  }
  return multiplyFloat(a, b, rm, FRACTION64, ONES64);
}
`;
