// Single precision: the Mandelbrot set with smoothed edges: short chains of operations, a comparison and a branch after each.
#include "workload.h"

#define WIDTH 112
#define HEIGHT 72
#define MOST 96

u64 workload(void) {
  u64 sum = 12;
  for (int row = 0; row < HEIGHT; row++)
    for (int column = 0; column < WIDTH; column++) {
      float cx = -2.2f + 3.2f * (float)column / WIDTH;
      float cy = -1.2f + 2.4f * (float)row / HEIGHT;
      float x = 0, y = 0, x2 = 0, y2 = 0;
      int count = 0;
      while (x2 + y2 <= 4.0f && count < MOST) {
        y = 2.0f * x * y + cy;
        x = x2 - y2 + cx;
        x2 = x * x;
        y2 = y * y;
        count++;
      }
      sum = mixed(sum, (u64)count << 32 | single_bits(1.0f / (1.0f + x2 + y2)));
    }
  return sum;
}
