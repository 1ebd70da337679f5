/* An enclave that loops until it is stopped and destroyed; as a server it is never called. */
#include "eapp.h"

static volatile unsigned long beats;

int EAPP_ENTRY main() {
  for (;;)
    beats++;
}
