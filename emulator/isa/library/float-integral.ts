// Rounding to a whole number of the same format (unprivileged manual, "Zfa" extension, "Round-to-Integer Instructions").

export const FLOAT_INTEGRAL = `
// inexact: raise NX where the result differs (froundnx).
fn roundFloat(a: i64, rm: i32, inexact: bool, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones)) { return nanFrom(a, a, fraction, ones); }
  // From here on every number is whole, and the infinities count as such.
  let whole = zext64(ones >>u 1) + fraction << fraction;
  if ((a & (signBit(fraction, ones) - 1)) >=u whole) { return a; }
  let size = wholeOf(a, rm, fraction, ones);
  if (wholeInexact && inexact) { raise(NX); }
  return fromSize(a & signBit(fraction, ones), size, rm, fraction, ones);
}

// Rounded to an integer in the same format; inexact: raise NX where that changes it.
fn round16(a: i32, rm: i32, inexact: bool) -> i32 {
  return low32(roundFloat(zext64(a), rm, inexact, FRACTION16, ONES16));
}

// Rounded to an integer in the same format; inexact: raise NX where that changes it.
fn round32(a: i32, rm: i32, inexact: bool) -> i32 {
  return low32(roundFloat(zext64(a), rm, inexact, FRACTION32, ONES32));
}

// Rounded to an integer in the same format; inexact: raise NX where that changes it.
fn round64(a: i64, rm: i32, inexact: bool) -> i64 {
  return roundFloat(a, rm, inexact, FRACTION64, ONES64);
}
`;
