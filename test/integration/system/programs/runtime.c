/* Operations that the compiler turns into calls; the values are hidden from it. */
#include "eapp.h"
#include "print.h"

static volatile unsigned long value = 0x00f0000000001230;
static volatile unsigned int word = 0x12345678;
static volatile int count;

static void shows(const char *what, unsigned __int128 wide) {
  eapp_print("%s %lx %lx\n", what, (unsigned long)(wide >> 64), (unsigned long)wide);
}

static void bits(void) {
  eapp_print("clz %d %d\n", __builtin_clzl(value), __builtin_clz(word));
  eapp_print("ctz %d %d\n", __builtin_ctzl(value), __builtin_ctz(word));
  eapp_print("ffs %d popcount %d\n", __builtin_ffsl(value), __builtin_popcountl(value));
  eapp_print("parity %d clrsb %d\n", __builtin_parityl(value), __builtin_clrsbl(-(long)value));
  eapp_print("bswap %lx %x\n", __builtin_bswap64(value), __builtin_bswap32(word));
}

static void shifts(__int128 wide) {
  for (int i = 0; i < 4; i++) {
    count = (int[]){0, 4, 64, 100}[i];
    shows("left", (unsigned __int128)wide << count);
    shows("right", (unsigned __int128)wide >> count);
    shows("signed", wide >> count);
  }
}

static void divisions(__int128 wide, __int128 by) {
  shows("div", wide / by);
  shows("mod", wide % by);
  shows("udiv", (unsigned __int128)wide / (unsigned __int128)by);
  shows("umod", (unsigned __int128)wide % (unsigned __int128)by);
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  __int128 wide = (__int128)0x8123456789abcdef << 64 | value;
  bits();
  shifts(wide);
  divisions(wide, 1000000007);
  divisions(wide, -((__int128)1 << 90) - 5);
  divisions(value, wide);
  EAPP_RETURN(0);
}
