// Conversions between integers and floating-point numbers (unprivileged manual, "F" extension, "Single-Precision Floating-Point
// Conversion and Move Instructions", table "Domains of float-to-integer conversions and behavior for invalid inputs"; "Zfa",
// "Modular Convert-to-Integer Instruction"). The invalid exception takes the place of the inexact one.

export const FLOAT_INTEGER = `
// Further results of wholeOf: was something rounded off; does the whole not fit in 64 bits?
global wholeInexact: bool;
global wholeHuge: bool;

// The size of a finite number, rounded to a whole one.
fn wholeOf(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  wholeInexact = false;
  wholeHuge = false;
  let sign = a & signBit(fraction, ones);
  if (a == sign) { return 0; }
  let digits = significandOf(a, fraction, ones);
  let below = 63 - exponentFound;
  if (below <=s 0) {
    wholeHuge = below <s 0;
    return digits;
  }
  // Below a half, any trace will do.
  let kept = below <s 64 ? digits >>u zext64(below) : 0;
  let rest = below <=s 64 ? digits << zext64(64 - below) : 1;
  if (rest == 0) { return kept; }
  wholeInexact = true;
  return roundsUp(rm, sign, kept, rest) ? kept + 1 : kept;
}

// A number as an integer from -least to most (least as it is, both unsigned).
fn toInteger(a: i64, rm: i32, least: i64, most: i64, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let negative = (a & signBit(fraction, ones)) != 0;
  let size = a & (signBit(fraction, ones) - 1);
  if (size >=u infinity) {
    raise(NV);
    return negative && size == infinity ? -least : most;
  }
  let whole = wholeOf(a, rm, fraction, ones);
  if (wholeHuge || whole >u (negative ? least : most)) {
    raise(NV);
    return negative ? -least : most;
  }
  if (wholeInexact) { raise(NX); }
  return negative ? -whole : whole;
}

fn toS32(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  return toInteger(a, rm, 0x80000000, 0x7fffffff, fraction, ones);
}

fn toU32(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  return sext32(toInteger(a, rm, 0, 0xffffffff, fraction, ones));
}

fn toS64(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  return toInteger(a, rm, 0x8000000000000000, 0x7fffffffffffffff, fraction, ones);
}

fn toU64(a: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  return toInteger(a, rm, 0, 0xffffffffffffffff, fraction, ones);
}

// To a signed 32-bit integer, sign-extended.
fn toS32From16(a: i32, rm: i32) -> i64 { return toS32(zext64(a), rm, FRACTION16, ONES16); }
// To an unsigned 32-bit integer, sign-extended.
fn toU32From16(a: i32, rm: i32) -> i64 { return toU32(zext64(a), rm, FRACTION16, ONES16); }
// To a signed 64-bit integer.
fn toS64From16(a: i32, rm: i32) -> i64 { return toS64(zext64(a), rm, FRACTION16, ONES16); }
// To an unsigned 64-bit integer.
fn toU64From16(a: i32, rm: i32) -> i64 { return toU64(zext64(a), rm, FRACTION16, ONES16); }

// Is the number so small that the host can truncate it, and is that the answer: nothing is cut off, or rm is RTZ? signed: it may be
// negative; a whole number of zero may have been.
fn truncates(x: f64, rm: i32, signed: bool) -> bool {
  return abs(x) < asF64(TWO30) && (rm == RTZ || signedToF64(truncateToI32(x)) == x) && (signed || truncateToI32(x) >=s 0);
}

const TWO30 = 0x41d0000000000000;

// The truncated number; NX where that is not all of it.
fn truncated(x: f64) -> i64 {
  let whole = truncateToI32(x);
  if (signedToF64(whole) != x) { raise(NX); }
  return sext64(whole);
}

// To a signed 32-bit integer, sign-extended.
fn toS32From32(a: i32, rm: i32) -> i64 {
  let x = promote(asF32(a));
  return truncates(x, rm, true) ? truncated(x) : toS32(zext64(a), rm, FRACTION32, ONES32);
}
// To an unsigned 32-bit integer, sign-extended.
fn toU32From32(a: i32, rm: i32) -> i64 {
  let x = promote(asF32(a));
  return truncates(x, rm, false) ? truncated(x) : toU32(zext64(a), rm, FRACTION32, ONES32);
}
// To a signed 64-bit integer.
fn toS64From32(a: i32, rm: i32) -> i64 {
  let x = promote(asF32(a));
  return truncates(x, rm, true) ? truncated(x) : toS64(zext64(a), rm, FRACTION32, ONES32);
}
// To an unsigned 64-bit integer.
fn toU64From32(a: i32, rm: i32) -> i64 {
  let x = promote(asF32(a));
  return truncates(x, rm, false) ? truncated(x) : toU64(zext64(a), rm, FRACTION32, ONES32);
}

// To a signed 32-bit integer, sign-extended.
fn toS32From64(a: i64, rm: i32) -> i64 {
  return truncates(asF64(a), rm, true) ? truncated(asF64(a)) : toS32(a, rm, FRACTION64, ONES64);
}

// To an unsigned 32-bit integer, sign-extended.
fn toU32From64(a: i64, rm: i32) -> i64 {
  return truncates(asF64(a), rm, false) ? truncated(asF64(a)) : toU32(a, rm, FRACTION64, ONES64);
}
// To a signed 64-bit integer.
fn toS64From64(a: i64, rm: i32) -> i64 {
  return truncates(asF64(a), rm, true) ? truncated(asF64(a)) : toS64(a, rm, FRACTION64, ONES64);
}
// To an unsigned 64-bit integer.
fn toU64From64(a: i64, rm: i32) -> i64 {
  return truncates(asF64(a), rm, false) ? truncated(asF64(a)) : toU64(a, rm, FRACTION64, ONES64);
}

// fcvtmod.w.d: truncated, modulo 2^32, with the flags of fcvt.w.d.
fn moduloS32From64(a: i64) -> i64 {
  let saturated = toS32From64(a, RTZ);
  let exponent = (low32(a >>u 52) & 0x7ff) - 1023;
  if (exponent <s 31) { return saturated; }
  // From 2^84 on, the last digit counts a multiple of 2^32.
  if (exponent >=s 84) { return 0; }
  let digits = (a & 0xfffffffffffff) | 0x10000000000000;
  let whole = exponent <s 52 ? digits >>u zext64(52 - exponent) : digits << zext64(exponent - 52);
  return sext32(a <s 0 ? -whole : whole);
}

// An unsigned integer under a sign bit.
fn fromSize(sign: i64, size: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  if (size == 0) { return sign; }
  let zeros = clz(size);
  return roundPack(sign, 63 - low32(zeros), size << zeros, rm, fraction, ones);
}

fn fromS64(x: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  return x <s 0 ? fromSize(signBit(fraction, ones), -x, rm, fraction, ones) : fromSize(0, x, rm, fraction, ones);
}

// From the low 32 bits, signed.
fn fromS32To16(x: i64, rm: i32) -> i32 { return low32(fromS64(sext32(x), rm, FRACTION16, ONES16)); }
// From the low 32 bits, unsigned.
fn fromU32To16(x: i64, rm: i32) -> i32 { return low32(fromSize(0, zext32(x), rm, FRACTION16, ONES16)); }
// From a signed 64-bit integer.
fn fromS64To16(x: i64, rm: i32) -> i32 { return low32(fromS64(x, rm, FRACTION16, ONES16)); }
// From an unsigned 64-bit integer.
fn fromU64To16(x: i64, rm: i32) -> i32 { return low32(fromSize(0, x, rm, FRACTION16, ONES16)); }

// From the low 32 bits, signed.
fn fromS32To32(x: i64, rm: i32) -> i32 {
  let exact = signedToF64(low32(x));
  let near = demote(exact);
  if (promote(near) == exact || rm == RNE) {
    if (promote(near) != exact) { raise(NX); }
    return asI32(near);
  }
  return low32(fromS64(sext32(x), rm, FRACTION32, ONES32));
}

// From the low 32 bits, unsigned.
fn fromU32To32(x: i64, rm: i32) -> i32 {
  let exact = unsignedToF64(low32(x));
  let near = demote(exact);
  if (promote(near) == exact || rm == RNE) {
    if (promote(near) != exact) { raise(NX); }
    return asI32(near);
  }
  return low32(fromSize(0, zext32(x), rm, FRACTION32, ONES32));
}
// From a signed 64-bit integer.
fn fromS64To32(x: i64, rm: i32) -> i32 {
  return x == sext32(x) ? fromS32To32(x, rm) : low32(fromS64(x, rm, FRACTION32, ONES32));
}
// From an unsigned 64-bit integer.
fn fromU64To32(x: i64, rm: i32) -> i32 { return low32(fromSize(0, x, rm, FRACTION32, ONES32)); }

// 32 bits are always exact in binary64.
fn fromS32To64(x: i64, rm: i32) -> i64 { return asI64(signedToF64(low32(x))); }
// From the low 32 bits, unsigned.
fn fromU32To64(x: i64, rm: i32) -> i64 { return asI64(unsignedToF64(low32(x))); }

// From a signed 64-bit integer.
fn fromS64To64(x: i64, rm: i32) -> i64 {
  if (x + 0x20000000000000 <=u 0x40000000000000 || (rm == RNE && (fflags & NX) != 0)) {
    // Both halves are exact, the upper times 2^32; their sum is rounded once.
    return asI64(signedToF64(low32(x >>u 32)) * asF64(0x41f0000000000000) + unsignedToF64(low32(x)));
  }
  return fromS64(x, rm, FRACTION64, ONES64);
}

// From an unsigned 64-bit integer.
fn fromU64To64(x: i64, rm: i32) -> i64 {
  if (x <=u 0x20000000000000 || (rm == RNE && (fflags & NX) != 0)) {
    return asI64(unsignedToF64(low32(x >>u 32)) * asF64(0x41f0000000000000) + unsignedToF64(low32(x)));
  }
  return fromSize(0, x, rm, FRACTION64, ONES64);
}
`;
