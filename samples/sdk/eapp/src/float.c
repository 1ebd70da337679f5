/*
 * Arithmetic of float and double without a floating-point unit: what a compiler calls for rv64imac and lp64. IEEE 754-2019, rounding to
 * the nearest, ties to even; no flags. Names are those of libgcc, which cannot be linked: the usual one is built for another ABI.
 *
 * Operations on float are done in double and rounded once more: double has more than twice the bits of float and two, so the
 * second rounding changes nothing. long double and functions of <math.h> are not here.
 */
#define WEAK __attribute__((weak))

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned __int128 u128;

union double_bits {
  double value;
  u64 bits;
};
union float_bits {
  float value;
  u32 bits;
};

#define SIGN ((u64)1 << 63)
#define INFINITE ((u64)0x7ff << 52)
#define QUIET_NAN ((u64)0xfff << 51)
#define TOP ((u64)1 << 63)

static u64 bits_of(double value) {
  union double_bits u = {.value = value};
  return u.bits;
}
static double from_bits(u64 bits) {
  union double_bits u = {.bits = bits};
  return u.value;
}
static int is_nan(u64 bits) { return (bits & ~SIGN) > INFINITE; }
static int is_infinite(u64 bits) { return (bits & ~SIGN) == INFINITE; }
static int is_zero(u64 bits) { return (bits & ~SIGN) == 0; }

static int leading_zeros(u64 value) {
  int zeros = 0;
  for (int width = 32; width; width /= 2)
    if (!(value >> (64 - width))) {
      value <<= width;
      zeros += width;
    }
  return zeros;
}

/** A finite number that is not 0: significand * 2^(exponent - 63), the significand's top bit set. */
struct number {
  u64 sign;
  int exponent;
  u64 significand;
};

static struct number unpack(u64 bits) {
  struct number n = {bits & SIGN, (int)(bits >> 52 & 0x7ff), bits << 12 >> 1};
  if (n.exponent) {
    n.significand |= TOP;
    n.exponent -= 1023;
  } else {
    int shift = leading_zeros(n.significand);
    n.significand <<= shift;
    n.exponent = -1022 - shift;
  }
  return n;
}

/** Shifts right; what falls off leaves a trace in the lowest bit. */
static u64 shift_sticky(u64 value, int count) {
  if (count == 0)
    return value;
  if (count > 63)
    return value != 0;
  return value >> count | (value << (64 - count) != 0);
}

/** Rounds to `width` bits of significand, the smallest normal exponent being `least`; the format's bits, without sign, 0 before the top. */
static u64 round_to(struct number n, int width, int least, u64 infinite) {
  int drop = 64 - width;
  u64 biased = 0;
  if (n.exponent < least)
    n.significand = shift_sticky(n.significand, least - n.exponent);
  else if (n.exponent > -least + 1)
    return infinite;
  else
    biased = n.exponent - least;
  u64 kept = n.significand >> drop;
  u64 rest = n.significand << width;
  if (rest > TOP || (rest == TOP && kept & 1))
    kept++;
  /* The significand's top bit, and a carry out of it, add to the exponent. */
  return (biased << (width - 1)) + kept;
}

static double pack(struct number n) { return from_bits(n.sign | round_to(n, 53, -1022, INFINITE)); }

static double add(u64 a, u64 b) {
  if (is_nan(a) || is_nan(b))
    return from_bits(QUIET_NAN);
  if (is_infinite(a))
    return from_bits(is_infinite(b) && a != b ? QUIET_NAN : a);
  if (is_infinite(b))
    return from_bits(b);
  if (is_zero(a))
    return from_bits(is_zero(b) ? a & b : b);
  if (is_zero(b))
    return from_bits(a);
  if ((a & ~SIGN) < (b & ~SIGN)) {
    u64 larger = b;
    b = a;
    a = larger;
  }
  struct number x = unpack(a), y = unpack(b);
  /* One bit above for the carry; what is shifted out below matters only as being there. */
  u64 p = x.significand >> 1;
  u64 q = shift_sticky(y.significand >> 1, x.exponent - y.exponent);
  u64 sum = x.sign == y.sign ? p + q : p - q;
  if (sum == 0)
    return 0.0;
  int shift = leading_zeros(sum);
  x.significand = sum << shift;
  x.exponent += 1 - shift;
  return pack(x);
}

WEAK double __adddf3(double a, double b) { return add(bits_of(a), bits_of(b)); }
WEAK double __subdf3(double a, double b) { return add(bits_of(a), bits_of(b) ^ SIGN); }

WEAK double __muldf3(double first, double second) {
  u64 a = bits_of(first), b = bits_of(second), sign = (a ^ b) & SIGN;
  if (is_nan(a) || is_nan(b) || (is_infinite(a) && is_zero(b)) || (is_zero(a) && is_infinite(b)))
    return from_bits(QUIET_NAN);
  if (is_infinite(a) || is_infinite(b))
    return from_bits(sign | INFINITE);
  if (is_zero(a) || is_zero(b))
    return from_bits(sign);
  struct number x = unpack(a), y = unpack(b);
  u128 product = (u128)x.significand * y.significand;
  u64 high = product >> 64, low = product;
  struct number n = {sign, x.exponent + y.exponent + 1, high};
  if (!(high & TOP)) {
    n.significand = high << 1 | low >> 63;
    low <<= 1;
    n.exponent--;
  }
  n.significand |= low != 0;
  return pack(n);
}

WEAK double __divdf3(double first, double second) {
  u64 a = bits_of(first), b = bits_of(second), sign = (a ^ b) & SIGN;
  if (is_nan(a) || is_nan(b) || (is_infinite(a) && is_infinite(b)) || (is_zero(a) && is_zero(b)))
    return from_bits(QUIET_NAN);
  if (is_infinite(a) || is_zero(b))
    return from_bits(sign | INFINITE);
  if (is_zero(a) || is_infinite(b))
    return from_bits(sign);
  struct number x = unpack(a), y = unpack(b);
  struct number n = {sign, x.exponent - y.exponent, 0};
  u64 rest = x.significand;
  if (rest >= y.significand)
    rest -= y.significand, n.significand = 1;
  else
    n.exponent--;
  /* A bit at a time; the first one is there already when the quotient is not below 1. */
  for (int left = n.significand ? 63 : 64; left; left--) {
    int carry = rest >> 63;
    rest <<= 1;
    n.significand <<= 1;
    if (carry || rest >= y.significand)
      rest -= y.significand, n.significand |= 1;
  }
  n.significand |= rest != 0;
  return pack(n);
}

WEAK double __negdf2(double a) { return from_bits(bits_of(a) ^ SIGN); }

/* ---- comparing: negative, zero or positive, and what makes a comparison false when there is a NaN ---------- */

static int compare(double first, double second, int unordered) {
  u64 a = bits_of(first), b = bits_of(second);
  if (is_nan(a) || is_nan(b))
    return unordered;
  if (a == b || (is_zero(a) && is_zero(b)))
    return 0;
  if ((a ^ b) & SIGN)
    return a & SIGN ? -1 : 1;
  return (a < b) == !(a & SIGN) ? -1 : 1;
}

WEAK int __eqdf2(double a, double b) { return compare(a, b, 1); }
WEAK int __nedf2(double a, double b) { return compare(a, b, 1); }
WEAK int __ltdf2(double a, double b) { return compare(a, b, 1); }
WEAK int __ledf2(double a, double b) { return compare(a, b, 1); }
WEAK int __gtdf2(double a, double b) { return compare(a, b, -1); }
WEAK int __gedf2(double a, double b) { return compare(a, b, -1); }
WEAK int __unorddf2(double a, double b) { return is_nan(bits_of(a)) || is_nan(bits_of(b)); }

/* ---- float ------------------------------------------------------------------------------------------------- */

static double widen(float value) {
  union float_bits u = {.value = value};
  u64 sign = (u64)(u.bits >> 31) << 63, exponent = u.bits >> 23 & 0xff, fraction = u.bits & 0x7fffff;
  if (exponent == 0xff)
    return from_bits(fraction ? QUIET_NAN : sign | INFINITE);
  if (exponent)
    return from_bits(sign | (exponent + 1023 - 127) << 52 | fraction << 29);
  if (fraction == 0)
    return from_bits(sign);
  int shift = leading_zeros(fraction);
  struct number n = {sign, -126 - 23 + 63 - shift, fraction << shift};
  return pack(n);
}

static float float_from(u64 sign, u64 magnitude) {
  union float_bits u = {.bits = (u32)(sign >> 32) | (u32)magnitude};
  return u.value;
}

static float narrow(double value) {
  u64 bits = bits_of(value);
  if (is_nan(bits))
    return float_from(0, 0x7fc00000);
  if (is_infinite(bits))
    return float_from(bits & SIGN, 0x7f800000);
  if (is_zero(bits))
    return float_from(bits, 0);
  struct number n = unpack(bits);
  return float_from(n.sign, round_to(n, 24, -126, 0x7f800000));
}

WEAK double __extendsfdf2(float a) { return widen(a); }
WEAK float __truncdfsf2(double a) { return narrow(a); }
WEAK float __addsf3(float a, float b) { return narrow(__adddf3(widen(a), widen(b))); }
WEAK float __subsf3(float a, float b) { return narrow(__subdf3(widen(a), widen(b))); }
WEAK float __mulsf3(float a, float b) { return narrow(__muldf3(widen(a), widen(b))); }
WEAK float __divsf3(float a, float b) { return narrow(__divdf3(widen(a), widen(b))); }
WEAK float __negsf2(float a) {
  union float_bits u = {.value = a};
  u.bits ^= (u32)1 << 31;
  return u.value;
}
WEAK int __eqsf2(float a, float b) { return compare(widen(a), widen(b), 1); }
WEAK int __nesf2(float a, float b) { return compare(widen(a), widen(b), 1); }
WEAK int __ltsf2(float a, float b) { return compare(widen(a), widen(b), 1); }
WEAK int __lesf2(float a, float b) { return compare(widen(a), widen(b), 1); }
WEAK int __gtsf2(float a, float b) { return compare(widen(a), widen(b), -1); }
WEAK int __gesf2(float a, float b) { return compare(widen(a), widen(b), -1); }
WEAK int __unordsf2(float a, float b) { return __unorddf2(widen(a), widen(b)); }

/* ---- integers: towards zero; too large ones, and NaN, give the largest as the hardware's fcvt does --------- */

static struct number of_integer(u64 sign, u64 magnitude) {
  int shift = leading_zeros(magnitude);
  struct number n = {sign, 63 - shift, magnitude << shift};
  return n;
}

static u64 sign_of(long value) { return value < 0 ? SIGN : 0; }
static u64 size_of(long value) { return value < 0 ? -(u64)value : (u64)value; }

static double to_double(u64 sign, u64 magnitude) {
  return magnitude == 0 ? 0.0 : pack(of_integer(sign, magnitude));
}
static float to_float(u64 sign, u64 magnitude) {
  return magnitude == 0 ? 0.0f : float_from(sign, round_to(of_integer(sign, magnitude), 24, -126, 0x7f800000));
}

WEAK double __floatdidf(long a) { return to_double(sign_of(a), size_of(a)); }
WEAK double __floatundidf(u64 a) { return to_double(0, a); }
WEAK double __floatsidf(int a) { return to_double(sign_of(a), size_of(a)); }
WEAK double __floatunsidf(u32 a) { return to_double(0, a); }
WEAK float __floatdisf(long a) { return to_float(sign_of(a), size_of(a)); }
WEAK float __floatundisf(u64 a) { return to_float(0, a); }
WEAK float __floatsisf(int a) { return to_float(sign_of(a), size_of(a)); }
WEAK float __floatunsisf(u32 a) { return to_float(0, a); }

/** The magnitude, at most `most`. */
static u64 whole(u64 bits, u64 most) {
  if (is_zero(bits))
    return 0;
  struct number n = unpack(bits);
  if (n.exponent < 0)
    return 0;
  u64 value = n.exponent > 63 ? ~(u64)0 : n.significand >> (63 - n.exponent);
  return value < most ? value : most;
}

static long signed_whole(double value, u64 most) {
  u64 bits = bits_of(value);
  if (is_nan(bits))
    return most;
  return bits & SIGN ? -(long)whole(bits, most + 1) : (long)whole(bits, most);
}

static u64 unsigned_whole(double value, u64 most) {
  u64 bits = bits_of(value);
  if (is_nan(bits))
    return most;
  return bits & SIGN ? 0 : whole(bits, most);
}

#define MOST_LONG (~(u64)0 >> 1)
WEAK long __fixdfdi(double a) { return signed_whole(a, MOST_LONG); }
WEAK int __fixdfsi(double a) { return signed_whole(a, 0x7fffffff); }
WEAK u64 __fixunsdfdi(double a) { return unsigned_whole(a, ~(u64)0); }
WEAK u32 __fixunsdfsi(double a) { return unsigned_whole(a, 0xffffffff); }
WEAK long __fixsfdi(float a) { return signed_whole(widen(a), MOST_LONG); }
WEAK int __fixsfsi(float a) { return signed_whole(widen(a), 0x7fffffff); }
WEAK u64 __fixunssfdi(float a) { return unsigned_whole(widen(a), ~(u64)0); }
WEAK u32 __fixunssfsi(float a) { return unsigned_whole(widen(a), 0xffffffff); }
