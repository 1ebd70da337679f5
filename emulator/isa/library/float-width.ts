// Conversions between the formats (unprivileged manual, "D" extension, "Double-Precision Floating-Point Conversion and Move
// Instructions"; "Zfh"). Widening is exact.

export const FLOAT_WIDTH = `
fn convertFloat(a: i64, rm: i32, fraction: i64, ones: i32, toFraction: i64, toOnes: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let signed = (a & signBit(fraction, ones)) != 0;
  let sign = signed ? signBit(toFraction, toOnes) : 0;
  let size = a & (signBit(fraction, ones) - 1);
  if (size >u infinity) {
    if (isSignaling(a, fraction, ones)) { raise(NV); }
    return canonicalNan(toFraction, toOnes);
  }
  if (size == infinity) { return sign | infinityOf(toFraction, toOnes); }
  if (size == 0) { return sign; }
  let digits = significandOf(a, fraction, ones);
  return roundPack(sign, exponentFound, digits, rm, toFraction, toOnes);
}

// The same number in another format.
fn convert16To32(a: i32, rm: i32) -> i32 {
  return low32(convertFloat(zext64(a), rm, FRACTION16, ONES16, FRACTION32, ONES32));
}

// The same number in another format.
fn convert16To64(a: i32, rm: i32) -> i64 {
  return convertFloat(zext64(a), rm, FRACTION16, ONES16, FRACTION64, ONES64);
}

// The same number in another format.
fn convert32To16(a: i32, rm: i32) -> i32 {
  return low32(convertFloat(zext64(a), rm, FRACTION32, ONES32, FRACTION16, ONES16));
}

// The same number in another format.
fn convert32To64(a: i32, rm: i32) -> i64 {
  let x = asF32(a);
  if (x == x) { return asI64(promote(x)); }
  return convertFloat(zext64(a), rm, FRACTION32, ONES32, FRACTION64, ONES64);
}

// The same number in another format.
fn convert64To16(a: i64, rm: i32) -> i32 {
  return low32(convertFloat(a, rm, FRACTION64, ONES64, FRACTION16, ONES16));
}

// The same number in another format.
fn convert64To32(a: i64, rm: i32) -> i32 {
  let x = asF64(a);
  let near = demote(x);
  let bits = asI32(near);
  if (rm == RNE && isPlain32(bits)) {
    if (promote(near) != x) { raise(NX); }
    return bits;
  }
  if (promote(near) == x) { return bits; }
  return low32(convertFloat(a, rm, FRACTION64, ONES64, FRACTION32, ONES32));
}
`;
