/* Calls a server without looking whether there is one. */
#include "eapp.h"
#include "print.h"
#include "string.h"

int EAPP_ENTRY main() {
  unsigned long *args;
  struct call_enclave_arg_t call;
  EAPP_RESERVE_REG;
  (void)args;
  memset(&call, 0, sizeof(call));
  unsigned long handle = acquire_enclave("nobody"); // bp: acquire
  unsigned long refused = call_enclave(handle, &call); // bp: call
  eapp_print("careless: the call gave %ld\n", refused);
  EAPP_RETURN(0);
}
