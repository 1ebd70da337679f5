// Fused, single precision: a finite impulse response filter, then a recursive one: sums of products of 32-bit numbers.
#include "workload.h"

#define SAMPLES 8192
#define TAPS 32
static float input[SAMPLES + TAPS], output[SAMPLES];
static float taps[TAPS];

u64 workload(void) {
  u64 state = 0x94d049bb133111ebul;
  for (int i = 0; i < SAMPLES + TAPS; i++) input[i] = (float)((i32)next_random(&state) >> 8) / 8388608.0f;
  for (int i = 0; i < TAPS; i++) taps[i] = (float)(i < TAPS / 2 ? i + 1 : TAPS - i) / 272.0f;
  for (int i = 0; i < SAMPLES; i++) {
    float sum = 0;
    for (int k = 0; k < TAPS; k++) sum += input[i + k] * taps[k];
    output[i] = sum;
  }
  u64 sum = 14;
  float one = 0, two = 0;
  for (int i = 0; i < SAMPLES; i++) {
    float now = output[i] + 1.6f * one - 0.64f * two;
    two = one;
    one = now;
    sum = mixed(sum, single_bits(now));
  }
  return sum;
}
