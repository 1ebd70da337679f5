// Rounding and packing (unprivileged manual, "F" extension, "Floating-Point Control and Status Register"; IEEE 754-2019, sections 4.3
// and 7). The one place where OF, UF and the NX of a rounded number are raised. Tininess is detected after rounding.

export const FLOAT_ROUND = `
// x / 2^n with bit 0 set when a one was shifted out, so that x still rounds as it did. n is not negative.
fn shiftRightJam(x: i64, n: i32) -> i64 {
  if (n == 0) { return x; }
  if (n >=s 64) { return zext64(x != 0); }
  let count = zext64(n);
  return (x >>u count) | zext64((x << (64 - count)) != 0);
}

const HALF = 0x8000000000000000;

// Does a number between kept and kept + 1 round to kept + 1? rest / 2^64 is how far it lies above kept, not 0.
fn roundsUp(rm: i32, sign: i64, kept: i64, rest: i64) -> bool {
  if (rm == RNE) { return (rest | (kept & 1)) >u HALF; }
  if (rm == RMM) { return rest >=u HALF; }
  return rm == (sign == 0 ? RUP : RDN);
}

fn overflow(sign: i64, rm: i32, infinity: i64) -> i64 {
  raise(OF | NX);
  let away = rm == RNE || rm == RMM || rm == (sign == 0 ? RUP : RDN);
  return sign | (away ? infinity : infinity - 1);
}

// Rounds 2^exponent * significand / 2^63, whose bit 63 is set and whose bit 0 may stand for bits below it. sign: the sign bit or 0.
fn roundPack(sign: i64, exponent: i32, significand: i64, rm: i32, fraction: i64, ones: i32) -> i64 {
  let infinity = infinityOf(fraction, ones);
  let drop = 63 - fraction;
  var field = exponent + (ones >>u 1);
  if (field >=s ones) { return overflow(sign, rm, infinity); }
  var digits = significand;
  var tiny = false;
  if (field <=s 0) {
    // Not tiny only if it would reach the least normal number even in a format without a least exponent.
    let full = significand >>u drop;
    let trace = significand << (fraction + 1);
    let close = field == 0 && ((full + 1) >>u (fraction + 1)) != 0 && trace != 0;
    tiny = !(close && roundsUp(rm, sign, full, trace));
    digits = shiftRightJam(significand, 1 - field);
    field = 1;
  }
  let kept = digits >>u drop;
  let rest = digits << (fraction + 1);
  // The leading one of kept counts one in the exponent field, as does a carry out of kept.
  let below = sign | ((zext64(field - 1) << fraction) + kept);
  if (rest == 0) { return below; }
  let packed = roundsUp(rm, sign, kept, rest) ? below + 1 : below;
  if ((packed ^ sign) == infinity) { return overflow(sign, rm, infinity); }
  raise(tiny ? UF | NX : NX);
  return packed;
}
`;
