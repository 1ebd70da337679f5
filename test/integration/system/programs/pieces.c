/* Prints without ends of lines. */
#include "eapp.h"
#include "print.h"
#include "stdio.h"

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  eapp_print("one");
  eapp_print("two\n");
  eapp_print("");
  eapp_print("\n");
  eapp_print("three\nfour");
  EAPP_RETURN(0);
}
