/*
 * Every instance forked from the shadow runs this program with a relay page of its own: the host wrote a number into the page's first
 * int. `value` is that number; the answer, twice the number, goes back in the second int.
 */
#include "eapp.h"
#include "print.h"

/* Copied into every instance when it is forked: each counts from the template's 0. */
static int greetings = 0;

static int greet(int *relay_page) {
  int value = relay_page[0];
  greetings++;
  eapp_print("hello world! my value is %d\n", value); // bp: greet
  relay_page[1] = value * 2;
  return value;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  int *relay_page = (int *)args[13];
  if (!relay_page) {
    eapp_print("this instance got no relay page\n");
    EAPP_RETURN(-1UL);
  }
  int value = greet(relay_page);
  EAPP_RETURN(value + greetings - 1); // bp: return
}
