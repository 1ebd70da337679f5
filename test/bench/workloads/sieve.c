// Integer: the sieve of Eratosthenes over odd numbers, in bytes: short loops of stores with a stride.
#include "workload.h"

#define LIMIT 1000000
static u8 composite[LIMIT / 2];

u64 workload(void) {
  for (u64 i = 0; i < LIMIT / 2; i++) composite[i] = 0;
  for (u64 number = 3; number * number < LIMIT; number += 2)
    if (!composite[number / 2])
      for (u64 multiple = number * number; multiple < LIMIT; multiple += 2 * number) composite[multiple / 2] = 1;
  u64 sum = 1;
  u64 count = 1;
  for (u64 i = 1; i < LIMIT / 2; i++)
    if (!composite[i]) {
      count++;
      sum = mixed(sum, 2 * i + 1);
    }
  return mixed(sum, count);
}
