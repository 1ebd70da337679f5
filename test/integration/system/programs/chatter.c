/* Prints for ever. */
#include "eapp.h"
#include "print.h"

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  for (unsigned long i = 0;; i++)
    eapp_print("line %lx\n", i);
}
