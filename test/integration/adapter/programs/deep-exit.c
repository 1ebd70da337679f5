/* An enclave that lends its page to the host and later ends, both from a function inside a function. */
#include "eapp.h"
#include "print.h"

static void finish(unsigned long value) {
  eapp_print("finish %d\n", (int)value); // bp: finish
  EAPP_RETURN(value);                    // bp: exit
}

static int lend(int *page) {
  *page = 1;                // bp: before-lend
  eapp_return_relay_page(); // bp: lend
  return *page;             // bp: after-lend
}

static int work(int *page) {
  int value = lend(page); // bp: work
  finish(value);          // bp: end
  return value;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  work((int *)args[13]);
}
