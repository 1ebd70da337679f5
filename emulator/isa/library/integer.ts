// Integer functions that rows call: the high half of a product and division's corner cases (unprivileged manual, "M" extension).
// WebAssembly has no product of 128 bits, so that the high half is put together from products of 32-bit halves.

export const INTEGER = `
// Bits 127 to 64 of the product of two unsigned numbers.
fn mulhu(a: i64, b: i64) -> i64 {
  let aLow = a & 0xffffffff;
  let aHigh = a >>u 32;
  let bLow = b & 0xffffffff;
  let bHigh = b >>u 32;
  // Neither sum overflows: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
  let middle = aHigh * bLow + ((aLow * bLow) >>u 32);
  let carry = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >>u 32) + (carry >>u 32);
}

// Bits 127 to 64 of the product of a signed and an unsigned number: a negative a was taken for a + 2^64.
fn mulhsu(a: i64, b: i64) -> i64 {
  return mulhu(a, b) - ((a >>s 63) & b);
}

// Bits 127 to 64 of the product of two signed numbers.
fn mulh(a: i64, b: i64) -> i64 {
  return mulhu(a, b) - ((a >>s 63) & b) - ((b >>s 63) & a);
}

// Signed quotient, towards zero: -1 by zero, the dividend where it overflows.
fn quotientS64(a: i64, b: i64) -> i64 {
  if (b == 0) { return -1; }
  if (b == -1) { return -a; }
  return a /s b;
}

// Unsigned quotient: 2^64 - 1 by zero.
fn quotientU64(a: i64, b: i64) -> i64 {
  if (b == 0) { return -1; }
  return a /u b;
}

// Signed remainder, with the dividend's sign: the dividend by zero, 0 where the quotient overflows.
fn remainderS64(a: i64, b: i64) -> i64 {
  if (b == 0) { return a; }
  if (b == -1) { return 0; }
  return a %s b;
}

// Unsigned remainder: the dividend by zero.
fn remainderU64(a: i64, b: i64) -> i64 {
  if (b == 0) { return a; }
  return a %u b;
}

// Signed quotient, towards zero: -1 by zero, the dividend where it overflows.
fn quotientS32(a: i32, b: i32) -> i32 {
  if (b == 0) { return -1; }
  if (b == -1) { return -a; }
  return a /s b;
}

// Unsigned quotient: 2^32 - 1 by zero.
fn quotientU32(a: i32, b: i32) -> i32 {
  if (b == 0) { return -1; }
  return a /u b;
}

// Signed remainder, with the dividend's sign: the dividend by zero, 0 where the quotient overflows.
fn remainderS32(a: i32, b: i32) -> i32 {
  if (b == 0) { return a; }
  if (b == -1) { return 0; }
  return a %s b;
}

// Unsigned remainder: the dividend by zero.
fn remainderU32(a: i32, b: i32) -> i32 {
  if (b == 0) { return a; }
  return a %u b;
}
`;
