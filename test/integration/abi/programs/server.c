/* A server of many kinds: what it does is the request's. Its own number is in the shm that it was created with, if it has one. */
#include "eapp.h"
#include "ocall.h"
#include "print.h"
#include "string.h"

#define PAGE 4096UL
#define RELAY 0x3800000000UL

static unsigned long times;

/** The name of the server number `number`. */
static void name_of(unsigned long number, char *name) {
  memcpy(name, "server", 6);
  int at = 6;
  if (number >= 10)
    name[at++] = '0' + number / 10;
  name[at++] = '0' + number % 10;
  name[at] = 0;
}

static void show(unsigned long *args) {
  for (int i = 10; i < 15; i++)
    eapp_print("  server: a%d %lx\n", i - 10, args[i]);
}

/** Counts in a word far down the stack that nothing else uses and nothing initialises: the stack is kept from call to call. */
static __attribute__((noinline)) unsigned long on_the_stack() {
  volatile unsigned long words[2048];
  words[0] = times == 1 ? 1000 : words[0] + 1;
  return words[0];
}

/** Calls the next server of the chain with the same request; at the end nobody is left, and the first one is busy. */
static void forward(struct call_enclave_arg_t *arg, unsigned long own) {
  char name[16];
  name_of(own + 1, name);
  unsigned long next = acquire_enclave(name);
  if (next != -1UL) {
    unsigned long result = call_enclave(next, arg);
    if (result != 0)
      eapp_print("  server %d: call of the next %lx\n", (int)own, result);
    arg->resp_val++;
    return;
  }
  name_of(0, name);
  struct call_enclave_arg_t again = {0};
  eapp_print("  the last is number %d; the first one is busy: %lx\n", (int)own, call_enclave(acquire_enclave(name), &again));
  eapp_print("  itself too: %lx\n", call_enclave(get_enclave_id(), &again));
  eapp_print("  caller %lx\n", get_caller_id());
  char *area = eapp_mmap(0, PAGE);
  char *heap = sbrk(PAGE);
  area[0] = 1;
  heap[-1] = 1;
  eapp_print("  mmap %lx, sbrk %lx, unmap %d\n", (unsigned long)area, (unsigned long)heap, eapp_unmap(area, PAGE));
  eapp_yield();
  if (arg->req_arg == 7) {
    unsigned int *page = (unsigned int *)RELAY;
    page[0]++;
    eapp_print("  return of relay pages %d\n", eapp_return_relay_page());
    page[0]++;
  }
  arg->resp_val = 1;
}

/** Writes and reads sectors through the shm. */
static void sectors(unsigned int *shm) {
  shm[0] = 0x5ec;
  shm[1023] = 1;
  eapp_print("  write 3: %d\n", eapp_persistency_write_sec(3));
  memset(shm, 0, PAGE);
  eapp_print("  read 3: %d\n", eapp_persistency_read_sec(3));
  eapp_print("  %x %x\n", shm[0], shm[1023]);
  eapp_print("  read 4: %d\n", eapp_persistency_read_sec(4));
  eapp_print("  %x\n", shm[0]);
  shm[0] = 9;
  eapp_print("  read 1023, the last: %d\n", eapp_persistency_read_sec(1023));
  shm[0] = 9;
  eapp_print("  read 1030, behind the end: %d %x\n", eapp_persistency_read_sec(1030), shm[0]);
  eapp_print("  read -1: %d\n", eapp_persistency_read_sec(-1));
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  struct call_enclave_arg_t ret = {.req_arg = args[10], .req_vaddr = args[11], .req_size = args[12]};
  unsigned int *area = (unsigned int *)args[11];
  unsigned int *shm = (unsigned int *)args[13];
  times++;
  switch (args[10]) {
  case 1:
    show(args);
    eapp_print("  call %d, stack %d\n", (int)times, (int)on_the_stack());
    ret.resp_val = times;
    break;
  case 2: {
    show(args);
    eapp_print("  %d %d\n", area[0], area[7 * 1024 - 1]);
    area[0]++;
    area[7 * 1024 - 1]++;
    unsigned int *answer = eapp_mmap(0, 2 * PAGE);
    answer[0] = 1234;
    ret.resp_vaddr = (unsigned long)answer;
    ret.resp_size = 2 * PAGE;
    ret.resp_val = 5;
    break;
  }
  case 3:
    area[0]++;
    break;
  case 4: {
    unsigned int *piece = eapp_shm_attach(args[12]);
    eapp_print("  attached at %lx\n", (unsigned long)piece);
    piece[0]++;
    ret.req_size = 0;
    break;
  }
  case 5: {
    unsigned int *piece = eapp_shm_attach(args[12]);
    ret.resp_val = piece[0];
    eapp_print("  detach %d\n", eapp_shm_detach(args[12]));
    break;
  }
  case 6:
  case 7:
    forward(&ret, shm[1]);
    break;
  case 8:
    sectors(shm);
    break;
  }
  SERVER_RETURN(&ret);
}
