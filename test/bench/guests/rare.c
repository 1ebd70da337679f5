/*
 * Instructions that most hot code has not, each in a loop: `rare NAME COUNT`. Prints a number that tells whether it computed the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t word, places[4096] __attribute__((aligned(4096)));
static unsigned char apart[32 << 20];

/* A lock taken by load-reserved and store-conditional, given back by a store. */
static uint64_t lock(uint64_t count) {
  static int held;
  for (uint64_t i = 0; i < count; i++) {
    int taken;
    asm volatile("1: lr.w.aq %0, %1\n bnez %0, 1b\n sc.w %0, %2, %1\n bnez %0, 1b" : "=&r"(taken), "+A"(held) : "r"(1) : "memory");
    word += i;
    __atomic_store_n(&held, 0, __ATOMIC_RELEASE);
  }
  return word;
}

static uint64_t exchange(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t old = __atomic_load_n(&word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&word, &old, old * 3 + i, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
      ;
  }
  return word;
}

static uint64_t add(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    __atomic_fetch_add(&places[0], i, __ATOMIC_SEQ_CST);
  return places[0];
}

static uint64_t fences(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    word += i;
    asm volatile("fence rw, rw" ::: "memory");
  }
  return word;
}

/* Counters count what they like: only that they never go back is told. */
static uint64_t counter(uint64_t count) {
  uint64_t last = 0, back = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t now;
    asm volatile("rdcycle %0" : "=r"(now));
    back += now < last;
    last = now;
  }
  return back;
}

static uint64_t bits(double value) {
  uint64_t raw;
  memcpy(&raw, &value, sizeof raw);
  return raw;
}

/* The rounding mode is another for one operation of each two. */
static uint64_t mode(uint64_t count) {
  double sum = 1;
  for (uint64_t i = 0; i < count; i++) {
    asm volatile("fsrmi 2");
    sum = sum * 1.0000001 + 0.1;
    asm volatile("" : "+f"(sum));
    asm volatile("fsrmi 0");
    sum *= 0.9999999;
    asm volatile("" : "+f"(sum));
  }
  return bits(sum);
}

/* Everything is rounded towards zero. */
static uint64_t truncated(uint64_t count) {
  double sum = 1, quotient = 3;
  asm volatile("fsrmi 1");
  for (uint64_t i = 0; i < count; i++) {
    sum = sum * 0.9999999 + 0.1;
    quotient = quotient / 1.0000003 + sum * 0.5;
    asm volatile("" : "+f"(sum), "+f"(quotient));
  }
  asm volatile("fsrmi 0");
  return bits(sum) ^ bits(quotient);
}

/* The flags are clear before each operation, and read behind it. */
static uint64_t flags(uint64_t count) {
  double sum = 1;
  uint64_t raised = 0;
  for (uint64_t i = 0; i < count; i++) {
    asm volatile("fsflagsi 0");
    sum = sum * 0.9999999 + 0.1;
    asm volatile("" : "+f"(sum));
    uint64_t now;
    asm volatile("frflags %0" : "=r"(now));
    raised += now;
  }
  return bits(sum) ^ raised;
}

static uint64_t subnormal(uint64_t count) {
  double sum = 1e-309, part = 3e-311, factor = 0.99;
  for (uint64_t i = 0; i < count; i++) {
    sum = sum * factor + part;
    asm volatile("" : "+f"(sum), "+f"(part), "+f"(factor));
  }
  return bits(sum);
}

static uint64_t misaligned(uint64_t count) {
  unsigned char *start = (unsigned char *)places + 1;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t value;
    unsigned char *at = start + (i * 8 & 2047);
    asm volatile("ld %0, 0(%1)\n add %0, %0, %2\n sd %0, 0(%1)" : "=&r"(value) : "r"(at), "r"(i) : "memory");
  }
  return places[5];
}

/* Four places, 8 MiB from one to the next. */
static uint64_t far_apart(uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; i++)
    sum += apart[(i & 3) << 23]++;
  return sum;
}

static const struct {
  const char *name;
  uint64_t (*run)(uint64_t);
} CASES[] = {
    {"lock", lock},           {"exchange", exchange},   {"add", add},     {"fences", fences},
    {"counter", counter},     {"mode", mode},           {"truncated", truncated}, {"flags", flags},
    {"subnormal", subnormal}, {"misaligned", misaligned}, {"apart", far_apart},
};

int main(int count, char **words) {
  for (unsigned i = 0; count == 3 && i < sizeof CASES / sizeof *CASES; i++)
    if (strcmp(CASES[i].name, words[1]) == 0) {
      printf("%lx\n", CASES[i].run(strtoul(words[2], 0, 0)));
      return 0;
    }
  return 1;
}
