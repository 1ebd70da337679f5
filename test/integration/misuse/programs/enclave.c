/* Does one wrong thing: the one whose number is in shm[0]. What a call returned goes to shm[2]; shm[1] becomes 1 when it has begun. */
#include "eapp.h"
#include "ocall.h"
#include "print.h"
#include "relay_page.h"
#include "rows.h"

#ifdef BIG
char big[3 << 20] = {1};
#endif

#define SHM ((volatile long *)0x3900000000UL)
#define WORD(bits) __asm__ volatile(".word " #bits ::: "t0", "memory")

static long ecall(long number, long extension, long a0, long a1) {
  register long r0 __asm__("a0") = a0;
  register long r1 __asm__("a1") = a1;
  register long r6 __asm__("a6") = extension;
  register long r7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(r0) : "r"(r1), "r"(r6), "r"(r7) : "memory");
  return r0;
}
#define MONITOR 0x100101
#define EXIT_CALL 99
#define CALL 96
#define RETURN_CALL 95

__attribute__((noinline)) static int deep(int n) {
  volatile char room[2048];
  room[0] = n;
  return deep(n + 1) + room[0];
}

static long fill(char *text, int length) {
  for (int i = 0; i < length; i++) text[i] = 'x';
  text[length] = 0;
  return length;
}

int EAPP_ENTRY main() {
  unsigned long *args;
  EAPP_RESERVE_REG;
  struct call_enclave_arg_t arg = {0};
  static char key[32], text[600];
  unsigned long server;
  long done = 0;
  int row = SHM[0];
  SHM[1] = 1;
  switch (row) {
  case EXITS: break;
  case LOOPS:
    for (;;)
      ;
  case CALLS:
    arg.req_vaddr = (unsigned long)eapp_mmap(0, 4096);
    arg.req_size = 4096;
    done = call_enclave(acquire_enclave("server"), &arg);
    break;
  case RETURNS_RELAY: eapp_return_relay_page(); break;
  case STORES_NULL: *(volatile int *)0 = 1; break;
  case LOADS_NULL: done = *(volatile int *)8; break;
  case LOADS_KERNEL: done = *(volatile int *)0xffffffd800000000UL; break;
  case LOADS_NOWHERE: done = *(volatile int *)0x2000000000UL; break;
  case STORES_TEXT: *(volatile int *)0x1000 = 1; break;
  case STORES_ERRNO: *(volatile int *)-64L = 1; break;
  case JUMPS: ((void (*)(void))0x40000000)(); break;
  case OVERFLOWS: done = deep(0); break;
  case EBREAKS: __asm__ volatile("ebreak"); break;
  case WAITS: WORD(0x10500073); break;
  case FLOATS: WORD(0x00050053); break;
  case WRITES_SATP: WORD(0x18029073); break;
  case READS_SATP: WORD(0x180022f3); break;
  case ILLEGAL: WORD(0); break;
  case COUNTS: __asm__ volatile("rdcycle t0\nrdtime t0\nsw t0, 1(%0)" ::"r"(key) : "t0", "memory"); break;
  case CALLS_NUMBER: done = ecall(1234, MONITOR, 0, 0); break;
  case CALLS_LINUX: done = ecall(64, 0, 1, 0); break;
  case CALLS_LINUX_IOCTL: done = ecall(29, 0, 1, 0); break;
  case OCALLS_NUMBER: done = EAPP_OCALL(77, 0, 0, 0); break;
  case YIELDS: done = EAPP_YIELD(); break;
  case MAPS_HUGE: done = (long)EAPP_MMAP(OCALL_MMAP, 0, 512UL << 20); break;
  case MAPS_CROOKED: done = (long)EAPP_MMAP(OCALL_MMAP, (void *)0x2000000123UL, 4096); break;
  case MAPS_ODD: done = (long)EAPP_MMAP(OCALL_MMAP, 0, 5000) != 0; break;
  case MAPS_ALL: done = (long)EAPP_MMAP(OCALL_MMAP, 0, 400UL << 20); break;
  case UNMAPS: done = eapp_unmap((void *)0x2000000000UL, 4096); break;
  case GROWS_ODD: done = (long)sbrk(0x123); break;
  case KEYS_TYPE: done = get_key(9, key, 16); break;
  case KEYS_SIZE: done = get_key(0, key, 0); break;
  case PRINTS_FORMAT: eapp_print("100%% of %s\n", "%x"); break;
  case PRINTS_LONG: fill(text, 590), eapp_print("%s\n", text); break;
  case ACQUIRES: done = acquire_enclave("nobody"); break;
  case CALLS_UNCHECKED: done = call_enclave(acquire_enclave("nobody"), &arg); break;
  case CALLS_99: done = call_enclave(99, &arg); break;
  case CALLS_SELF: done = call_enclave(get_enclave_id(), &arg); break;
  case CALLS_CROOKED:
    arg.req_vaddr = 0x2000000123UL, arg.req_size = 4096;
    done = call_enclave(acquire_enclave("server"), &arg);
    break;
  case CALLS_UNMAPPED:
    arg.req_vaddr = 0x2000000000UL, arg.req_size = 4096;
    done = call_enclave(acquire_enclave("server"), &arg);
    break;
  case CALLS_NULL: done = ecall(CALL, MONITOR, acquire_enclave("server"), 0); break;
  case RETURNS_AS_SERVER: done = ecall(RETURN_CALL, MONITOR, (long)&arg, 0); break;
  case EXITS_AS_SERVER: SHM[2] = ecall(EXIT_CALL, MONITOR, 5, 0); SERVER_RETURN(&arg);
  case SERVES:
    arg.req_vaddr = args[11], arg.req_size = args[12];
    SERVER_RETURN(&arg);
  case SERVES_WRONG: arg.req_vaddr = args[11] + 8; SERVER_RETURN(&arg);
  }
  SHM[2] = done;
  EAPP_RETURN(done);
}
