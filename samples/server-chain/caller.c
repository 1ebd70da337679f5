/*
 * The first enclave of the chain. It fills a 16 KiB area with ones, hands it to a server together with a number, and reads both what comes
 * back in its own area and what the server answered in a new one.
 *
 * It calls test-server1 if there is one, which calls test-server in turn; else test-server directly.
 */
#include "eapp.h"
#include "print.h"
#include "string.h"

#define REQUEST_SIZE (4 * RISCV_PAGE_SIZE)
#define REQUEST_ARG 0x19960000

static unsigned long sum_of(const int *numbers, unsigned long size) {
  unsigned long sum = 0;
  for (unsigned long i = 0; i < size / sizeof(int); i++)
    sum += numbers[i];
  return sum;
}

/* Calls `server` and reports what came back. Returns 0 or 1: how the enclave ends. */
static int ask(const char *server, unsigned long handle) {
  struct call_enclave_arg_t call;
  int *request = eapp_mmap(0, REQUEST_SIZE);
  if (!request)
    return 1;
  for (unsigned long i = 0; i < REQUEST_SIZE / sizeof(int); i++)
    request[i] = 1;

  memset(&call, 0, sizeof(call));
  call.req_arg = REQUEST_ARG;
  call.req_vaddr = (unsigned long)request;
  call.req_size = REQUEST_SIZE;
  unsigned long refused = call_enclave(handle, &call); // bp: call
  if (refused) {
    eapp_print("caller: %s refused the call\n", server); // bp: refused
    return 1;
  }

  // The area is back at the address it had; the answer is in an area that was the server's.
  unsigned long request_sum = sum_of(request, REQUEST_SIZE); // bp: returned
  eapp_print("caller: read req_vaddr after calling server:0x%lx\n", request_sum);
  if (call.resp_vaddr) {
    unsigned long response_sum = sum_of((int *)call.resp_vaddr, call.resp_size);
    eapp_print("caller: read resp_vaddr after calling server:0x%lx\n", response_sum);
    eapp_unmap((void *)call.resp_vaddr, call.resp_size);
  }
  eapp_print("caller: get %s retval:0x%lx\n", server, call.resp_val);
  eapp_unmap(request, REQUEST_SIZE);
  return 0;
}

static int run_caller(unsigned long *args) {
  int *shm = (int *)args[10];
  unsigned long shm_size = args[11];
  int *relay_page = (int *)args[13];
  unsigned long relay_size = args[14];

  eapp_print("caller begin to run...\n"); // bp: begin
  if (shm)
    eapp_print("shm content %d and size %lx\n", *shm, shm_size);
  if (relay_page)
    eapp_print("relay page content %d and size %lx\n", *relay_page, relay_size);

  unsigned long handle = acquire_enclave("test-server1");
  if (handle != -1UL)
    return ask("server1", handle);
  handle = acquire_enclave("test-server");
  if (handle != -1UL)
    return ask("server", handle);
  eapp_print("caller: there is no server\n");
  return 1;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  int status = run_caller(args);
  EAPP_RETURN(status);
}
