// Branchy: quicksort by median of three, insertion sort for short runs, then binary searches: branches that nobody can predict.
#include "workload.h"

#define COUNT 40000
static i64 keys[COUNT];

static void insertion(i64 *from, i64 count) {
  for (i64 i = 1; i < count; i++) {
    i64 key = from[i];
    i64 at = i;
    for (; at > 0 && from[at - 1] > key; at--) from[at] = from[at - 1];
    from[at] = key;
  }
}

static i64 median(i64 a, i64 b, i64 c) {
  if (a < b) return b < c ? b : (a < c ? c : a);
  return a < c ? a : (b < c ? c : b);
}

static void sort(i64 *from, i64 count) {
  while (count > 12) {
    i64 pivot = median(from[0], from[count / 2], from[count - 1]);
    i64 low = 0;
    i64 high = count - 1;
    for (;;) {
      while (from[low] < pivot) low++;
      while (from[high] > pivot) high--;
      if (low >= high) break;
      i64 key = from[low];
      from[low++] = from[high];
      from[high--] = key;
    }
    sort(from, low);
    from += low;
    count -= low;
  }
  insertion(from, count);
}

static i64 position(i64 key) {
  i64 low = 0;
  i64 high = COUNT;
  while (low < high) {
    i64 middle = (low + high) / 2;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

u64 workload(void) {
  u64 state = 0x9e3779b97f4a7c15ul;
  for (i64 i = 0; i < COUNT; i++) keys[i] = (i64)next_random(&state) >> 20;
  sort(keys, COUNT);
  u64 sum = 2;
  for (i64 i = 1; i < COUNT; i++) {
    if (keys[i - 1] > keys[i]) return 0;
    sum = mixed(sum, (u64)keys[i]);
  }
  for (i64 i = 0; i < COUNT / 4; i++) sum = mixed(sum, (u64)position((i64)next_random(&state) >> 20));
  return sum;
}
