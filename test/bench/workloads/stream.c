// Streaming: copy, scale, add and triad over arrays of words, and a copy and a count of bytes: loads and stores one behind the other.
#include "workload.h"

#define WORDS 32768
#define PASSES 2
static u64 a[WORDS], b[WORDS], c[WORDS];

APART static void copy_words(u64 *to, const u64 *from, u64 count) {
  for (u64 i = 0; i < count; i += 8) {
    u64 w0 = from[i], w1 = from[i + 1], w2 = from[i + 2], w3 = from[i + 3];
    u64 w4 = from[i + 4], w5 = from[i + 5], w6 = from[i + 6], w7 = from[i + 7];
    to[i] = w0, to[i + 1] = w1, to[i + 2] = w2, to[i + 3] = w3;
    to[i + 4] = w4, to[i + 5] = w5, to[i + 6] = w6, to[i + 7] = w7;
  }
}

APART static void copy_bytes(u8 *to, const u8 *from, u64 count) {
  for (u64 i = 0; i < count; i++) to[i] = from[i];
}

u64 workload(void) {
  for (u64 i = 0; i < WORDS; i++) a[i] = i * 0x9e3779b97f4a7c15ul, b[i] = i, c[i] = 0;
  u64 sum = 6;
  for (u64 pass = 0; pass < PASSES; pass++) {
    copy_words(c, a, WORDS);
    for (u64 i = 0; i < WORDS; i++) b[i] = 3 * c[i];
    for (u64 i = 0; i < WORDS; i++) c[i] = a[i] + b[i];
    for (u64 i = 0; i < WORDS; i++) a[i] = b[i] + 5 * c[i];
    copy_bytes((u8 *)b + 1, (const u8 *)a + pass, 8 * WORDS - 16);
    u64 ones = 0;
    for (u64 i = 0; i < 8 * WORDS; i++) ones += ((const u8 *)b)[i] == 0x5a;
    sum = mixed(mixed(sum, ones), a[WORDS / 3] ^ b[WORDS / 2]);
  }
  return sum;
}
