/* A server that answers from a function inside a function. */
#include "eapp.h"
#include "print.h"
#include "string.h"

/* The request area, which goes back with the answer. */
static unsigned long area, area_size;

static void answer(unsigned long value) {
  struct call_enclave_arg_t reply;
  memset(&reply, 0, sizeof(reply));
  reply.resp_val = value;
  reply.req_vaddr = area;
  reply.req_size = area_size;
  SERVER_RETURN(&reply); // bp: answer
}

static void serve(unsigned long value) {
  answer(value + 1); // bp: serve
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  area = args[11];
  area_size = args[12];
  serve(args[10]);
}
