// Recursion: Takeuchi's function, Fibonacci numbers, and queens on a board: calls, returns and little else.
#include "workload.h"

APART static i64 tak(i64 x, i64 y, i64 z) {
  if (y >= x) return z;
  return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

APART static u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/** Ways to place the rest of the queens; columns and diagonals under attack as bits. */
APART static u64 queens(u32 all, u32 columns, u32 left, u32 right) {
  if (columns == all) return 1;
  u64 ways = 0;
  for (u32 free = all & ~(columns | left | right); free != 0;) {
    u32 place = free & -free;
    free ^= place;
    ways += queens(all, columns | place, (left | place) << 1, (right | place) >> 1);
  }
  return ways;
}

u64 workload(void) {
  u64 sum = mixed(5, (u64)tak(18, 12, 6));
  sum = mixed(sum, fibonacci(22));
  return mixed(sum, queens((1 << 9) - 1, 0, 0, 0));
}
