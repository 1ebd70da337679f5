/* A server that answers from a function inside a function. */
#include "eapp.h"
#include "print.h"
#include "string.h"

static void answer(unsigned long value) {
  struct call_enclave_arg_t reply;
  memset(&reply, 0, sizeof(reply));
  reply.resp_val = value;
  SERVER_RETURN(&reply); // bp: answer
}

static void serve(unsigned long value) {
  answer(value + 1); // bp: serve
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  serve(args[10]);
}
