/*
 * The server in the middle: adds up the numbers it is handed, raises each by one, and hands the same area on to test-server.
 * What test-server answered goes on to the caller.
 */
#include "eapp.h"
#include "print.h"
#include "string.h"

/* Adds the numbers to `start`, and `raise` to each of them. */
static unsigned long add_up(unsigned long start, int *numbers, unsigned long size, int raise) {
  unsigned long sum = start;
  for (unsigned long i = 0; i < size / sizeof(int); i++) {
    sum += numbers[i];
    numbers[i] += raise;
  }
  return sum;
}

/* Calls test-server with the request as it is now; its answer is left in *call. Returns 0, or what refused. */
static unsigned long forward(unsigned long arg0, int *request, unsigned long size, struct call_enclave_arg_t *call) {
  unsigned long server_handle = acquire_enclave("test-server");
  eapp_print("server1: server_handle:0x%lx\n", server_handle);
  if (server_handle == -1UL)
    return server_handle;

  call->req_arg = arg0;
  call->req_vaddr = (unsigned long)request;
  call->req_size = size;
  return call_enclave(server_handle, call); // bp: forward
}

static void serve(unsigned long arg0, int *request, unsigned long size, struct call_enclave_arg_t *call) {
  eapp_print("server1: begin to run\n"); // bp: begin
  unsigned long sum = request ? add_up(arg0, request, size, 1) : arg0;

  if (forward(arg0, request, size, call) != 0) {
    memset(call, 0, sizeof(*call));
    call->resp_val = -1UL;
    return;
  }
  eapp_print("server1: read req_vaddr:0x%lx\n", sum); // bp: forwarded
  if (call->resp_vaddr) {
    sum = add_up(arg0, (int *)call->resp_vaddr, call->resp_size, 0);
    eapp_print("server1: read resp_vaddr:0x%lx\n", sum);
  }
  call->resp_val = 3;
  eapp_print("server1: exit with retval:0x%lx\n", call->resp_val);
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  struct call_enclave_arg_t call;
  memset(&call, 0, sizeof(call));
  serve(args[10], (int *)args[11], args[12], &call);
  SERVER_RETURN(&call); // bp: return
}
