/* An enclave that never ends by itself: it counts until it is stopped, goes on when it is resumed, and is gone when destroyed. */
#include "eapp.h"
#include "print.h"

/* Volatile, so that every step of the loop reaches memory, where the debugger sees it move. */
volatile unsigned long counter = 0;

static void count_forever(void) {
  for (;;) {
    counter++; // bp: count
  }
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  count_forever();
  EAPP_RETURN(1);
}
