// Fused multiply-add, rounded once (unprivileged manual, "F" extension: an infinity times zero is invalid even if the addend is a
// quiet NaN). The other three of the family turn signs before (the rows do).

export const FLOAT_FMA = `
// a * b + c where one of them is an infinity or a NaN. sign: that of the product.
fn fusedSpecial(a: i64, b: i64, c: i64, sign: i64, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let size = signBit(fraction, ones) - 1;
  let sizeA = a & size;
  let sizeB = b & size;
  if ((sizeA == 0 && sizeB == infinity) || (sizeB == 0 && sizeA == infinity)) { return invalid(fraction, ones); }
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones) || isNan(c, fraction, ones)) {
    if (isSignaling(c, fraction, ones)) { raise(NV); }
    return nanFrom(a, b, fraction, ones);
  }
  if (sizeA != infinity && sizeB != infinity) { return c; }
  if (c == (sign | infinity) || (c & size) != infinity) { return sign | infinity; }
  return invalid(fraction, ones);
}

// The sum of two numbers of 128 digits and two bits of room above them; the first has the larger exponent, and the second has been
// shifted to it.
fn fusedSum(
  highA: i64, lowA: i64, signA: i64, highB: i64, lowB: i64, signB: i64, exponent: i32, rm: i32, fraction: i64, ones: i32
) -> i64 {
  var sign = signA;
  var high = highA;
  var low = lowA;
  if (signA == signB) {
    low = lowA + lowB;
    high = highA + highB + zext64(low <u lowA);
  } else {
    low = lowA - lowB;
    high = highA - highB - zext64(lowA <u lowB);
    if (high <s 0) {
      sign = signB;
      low = -low;
      high = ~high + zext64(low == 0);
    }
    if ((high | low) == 0) { return rm == RDN ? signBit(fraction, ones) : 0; }
  }
  var top = exponent + 1;
  if (high == 0) {
    high = low;
    low = 0;
    top = top - 64;
  }
  let zeros = clz(high);
  if (zeros != 0) {
    high = (high << zeros) | (low >>u (64 - zeros));
    low = low << zeros;
  }
  return roundPack(sign, top - low32(zeros), high | zext64(low != 0), rm, fraction, ones);
}

fn fusedFloat(a: i64, b: i64, c: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let signMask = signBit(fraction, ones);
  let sizeA = a & (signMask - 1);
  let sizeB = b & (signMask - 1);
  let sizeC = c & (signMask - 1);
  let sign = (a ^ b) & signMask;
  if (sizeA >=u infinity || sizeB >=u infinity || sizeC >=u infinity) {
    return fusedSpecial(a, b, c, sign, fraction, ones);
  }
  if (sizeA == 0 || sizeB == 0) { return addFloat(sign, c, rm, fraction, ones); }
  if (sizeC == 0) { return multiplyFloat(a, b, rm, fraction, ones); }
  let x = significandOf(a, fraction, ones);
  let exponentA = exponentFound;
  let y = significandOf(b, fraction, ones);
  var exponent = exponentA + exponentFound + 1;
  // The product is exact: of its 128 bits at most 106 are digits. Both numbers then leave bit 127 free for the carry.
  var high = mulhu(x, y);
  var low = x * y;
  if (high <s 0) {
    low = (low >>u 1) | (high << 63);
    high = high >>u 1;
  } else { exponent = exponent - 1; }
  let addend = significandOf(c, fraction, ones) >>u 1;
  let distance = exponent - exponentFound;
  if (distance >=s 0) {
    let shifted = wideShiftRightJam(addend, 0, distance);
    return fusedSum(high, low, sign, shifted, wideLow, c & signMask, exponent, rm, fraction, ones);
  }
  let aligned = wideShiftRightJam(high, low, -distance);
  return fusedSum(addend, 0, c & signMask, aligned, wideLow, sign, exponent - distance, rm, fraction, ones);
}

// a * b + c, rounded once.
fn fma16(a: i32, b: i32, c: i32, rm: i32) -> i32 {
  return low32(fusedFloat(zext64(a), zext64(b), zext64(c), rm, FRACTION16, ONES16));
}

// A sum that was rounded to nearest, rounded to odd instead: of its two neighbours the one whose last bit is 1. A number so rounded
// can be rounded again, to at least two digits less, as if it had not been rounded before (Boldo and Melquiond, "Emulation of FMA and
// correctly rounded sums: proved algorithms using rounding to odd", 2008). error: the exact sum less the rounded one.
fn toOdd(sum: f64, error: f64) -> f64 {
  let bits = asI64(sum);
  let apart = asI64(error);
  if ((bits & 1) != 0 || apart << 1 == 0) { return sum; }
  return asF64((apart ^ bits) <s 0 ? bits - 1 : bits | 1);
}

// a * b + c, rounded once.
fn fma32(a: i32, b: i32, c: i32, rm: i32) -> i32 {
  if (rm == RNE) {
    // The product of 48 digits is exact in binary64; the sum is rounded to odd, and then to binary32.
    let product = promote(asF32(a)) * promote(asF32(b));
    let addend = promote(asF32(c));
    let sum = product + addend;
    let part = sum - product;
    let error = (product - (sum - part)) + (addend - part);
    let odd = toOdd(sum, error);
    let near = demote(odd);
    let bits = asI32(near);
    if (isPlain32(bits)) {
      // A sum that does not fit in binary64 has an odd last digit there and does not fit in binary32 either.
      if (promote(near) != odd) { raise(NX); }
      return bits;
    }
  }
  return low32(fusedFloat(zext64(a), zext64(b), zext64(c), rm, FRACTION32, ONES32));
}

// The rounding error of product = x * y (Dekker, with Veltkamp's splitting in 26 and 27 digits): exact unless something overflows,
// which leaves a NaN, or the product is close to the least number.
fn productError(x: f64, y: f64, product: f64) -> f64 {
  let splitter = asF64(0x41a0000002000000);
  let wideX = splitter * x;
  let highX = wideX - (wideX - x);
  let lowX = x - highX;
  let wideY = splitter * y;
  let highY = wideY - (wideY - y);
  let lowY = y - highY;
  return lowX * lowY - (product - highX * highY - lowX * highY - highX * lowY);
}

// a * b + c, rounded once.
fn fma64(a: i64, b: i64, c: i64, rm: i32) -> i64 {
  if (rm == RNE) {
    // The same paper's fused multiply-add: the exact sum of three, the lesser two of them first, rounded to odd.
    let x = asF64(a);
    let y = asF64(b);
    let product = x * y;
    let exact = areShort64(a, b) && isPlain64(asI64(product));
    if (exact || (product == asF64(0) && (x == asF64(0) || y == asF64(0)))) { return add64(asI64(product), c, rm); }
    // From 2^-900 to 2^900 no step underflows.
    if ((low32(asI64(product) >>u 52) & 0x7ff) - 123 <u 1800) {
      let error = productError(x, y, product);
      let addend = asF64(c);
      let low = addend + error;
      let lowPart = low - addend;
      let lowError = (addend - (low - lowPart)) + (error - lowPart);
      let high = product + low;
      let highPart = high - product;
      let highError = (product - (high - highPart)) + (low - highPart);
      let rest = lowError + highError;
      let restPart = rest - lowError;
      let restError = (lowError - (rest - restPart)) + (highError - restPart);
      let odd = toOdd(rest, restError);
      let sum = high + odd;
      let bits = asI64(sum);
      if (isPlain64(bits)) {
        // The lesser of two terms comes back exactly unless the sum was rounded; a rest with an error is too long for any sum.
        if (sum - high != odd || asI64(restError) << 1 != 0) { raise(NX); }
        return bits;
      }
    }
  }
  return fusedFloat(a, b, c, rm, FRACTION64, ONES64);
}
`;
