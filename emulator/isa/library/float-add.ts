// Addition and subtraction (unprivileged manual, "F" extension, "Single-Precision Floating-Point Computational Instructions").
// The host adds where that is the whole answer: to nearest, and with nothing to raise but NX.

export const FLOAT_ADD = `
// The sum of numbers of which one is an infinity or a NaN.
fn addSpecial(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones) || isNan(b, fraction, ones)) { return nanFrom(a, b, fraction, ones); }
  let infinite = (a & infinityOf(fraction, ones)) == infinityOf(fraction, ones);
  if (a == (b ^ signBit(fraction, ones)) && infinite) { return invalid(fraction, ones); }
  return infinite ? a : b;
}

fn addFloat(a: i64, b: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let sign = signBit(fraction, ones);
  let sizeA = a & (sign - 1);
  let sizeB = b & (sign - 1);
  if (sizeA >=u infinity || sizeB >=u infinity) { return addSpecial(a, b, fraction, ones); }
  let zero = rm == RDN ? sign : 0;
  let large = sizeA <u sizeB ? b : a;
  let small = sizeA <u sizeB ? a : b;
  if ((small & (sign - 1)) == 0) { return large == small || (large & (sign - 1)) != 0 ? large : zero; }
  // One bit of room for the carry. Bits that leave the smaller one matter only when at most one leading digit cancels.
  let digits = significandOf(large, fraction, ones) >>u 1;
  let exponent = exponentFound;
  let aligned = significandOf(small, fraction, ones) >>u 1;
  let shifted = shiftRightJam(aligned, exponent - exponentFound);
  let sum = ((large ^ small) & sign) == 0 ? digits + shifted : digits - shifted;
  if (sum == 0) { return zero; }
  let zeros = clz(sum);
  return roundPack(large & sign, exponent + 1 - low32(zeros), sum << zeros, rm, fraction, ones);
}

// The sum.
fn add16(a: i32, b: i32, rm: i32) -> i32 {
  return low32(addFloat(zext64(a), zext64(b), rm, FRACTION16, ONES16));
}

// The difference.
fn sub16(a: i32, b: i32, rm: i32) -> i32 {
  return add16(a, b ^ SIGN16, rm);
}

// The sum.
fn add32(a: i32, b: i32, rm: i32) -> i32 {
  if (rm == RNE) {
    let x = asF32(a);
    let y = asF32(b);
    let sum = x + y;
    let bits = asI32(sum);
    // A finite sum below the normal numbers is exact, so that only NX can be due.
    if (abs(sum) < asF32(INFINITY32)) {
      // It less the larger operand is exact (Dekker's FastTwoSum), so that both differences give the other one only if the sum is.
      if ((fflags & NX) == 0 && (sum - x != y || sum - y != x)) { raise(NX); }
      return bits;
    }
  }
  return low32(addFloat(zext64(a), zext64(b), rm, FRACTION32, ONES32));
}

// The difference.
fn sub32(a: i32, b: i32, rm: i32) -> i32 {
  return add32(a, b ^ SIGN32, rm);
}

// The sum.
fn add64(a: i64, b: i64, rm: i32) -> i64 {
  if (rm == RNE) {
    let x = asF64(a);
    let y = asF64(b);
    let sum = x + y;
    let bits = asI64(sum);
    if (abs(sum) < asF64(INFINITY64)) {
      if ((fflags & NX) == 0 && (sum - x != y || sum - y != x)) { raise(NX); }
      return bits;
    }
  }
  return addFloat(a, b, rm, FRACTION64, ONES64);
}

// The difference.
fn sub64(a: i64, b: i64, rm: i32) -> i64 {
  return add64(a, b ^ SIGN64, rm);
}
`;
