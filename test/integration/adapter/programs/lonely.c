/* An enclave that asks for a server nobody created. */
#include "eapp.h"
#include "print.h"

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  unsigned long handle = acquire_enclave("no-such-server");
  eapp_print("handle %lx\n", handle);
  EAPP_RETURN(handle == -1UL ? 0 : 1);
}
