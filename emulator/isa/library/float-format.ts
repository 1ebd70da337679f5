// The three binary formats, their parts and their NaNs (unprivileged manual, "F" extension, "NaN Generation and Propagation"; "D",
// "NaN Boxing of Narrower Values"). A function that serves every format gets the number's bits, zero-extended to i64, and the
// format: the width of its fraction field and the exponent field of all ones.

export const FLOAT_FORMAT = `
// Accrued exceptions, as in fflags.
const NX = 1;
const UF = 2;
const OF = 4;
const DZ = 8;
const NV = 16;

// Rounding modes, as in rm and frm.
const RNE = 0;
const RTZ = 1;
const RDN = 2;
const RUP = 3;
const RMM = 4;

// Formats: bits of the fraction, and the exponent field of infinities and NaNs.
const FRACTION16 = 10;
const ONES16 = 31;
const FRACTION32 = 23;
const ONES32 = 255;
const FRACTION64 = 52;
const ONES64 = 2047;

const SIGN16 = 0x8000;
const SIGN32 = 0x80000000;
const SIGN64 = 0x8000000000000000;
const MAGNITUDE16 = 0x7fff;
const MAGNITUDE32 = 0x7fffffff;
const MAGNITUDE64 = 0x7fffffffffffffff;
const INFINITY32 = 0x7f800000;
const INFINITY64 = 0x7ff0000000000000;
const NAN16 = 0x7e00;
const NAN32 = 0x7fc00000;
const NAN64 = 0x7ff8000000000000;

// Is it finite and above the least normal number, so that an operation that gave it, rounding to nearest, raises NX at most?
fn isPlain32(bits: i32) -> bool {
  return (bits << 1) - 0x2000000 <u 0xfd000000;
}

fn isPlain64(bits: i64) -> bool {
  return (low32(bits >>u 32) << 1) - 0x400000 <u 0xffa00000;
}

fn infinityOf(fraction: i64, ones: i32) -> i64 {
  return zext64(ones) << fraction;
}

fn signBit(fraction: i64, ones: i32) -> i64 {
  return zext64(ones + 1) << fraction;
}

fn canonicalNan(fraction: i64, ones: i32) -> i64 {
  return zext64(2 * ones + 1) << (fraction - 1);
}

fn isNan(a: i64, fraction: i64, ones: i32) -> bool {
  return (a & (signBit(fraction, ones) - 1)) >u infinityOf(fraction, ones);
}

fn isSignaling(a: i64, fraction: i64, ones: i32) -> bool {
  return isNan(a, fraction, ones) && ((a >>u (fraction - 1)) & 1) == 0;
}

// The result of an operation with a NaN among its operands.
fn nanFrom(a: i64, b: i64, fraction: i64, ones: i32) -> i64 {
  if (isSignaling(a, fraction, ones) || isSignaling(b, fraction, ones)) { raise(NV); }
  return canonicalNan(fraction, ones);
}

// The result of an invalid operation.
fn invalid(fraction: i64, ones: i32) -> i64 {
  raise(NV);
  return canonicalNan(fraction, ones);
}

// Exponent of the number whose significand was asked for: the number is 2^exponentFound * significand / 2^63.
global exponentFound: i32;

// The significand of a finite number other than zero: its leading one is bit 63.
fn significandOf(a: i64, fraction: i64, ones: i32) -> i64 {
  let field = low32(a >>u fraction) & ones;
  let bias = ones >>u 1;
  if (field != 0) {
    exponentFound = field - bias;
    return (a << (63 - fraction)) | SIGN64;
  }
  let digits = a << (64 - fraction);
  let zeros = clz(digits);
  exponentFound = -bias - low32(zeros);
  return digits << zeros;
}

// A narrow number in an f register has ones above it; anything else stands for the canonical NaN.
fn box16(a: i32) -> i64 {
  return zext64(a) | 0xffffffffffff0000;
}

// A binary32 number as an f register holds it: ones above.
fn box32(a: i32) -> i64 {
  return zext64(a) | 0xffffffff00000000;
}

// The number in an f register; the canonical NaN where it is not boxed.
fn unbox16(f: i64) -> i32 {
  return (f >>s 16) == -1 ? low32(f) & 0xffff : NAN16;
}

// The number in an f register; the canonical NaN where it is not boxed.
fn unbox32(f: i64) -> i32 {
  return (f >>s 32) == -1 ? low32(f) : NAN32;
}
`;
