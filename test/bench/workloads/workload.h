// What a workload is: one function, the same work and the same result each time it is called. Its time per instruction is what is measured,
// so it sets up its data itself, from constants.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed int i32;
typedef signed long i64;

/** One round; the checksum of everything it computed. */
u64 workload(void);

/** Keeps a function out of its callers, as one of another library would be. */
#define APART __attribute__((noinline, noclone))

/** The next of a row of pseudo-random numbers (Marsaglia's xorshift64); `state` is not 0. */
static inline u64 next_random(u64 *state) {
  u64 x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

/** A checksum with one more value (FNV-1a, by words). */
static inline u64 mixed(u64 sum, u64 value) { return (sum ^ value) * 0x100000001b3ul; }

static inline u64 double_bits(double value) {
  union { double value; u64 bits; } both = {value};
  return both.bits;
}

static inline u64 single_bits(float value) {
  union { float value; u32 bits; } both = {value};
  return both.bits;
}
