/*
 * Every call an enclave has, one part per run: the host names the part in the first word of the shm (or, without shm, there is
 * only the part "entry"). Whatever is printed is compared with a golden file.
 */
#include "attest.h"
#include "eapp.h"
#include "ocall.h"
#include "print.h"
#include "string.h"

#define PAGE 4096UL
#define RELAY 0x3800000000UL

/* Built with -DDATA=n it has so many bytes of writable data. */
#ifdef DATA
volatile char data[DATA] = {1};
#endif

static unsigned long raw(unsigned long number, unsigned long extension, unsigned long a0, unsigned long a1) {
  register unsigned long x10 __asm__("a0") = a0;
  register unsigned long x11 __asm__("a1") = a1;
  register unsigned long x16 __asm__("a6") = extension;
  register unsigned long x17 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(x10) : "r"(x11), "r"(x16), "r"(x17) : "memory");
  return x10;
}

static void say(const char *what, unsigned long value) { eapp_print("%s %lx\n", what, value); }

static void entry(unsigned long *args) {
  for (int i = 10; i < 18; i++)
    eapp_print("a%d %lx\n", i - 10, args[i]);
  unsigned long others = 0;
  for (int i = 1; i < 32; i++)
    if (i != 2 && (i < 10 || i > 17))
      others |= args[i];
  say("the others", others);
  say("sp", (unsigned long)(args + 32));
}

static void memory() {
  say("mmap of one page", (unsigned long)EAPP_MMAP(OCALL_MMAP, 0, PAGE));
  char *four = eapp_mmap(0, 4 * PAGE);
  say("mmap of four pages", (unsigned long)four);
  four[7 * PAGE - 1] = 1;
  char *odd = eapp_mmap(0, 5000);
  say("mmap of 5000 bytes", (unsigned long)odd);
  odd[4999] = 1;
  say("mmap at a place", (unsigned long)EAPP_MMAP(OCALL_MMAP, (void *)0x2000000000UL, PAGE));
  say("mmap there again", (unsigned long)EAPP_MMAP(OCALL_MMAP, (void *)0x2000000000UL, PAGE));
  say("mmap at an odd place", (unsigned long)EAPP_MMAP(OCALL_MMAP, (void *)0x2000000010UL, PAGE));
  say("mmap at a place of an odd size", (unsigned long)EAPP_MMAP(OCALL_MMAP, (void *)0x2100000000UL, 5000));
  say("mmap above the top", (unsigned long)EAPP_MMAP(OCALL_MMAP, (void *)0x3000000000UL, PAGE));
  say("mmap of nothing", (unsigned long)EAPP_MMAP(OCALL_MMAP, 0, 0));
  say("unmap of the middle takes all of it", eapp_unmap(four + PAGE, PAGE));
  say("unmap again", (long)eapp_unmap(four, PAGE));
  say("unmap of two areas at once", (long)eapp_unmap(odd, 8 * PAGE));
  say("unmap of what never was", (long)eapp_unmap((void *)0x1000, PAGE));
  say("a gap at the top is not searched", (unsigned long)EAPP_MMAP(OCALL_MMAP, 0, 2 * PAGE));
  say("sbrk(0)", (unsigned long)sbrk(0));
  say("sbrk(4 pages)", (unsigned long)sbrk(4 * PAGE));
  say("sbrk(1 page)", (unsigned long)sbrk(PAGE));
  say("sbrk(-1 page)", (unsigned long)sbrk(-PAGE));
  say("sbrk(-1 page), inside an area", (unsigned long)sbrk(-PAGE));
  say("sbrk(-7 pages)", (unsigned long)sbrk(-7 * PAGE));
  say("sbrk(0x123)", (unsigned long)sbrk(0x123));
  char *heap = sbrk(0);
  say("sbrk of 1 GiB and back", (unsigned long)sbrk(PAGE) - (unsigned long)heap);
  say("fresh heap is zero", (unsigned long)heap[0] | heap[PAGE - 1]);
}

static void calls() {
  say("ioctl without the extension", raw(29, 0, 5, 6));
  say("an unknown ocall", raw(98, 0x100101, 4711, 0));
  say("the ocall that is the monitor's own", raw(98, 0x100101, 12, 0));
  say("caller id", get_caller_id());
  say("enclave id", get_enclave_id());
  eapp_yield();
  eapp_print("after yield\n");
  struct call_enclave_arg_t arg = {0};
  char nobody[16] = "nobody";
  say("acquire of nobody", acquire_enclave(nobody));
  say("acquire of a bad pointer", acquire_enclave((char *)0x99999000));
  say("call of -1", call_enclave(-1UL, &arg));
  say("call of itself", call_enclave(get_enclave_id(), &arg));
  say("report of nobody", (long)get_report(nobody, (struct report_t *)&arg, 0));
  unsigned char key[48] = {0}, other[48] = {0};
  say("get_key", (long)get_key(STORAGE_KEY, (char *)key, 48));
  say("get_key, the same", (long)get_key(STORAGE_KEY, (char *)other, 48));
  say("  differs by", (unsigned long)memcmp(key, other, 48));
  say("get_key of a bad type", (long)get_key(9, (char *)other, 48));
  say("get_key of 0 bytes", (long)get_key(STORAGE_KEY, (char *)other, 0));
  struct report_t report;
  say("report of itself", (long)get_report(0, &report, 77));
  say("  its nonce", report.enclave.nonce);
  unsigned char bytes[20000];
  memset(bytes, 0, sizeof bytes);
  say("getrandom", eapp_getrandom(bytes, 20000, 0));
  unsigned long zeros = 0;
  for (int i = 0; i < 20000; i++)
    zeros += bytes[i] == 0;
  say("  a plausible number of zeros", zeros > 30 && zeros < 130);
  say("getrandom of 0 bytes", eapp_getrandom(bytes, 0, 0));
  say("getrandom into text", eapp_getrandom((void *)0x1000, 8, 0));
}

static void text() {
  char *kbuffer = (char *)ENCLAVE_DEFAULT_KBUFFER;
  memcpy(kbuffer, "a long message that is cut by a short one\n", 43);
  EAPP_PRINT(OCALL_SYS_WRITE);
  /* Nothing of the first one is left behind the second, which has no NUL. */
  memcpy(kbuffer, "short\n", 6);
  EAPP_PRINT(OCALL_SYS_WRITE);
  say("a0 after a write", EAPP_PRINT(OCALL_SYS_WRITE));
  memset(kbuffer, 'x', 600);
  EAPP_PRINT(OCALL_SYS_WRITE);
  eapp_print("\nbehind the 512 bytes of a message: %x\n", kbuffer[599]);
  eapp_print("%%x is printed as it is: %s\n", "%x %s %n");
}

static void relay(unsigned long *args) {
  unsigned int *page = (unsigned int *)args[13];
  say("relay size", args[14]);
  eapp_print("first %x, second page %x\n", page[0], page[1024]);
  page[0] = 2;
  page[1024] = 3;
  say("return", (long)eapp_return_relay_page());
  eapp_print("after the rerun %x, second page %x\n", page[0], page[1024]);
  page[0] = 4;
}

/** Four pages: two go to "receiver" in two regions, one is called with, one is kept. */
static void split(unsigned long *args) {
  unsigned int *page = (unsigned int *)args[13];
  for (int i = 0; i < 4; i++)
    page[1024 * i] = 100 + i;
  say("split outside", split_mem_region(RELAY, 4 * PAGE, RELAY + 5 * PAGE));
  say("split of a part", split_mem_region(RELAY, 2 * PAGE, RELAY + PAGE));
  say("split 1 and 3", split_mem_region(RELAY, 4 * PAGE, RELAY + PAGE));
  say("split 3", split_mem_region(RELAY + PAGE, 3 * PAGE, RELAY + 2 * PAGE));
  say("split 2", split_mem_region(RELAY + 2 * PAGE, 2 * PAGE, RELAY + 3 * PAGE));
  char receiver[16] = "receiver";
  struct call_enclave_arg_t arg = {.req_vaddr = RELAY + 3 * PAGE, .req_size = PAGE};
  say("transfer the last", asyn_enclave_call(receiver, &arg));
  say("transfer it again", asyn_enclave_call(receiver, &arg));
  arg.req_vaddr = RELAY + PAGE;
  say("transfer the second", asyn_enclave_call(receiver, &arg));
  arg.req_size = 2 * PAGE;
  say("transfer what is no region", asyn_enclave_call(receiver, &arg));
  char server[16] = "server0";
  struct call_enclave_arg_t call = {.req_arg = 3, .req_vaddr = RELAY, .req_size = PAGE};
  say("call with the first", call_enclave(acquire_enclave(server), &call));
  say("  its word is", page[0]);
  say("  it came back to", call.req_vaddr);
  say("  the third is", page[2048]);
  say("split at its end", split_mem_region(RELAY, PAGE, RELAY + PAGE));
  say("split in the middle of a page", split_mem_region(RELAY, PAGE, RELAY + 100));
}

/** Makes as many regions of one page as it can. */
static unsigned long regions(unsigned long *args) {
  unsigned long count = 1;
  for (unsigned long left = args[14]; left > PAGE; left -= PAGE, count++)
    if (split_mem_region(args[13] + args[14] - left, left, args[13] + args[14] - left + PAGE) != 0)
      break;
  return count;
}

static void receive(unsigned long *args) {
  unsigned int *page = (unsigned int *)args[13];
  say("received", args[14]);
  for (unsigned long i = 0; i < args[14] / PAGE; i++)
    say("  page", page[1024 * i]);
}

static void shared(unsigned long key) {
  unsigned int *piece = eapp_shm_get(key, 4 * PAGE, 0);
  say("shm_get of four pages", (unsigned long)piece);
  say("shm_get again", (unsigned long)eapp_shm_get(key, 4 * PAGE, 0));
  say("shm_get of an odd size", (unsigned long)eapp_shm_get(key + 1, 100, 0));
  say("attach, attached already", (unsigned long)eapp_shm_attach(key));
  say("attach of nothing", (unsigned long)eapp_shm_attach(key + 1));
  say("detach of nothing", (long)eapp_shm_detach(key + 1));
  say("destroy of nothing", (long)eapp_shm_destroy(key + 1));
  unsigned int *second = eapp_shm_get(key + 2, PAGE, 0);
  say("a second piece lies below", (unsigned long)second);
  struct eapp_shm_stat_t stat = {0};
  say("stat of nothing", (long)eapp_shm_stat(key + 1, &stat));
  say("stat", (long)eapp_shm_stat(key, &stat));
  eapp_print("  %d attached, %lx bytes\n", (int)stat.ref_count, stat.size);
  piece[0] = 41;
  char name[16] = "server0";
  struct call_enclave_arg_t call = {.req_arg = 4, .req_vaddr = 0, .req_size = key};
  say("server", call_enclave(acquire_enclave(name), &call));
  say("  sees and writes", piece[0]);
  eapp_shm_stat(key, &stat);
  eapp_print("  %d attached\n", (int)stat.ref_count);
  say("destroy of the second, in use", (long)eapp_shm_destroy(key + 2));
  say("  nobody attaches it now", (unsigned long)eapp_shm_attach(key + 2));
  say("  still there", second[0]);
  say("detach of the last user", (long)eapp_shm_detach(key + 2));
  say("  its key is free", (long)eapp_shm_stat(key + 2, &stat));
  say("  and used again", (unsigned long)eapp_shm_get(key + 2, PAGE, 0));
  /* Ends with `key` attached here and in the server. */
}

/** The server still has what its maker left, and is the last to have it. */
static void inherit(unsigned long key) {
  struct eapp_shm_stat_t stat = {0};
  say("stat of what another enclave made", (long)eapp_shm_stat(key, &stat));
  eapp_print("  %d attached\n", (int)stat.ref_count);
  say("stat of the second piece, whose only user is gone", (long)eapp_shm_stat(key + 2, &stat));
  char name[16] = "server0";
  struct call_enclave_arg_t call = {.req_arg = 5, .req_vaddr = 0, .req_size = key};
  say("server detaches", call_enclave(acquire_enclave(name), &call));
  say("  its last word", call.resp_val);
  say("gone", (long)eapp_shm_stat(key, &stat));
}

static unsigned long request(unsigned long which, struct call_enclave_arg_t *arg) {
  char name[16] = "server0";
  arg->req_arg = which;
  return call_enclave(acquire_enclave(name), arg);
}

static void servers() {
  struct call_enclave_arg_t arg = {.req_size = 77 * PAGE};
  say("call without memory", request(1, &arg));
  eapp_print("  value %lx, req %lx, resp %lx %lx\n", arg.resp_val, arg.req_vaddr, arg.resp_vaddr, arg.resp_size);
  say("call again: its data and its stack are kept", request(1, &arg));
  say("  value", arg.resp_val);
  unsigned int *area = eapp_mmap(0, 4 * PAGE);
  area[0] = 10;
  area[7 * 1024 - 1] = 11;
  struct call_enclave_arg_t with = {.req_vaddr = (unsigned long)area + PAGE, .req_size = PAGE};
  say("call with a part of an area", request(2, &with));
  say("  value", with.resp_val);
  eapp_print("  the area is back at %lx: %d %d\n", with.req_vaddr, area[0], area[7 * 1024 - 1]);
  unsigned int *answer = (unsigned int *)with.resp_vaddr;
  eapp_print("  the answer is at %lx, %lx bytes: %d\n", with.resp_vaddr, with.resp_size, answer[0]);
  struct call_enclave_arg_t bad = {.req_vaddr = (unsigned long)area + 1, .req_size = PAGE};
  say("call with an odd address", request(2, &bad));
  bad.req_vaddr = (unsigned long)&bad & -PAGE;
  say("call with the stack", request(2, &bad));
  say("SERVER_RETURN of another kind of enclave", raw(95, 0x100101, (unsigned long)&bad, 0));
  char report[328];
  char name[16] = "server0";
  say("report of a server", (long)get_report(name, (struct report_t *)report, 5));
  char first[32];
  memcpy(first, report + 160, 32);
  get_report(name, (struct report_t *)report, 5);
  say("  the same twice, by", (unsigned long)memcmp(first, report + 160, 32));
}

static void chain() {
  struct call_enclave_arg_t arg = {0};
  say("a chain of servers", request(6, &arg));
  say("  its depth", arg.resp_val);
}

/** A server gives the relay pages of this enclave back to the host from the depth of a chain. */
static void deep(unsigned long *args) {
  unsigned int *page = (unsigned int *)args[13];
  page[0] = 50;
  struct call_enclave_arg_t arg = {.req_vaddr = RELAY, .req_size = args[14]};
  say("a chain that returns relay pages", request(7, &arg));
  eapp_print("  %d at %lx\n", page[0], arg.req_vaddr);
}

static void sectors() {
  char name[16] = "server0";
  struct call_enclave_arg_t arg = {.req_arg = 8};
  say("sectors", call_enclave(acquire_enclave(name), &arg));
}

static unsigned long hashed(unsigned long hash, unsigned long word) { return (hash ^ word) * 0x9e3779b97f4a7c15; }

/** A hash of sums, products and so on of doubles and floats; the test knows the same hash from its own arithmetic. */
static unsigned long floats() {
  unsigned long hash = 0;
  double a = 1.0, b = 0.1;
  for (int i = 1; i <= 400; i++) {
    a = a * 1.0625 + b / i;
    b = b - a / 3.0;
    if (b < -1e10)
      b = -b / 1e12;
    float f = (float)a, g = (float)i;
    f = f / g - 0.5f * g;
    unsigned long word;
    memcpy(&word, &a, 8);
    hash = hashed(hash, word);
    memcpy(&word, &b, 8);
    hash = hashed(hash, word);
    double wide = f;
    memcpy(&word, &wide, 8);
    hash = hashed(hash, word);
    hash = hashed(hash, (unsigned long)((long)b + (long)a));
  }
  return hash;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  unsigned long *shm = (unsigned long *)args[10];
  switch (shm ? shm[0] : 0) {
  case 0:
    entry(args);
    break;
  case 1:
    memory();
    break;
  case 2:
    calls();
    break;
  case 3:
    text();
    break;
  case 4:
    relay(args);
    break;
  case 5:
    split(args);
    break;
  case 6:
    receive(args);
    break;
  case 7:
    shared(shm[1]);
    break;
  case 8:
    inherit(shm[1]);
    break;
  case 9:
    servers();
    break;
  case 10:
    chain();
    break;
  case 11:
    deep(args);
    break;
  case 12:
    sectors();
    break;
  case 13:
    EAPP_RETURN(floats());
  case 14:
    for (;;)
      shm[2]++;
  case 17: {
    unsigned char bytes[8];
    eapp_getrandom(bytes, 8, 0);
    for (int i = 0; i < 8; i++)
      shm[2] = shm[2] << 8 | bytes[i];
    say("random", shm[2]);
    break;
  }
  case 16:
    EAPP_RETURN(regions(args));
  case 15:
    for (;;)
      eapp_return_relay_page();
  }
  EAPP_RETURN(42);
}
