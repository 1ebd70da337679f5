/* A host that writes where nothing is. */
#include <stdio.h>

static int *nowhere(void) {
  return (int *)0x10;
}

int main(void) {
  printf("about to fail\n");
  fflush(stdout);
  int *p = nowhere();
  *p = 42; // bp: fault
  return 0;
}
