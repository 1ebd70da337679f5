// Hashing: SHA-256 (FIPS 180-4): shifts, rotates and additions of 32-bit words. The constants are computed as the standard defines them.
#include "workload.h"

#define BLOCKS 1024
static u32 k[64];
static u32 initial[8];
static u8 message[BLOCKS * 64];

/** The first 32 bits of the fractional part of a prime's root of the given degree (2 or 3), by bisection. */
static u32 root_fraction(u64 prime, int degree) {
  unsigned __int128 low = 0;
  unsigned __int128 high = (unsigned __int128)32 << 32;
  while (high - low > 1) {
    unsigned __int128 middle = (low + high) / 2;
    // The cube of a number with 32 fractional bits below 32 has 101 bits.
    unsigned __int128 power = degree == 2 ? middle * middle : middle * middle * middle;
    if (power <= (unsigned __int128)prime << (32 * degree)) low = middle;
    else high = middle;
  }
  return (u32)low;
}

static void compute_constants(void) {
  int count = 0;
  for (u64 number = 2; count < 64; number++) {
    int prime = 1;
    for (u64 divisor = 2; divisor * divisor <= number; divisor++) prime &= number % divisor != 0;
    if (!prime) continue;
    if (count < 8) initial[count] = root_fraction(number, 2);
    k[count++] = root_fraction(number, 3);
  }
}

static inline u32 rotated(u32 value, int by) { return value >> by | value << (32 - by); }

static void compress(u32 *state, const u8 *block) {
  u32 w[64];
  for (int i = 0; i < 16; i++)
    w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
    u32 s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  u32 a = state[0], b = state[1], c = state[2], d = state[3];
  u32 e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i++) {
    u32 s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    u32 t1 = h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i];
    u32 s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    u32 t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

u64 workload(void) {
  compute_constants();
  u64 state = 0x853c49e6748fea9bul;
  for (u64 i = 0; i < sizeof message; i++) message[i] = i % 8 == 0 ? (u8)next_random(&state) : (u8)(state >> i % 8 * 8);
  // The last block is the padding: 1, zeros, and the length in bits.
  u64 length = (BLOCKS - 1) * 64;
  for (int i = 0; i < 64; i++) message[length + i] = i == 0 ? 0x80 : i < 56 ? 0 : (u8)(length * 8 >> (63 - i) * 8);
  u32 digest[8];
  for (int i = 0; i < 8; i++) digest[i] = initial[i];
  for (int block = 0; block < BLOCKS; block++) compress(digest, message + block * 64);
  u64 sum = 8;
  for (int i = 0; i < 8; i++) sum = mixed(sum, digest[i]);
  return sum;
}
