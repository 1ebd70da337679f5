/*
 * What a compiler calls for operations that rv64imac has no instruction for: counting and reversing bits, and shifts and divisions of
 * 128-bit integers. Names and results are those of libgcc, which cannot be linked: the usual one is built for another ABI.
 * Arithmetic of float and double is in float.c.
 */
#define WEAK __attribute__((weak))

typedef unsigned __int128 u128;
typedef __int128 s128;

int __clzdi2(unsigned long value);

/** Leading zeros; of 0, as many as there are bits. */
WEAK int __clzdi2(unsigned long value) {
  int zeros = 64;
  for (int width = 32; width; width /= 2)
    if (value >> width) {
      value >>= width;
      zeros -= width;
    }
  return value ? zeros - 1 : zeros;
}

WEAK int __clzsi2(unsigned int value) { return __clzdi2(value) - 32; }

/** Trailing zeros; the lowest bit alone is left by a value and its complement. */
WEAK int __ctzdi2(unsigned long value) { return value ? 63 - __clzdi2(value & -value) : 64; }

WEAK int __ctzsi2(unsigned int value) { return value ? __ctzdi2(value) : 32; }

WEAK int __ffsdi2(long value) { return value ? __ctzdi2(value) + 1 : 0; }

/** Redundant sign bits. */
WEAK int __clrsbdi2(long value) { return __clzdi2(value < 0 ? ~value : value) - 1; }

WEAK int __popcountdi2(unsigned long value) {
  value -= (value >> 1) & 0x5555555555555555;
  value = (value & 0x3333333333333333) + ((value >> 2) & 0x3333333333333333);
  value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return (value * 0x0101010101010101) >> 56;
}

WEAK int __popcountsi2(unsigned int value) { return __popcountdi2(value); }

WEAK int __paritydi2(unsigned long value) { return __popcountdi2(value) & 1; }

WEAK int __paritysi2(unsigned int value) { return __paritydi2(value); }

WEAK unsigned long __bswapdi2(unsigned long value) {
  unsigned long reversed = 0;
  for (int i = 0; i < 8; i++, value >>= 8)
    reversed = (reversed << 8) | (value & 0xff);
  return reversed;
}

WEAK unsigned int __bswapsi2(unsigned int value) { return __bswapdi2(value) >> 32; }

/* ---- 128 bits: a value in its two halves, so that nothing here is made into a call of itself ---------- */

union halves {
  u128 whole;
  struct {
    unsigned long low, high;
  };
};

WEAK u128 __lshrti3(u128 value, int count) {
  union halves v = {value};
  if (count == 0)
    return value;
  if (count < 64) {
    v.low = v.low >> count | v.high << (64 - count);
    v.high >>= count;
  } else {
    v.low = v.high >> (count - 64);
    v.high = 0;
  }
  return v.whole;
}

WEAK u128 __ashlti3(u128 value, int count) {
  union halves v = {value};
  if (count == 0)
    return value;
  if (count < 64) {
    v.high = v.high << count | v.low >> (64 - count);
    v.low <<= count;
  } else {
    v.high = v.low << (count - 64);
    v.low = 0;
  }
  return v.whole;
}

WEAK u128 __ashrti3(u128 value, int count) {
  union halves v = {value};
  if (count == 0)
    return value;
  if (count < 64) {
    v.low = v.low >> count | v.high << (64 - count);
    v.high = (long)v.high >> count;
  } else {
    v.low = (long)v.high >> (count - 64);
    v.high = (long)v.high >> 63;
  }
  return v.whole;
}

/** Long division, a bit at a time. Division by 0 gives what the hardware gives for 64 bits: all ones, and the dividend. */
static u128 divide(u128 dividend, u128 divisor, u128 *remainder) {
  union halves quotient = {dividend};
  u128 rest = 0;
  for (int i = 0; i < 128; i++) {
    unsigned long carry = (unsigned long)(rest >> 127);
    rest = rest << 1 | quotient.high >> 63;
    quotient.whole <<= 1;
    if (carry || rest >= divisor) {
      rest -= divisor;
      quotient.low |= 1;
    }
  }
  *remainder = rest;
  return quotient.whole;
}

static u128 magnitude(s128 value) { return value < 0 ? -(u128)value : (u128)value; }

WEAK u128 __udivti3(u128 dividend, u128 divisor) {
  u128 remainder;
  return divide(dividend, divisor, &remainder);
}

WEAK u128 __umodti3(u128 dividend, u128 divisor) {
  u128 remainder;
  divide(dividend, divisor, &remainder);
  return remainder;
}

WEAK s128 __divti3(s128 dividend, s128 divisor) {
  u128 remainder;
  u128 quotient = divide(magnitude(dividend), magnitude(divisor), &remainder);
  return (dividend < 0) != (divisor < 0) ? -quotient : quotient;
}

WEAK s128 __modti3(s128 dividend, s128 divisor) {
  u128 remainder;
  divide(magnitude(dividend), magnitude(divisor), &remainder);
  return dividend < 0 ? -remainder : remainder;
}
