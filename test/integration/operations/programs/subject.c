/* Does what its shared memory says: shm[0] is the mode; shm[1] becomes 1 when it has begun. */
#include "eapp.h"
#include "relay_page.h"

enum { EXIT, LOOP, CALL_WORKER, CALL_SUBJECT, RETURN_RELAY };

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  (void)args;
  volatile int *shm = (volatile int *)0x3900000000UL;
  struct call_enclave_arg_t arg = {0};
  int mode = shm[0];
  shm[1] = 1;
  if (mode == CALL_WORKER) call_enclave(acquire_enclave("worker"), &arg);
  if (mode == CALL_SUBJECT) call_enclave(acquire_enclave("subject"), &arg);
  if (mode == RETURN_RELAY) eapp_return_relay_page();
  if (mode == LOOP)
    for (;;)
      ;
  EAPP_RETURN(0);
}
