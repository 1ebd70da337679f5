/* Mixes its own two numbers. */
#include "eapp.h"
#include "print.h"
#include "shared.h"

#ifndef SEED
#define SEED 100
#endif

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  volatile int seed = SEED;
  int mine = mix(seed, 5);
  eapp_print("mixed %d\n", mine); // bp: printed
  EAPP_RETURN(0);
}
