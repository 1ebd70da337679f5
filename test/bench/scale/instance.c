/* Prints, writes a page of data and its stack; then runs until it is stopped, or ends at once when built with -DENDS. */
#include "eapp.h"
#include "print.h"

#define PAGE 4096
#ifndef SIZE
#define SIZE PAGE
#endif

/* SIZE bytes of the file, so that CREATE loads, maps and measures them. */
static volatile char data[SIZE] = {1};

static int hello(void) {
  volatile char stack[256];
  for (unsigned i = 0; i < sizeof(stack); i++)
    stack[i] = (char)i;
  data[SIZE / 2] = stack[7];
  eapp_print("hello world!\n");
  return data[SIZE / 2] == 7 && data[0] == 1;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  int as_expected = hello();
#ifndef ENDS
  for (;;)
    data[1]++;
#endif
  EAPP_RETURN(as_expected ? 0 : 1);
}
