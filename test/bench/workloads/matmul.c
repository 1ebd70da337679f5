// Double precision: the product of two matrices, row by column: a multiplication and an addition for two loads.
#include "workload.h"

#define SIZE 96
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

u64 workload(void) {
  u64 state = 0x5851f42d4c957f2dul;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (double)(i64)(next_random(&state) >> 40) / 1048576.0;
      b[i][j] = (double)((i64)next_random(&state) >> 40) / 4194304.0;
    }
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      double sum = 0;
      for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  u64 sum = 11;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) sum = mixed(sum, double_bits(c[i][j]));
  return sum;
}
