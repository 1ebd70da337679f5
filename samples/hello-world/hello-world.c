/* The smallest enclave: looks at what the host gave it, prints one message and ends. */
#include "eapp.h"
#include "print.h"

static int hello(unsigned long *args) {
  int *shared = (int *)args[10];  // shm: host and enclave see it at the same time
  int *relayed = (int *)args[13]; // relay page: the enclave's alone until it ends
  int from_shm = shared ? *shared : 0;
  int from_relay = relayed ? *relayed : 0;

  eapp_print("hello world!\n"); // bp: hello

  return from_shm == 11111 && from_relay == 22222;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  int as_expected = hello(args);
  EAPP_RETURN(as_expected ? 0 : 1); // bp: return
}
