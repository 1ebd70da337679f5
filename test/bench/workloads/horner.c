// Fused, double precision: polynomials by Horner's rule, complex rotations and a dot product. To be built so that each multiplication
// with an addition is one instruction with one rounding.
#include "workload.h"

#define COUNT 2048
#define PASSES 40
static double values[COUNT], images[COUNT];
static const double coefficients[12] = {1.0,  -0.5,   0.3333,  -0.25,   0.2,     -0.1666,
                                        0.1428, -0.125, 0.11111, -0.1,    0.0909,  -0.08333};

u64 workload(void) {
  u64 state = 0x14057b7ef767814ful;
  for (int i = 0; i < COUNT; i++) values[i] = (double)((i64)next_random(&state) >> 32) / 2147483648.0;
  u64 sum = 13;
  for (int pass = 0; pass < PASSES; pass++) {
    double re = 1, im = 0, dot = 0;
    for (int i = 0; i < COUNT; i++) {
      double x = values[i];
      double p = coefficients[11];
      for (int k = 10; k >= 0; k--) p = p * x + coefficients[k];
      images[i] = p;
      double turned = re * 0.9998 - im * 0.019998;
      im = re * 0.019998 + im * 0.9998;
      re = turned;
      dot = x * p + dot;
    }
    values[pass] = images[pass] * 0.5 + re;
    sum = mixed(mixed(sum, double_bits(dot)), double_bits(im));
  }
  return sum;
}
