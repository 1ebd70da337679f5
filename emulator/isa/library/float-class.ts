// fclass (unprivileged manual, "F" extension, "Single-Precision Floating-Point Classify Instruction").

export const FLOAT_CLASS = `
// Bits 0 to 7: -infinity, negative normal, negative subnormal, -0, +0, subnormal, normal, +infinity; 8: signaling NaN; 9: quiet NaN.
fn classOf(a: i64, fraction: i64, ones: i32) -> i64 {
  if (isNan(a, fraction, ones)) { return isSignaling(a, fraction, ones) ? 0x100 : 0x200; }
  let negative = (a & signBit(fraction, ones)) != 0;
  let size = a & (signBit(fraction, ones) - 1);
  if (size == infinityOf(fraction, ones)) { return negative ? 0x1 : 0x80; }
  if (size >>u fraction != 0) { return negative ? 0x2 : 0x40; }
  if (size != 0) { return negative ? 0x4 : 0x20; }
  return negative ? 0x8 : 0x10;
}

// The bit of the number's class, as fclass lists them.
fn class16(a: i32) -> i64 { return classOf(zext64(a), FRACTION16, ONES16); }
// The bit of the number's class, as fclass lists them.
fn class32(a: i32) -> i64 { return classOf(zext64(a), FRACTION32, ONES32); }
// The bit of the number's class, as fclass lists them.
fn class64(a: i64) -> i64 { return classOf(a, FRACTION64, ONES64); }
`;
