/*
 * The last server of the chain: adds up the numbers it is handed, answers in an area of its own, filled with twos, and gives the
 * request back.
 */
#include "eapp.h"
#include "print.h"
#include "string.h"

#define RESPONSE_SIZE (4 * RISCV_PAGE_SIZE)

static unsigned long add_up(unsigned long start, const int *numbers, unsigned long size) {
  unsigned long sum = start;
  for (unsigned long i = 0; i < size / sizeof(int); i++)
    sum += numbers[i];
  return sum;
}

/* Fills an area with twos for the caller. Returns 0 if there is no memory. */
static int *make_response(unsigned long size) {
  int *response = eapp_mmap(0, size);
  if (response)
    for (unsigned long i = 0; i < size / sizeof(int); i++)
      response[i] = 2;
  return response;
}

static void serve(unsigned long arg0, int *request, unsigned long size, struct call_enclave_arg_t *answer) {
  eapp_print("server: begin to run\n"); // bp: begin
  if (request) {
    unsigned long sum = add_up(arg0, request, size);
    eapp_print("server: read req_vaddr:0x%lx\n", sum); // bp: sum
    answer->req_vaddr = (unsigned long)request;
    answer->req_size = size;
  }

  int *response = make_response(RESPONSE_SIZE);
  if (response) {
    unsigned long response_sum = add_up(arg0, response, RESPONSE_SIZE);
    eapp_print("server: read resp_vaddr:0x%lx\n", response_sum);
    answer->resp_vaddr = (unsigned long)response;
    answer->resp_size = RESPONSE_SIZE;
  }
  answer->resp_val = 2;
  eapp_print("server: exit with ret:0x%lx\n", answer->resp_val);
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  struct call_enclave_arg_t answer;
  memset(&answer, 0, sizeof(answer));
  serve(args[10], (int *)args[11], args[12], &answer);
  SERVER_RETURN(&answer); // bp: return
}
