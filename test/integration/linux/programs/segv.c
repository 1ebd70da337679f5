// Dies of a store to a null pointer.
#include <stdio.h>

int main(void) {
  volatile int *nowhere = 0;
  puts("about to fall");
  fflush(stdout);
  *nowhere = 1; // bp: fault
  puts("not reached");
  return 0;
}
