/* An enclave that reads where nothing is. */
#include "eapp.h"
#include "print.h"

static unsigned long peek(const volatile unsigned long *at) {
  return *at; // bp: fault
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  eapp_print("about to fail\n");
  EAPP_RETURN(peek((unsigned long *)0x2000000000));
}
