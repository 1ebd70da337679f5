// Code that becomes other code while it is hot: made by the program itself, through a second mapping, by mprotect, by read(2), by mmap over
// it, in the copy of a child, by a signal's handler and by another thread; and code that is called when it is gone.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define TURNS 40
#define ROUNDS 300

typedef long (*adder)(long rounds, long sum);
enum { WORDS = 5, STEP = 0, BACK = 2 };

// long add(long rounds, long sum) { do sum += step; while (--rounds); return sum; }
static void make(volatile uint32_t *code, int step) {
  code[STEP] = (uint32_t)step << 20 | 11 << 15 | 11 << 7 | 0x13; // addi a1,a1,step
  code[1] = 0xfff50513;                                          // addi a0,a0,-1
  code[BACK] = 0xfe051ce3;                                       // bne a0,zero,-8
  code[3] = 0x00058513;                                          // addi a0,a1,0
  code[4] = 0x00008067;                                          // ret
}
static void fence(void) { __asm__ volatile("fence.i" ::: "memory"); }
static long run(void *code, long sum) { return ((adder)code)(ROUNDS, sum); }
static void *map(int protection, int flags, int file, off_t offset) {
  return mmap(NULL, PAGE, protection, flags, file, offset);
}
static void *anywhere(void) {
  return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void itself(void) {
  void *code = anywhere();
  long sum = 0;
  for (int i = 0; i < TURNS; i++) make(code, i), fence(), sum = run(code, sum);
  printf("itself %ld\n", sum);
}

static void alias(void) {
  int file = memfd_create("code", 0);
  ftruncate(file, 2 * PAGE);
  void *writable = map(PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  void *code = map(PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  long sum = 0;
  for (int i = 0; i < TURNS; i++) make(writable, i), fence(), sum = run(code, sum);
  printf("alias %ld\n", sum);
  make(writable, 1);
  uint32_t words[WORDS];
  make(words, 7);
  pwrite(file, words, sizeof words, PAGE);
  fence();
  sum = 0;
  for (int i = 0; i < TURNS; i++) {
    mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, file, i % 2 * PAGE);
    fence();
    sum = run(code, sum);
  }
  printf("mapped over %ld\n", sum);
}

static void rights(void) {
  void *code = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long sum = 0;
  for (int i = 0; i < TURNS; i++) {
    mprotect(code, PAGE, PROT_READ | PROT_WRITE);
    make(code, i);
    mprotect(code, PAGE, PROT_READ | PROT_EXEC);
    fence();
    sum = run(code, sum);
  }
  printf("rights %ld\n", sum);
}

static void reading(void) {
  int ends[2];
  pipe(ends);
  char *code = anywhere();
  long sum = 0;
  for (int i = 0; i < TURNS; i++) {
    uint32_t words[WORDS];
    make(words, i);
    write(ends[1], words, sizeof words);
    read(ends[0], code, sizeof words);
    fence();
    sum = run(code, sum);
  }
  printf("read %ld\n", sum);
}

static void forked(void) {
  uint32_t *code = anywhere();
  make(code, 1);
  fence();
  long sum = run(code, 0);
  for (int i = 0; i < 8; i++) {
    fflush(stdout);
    if (fork() == 0) {
      long mine = run(code, 0);
      for (int j = 0; j < 10; j++) make(code, i + j), fence(), mine = run(code, mine);
      _exit(mine % 251);
    }
    int status;
    wait(&status);
    make(code, i + 1);
    fence();
    sum = run(code, sum);
    printf("child %d: %d, parent %ld\n", i, WEXITSTATUS(status), sum);
  }
}

static uint32_t *endless;
static int alarms, raised;
static void patch(int signal) {
  if (++alarms < 20) return;
  endless[BACK] = 0x00000013; // nop
  fence();
}
static void note(int signal) { raised++; }

static void signals(void) {
  endless = anywhere();
  make(endless, 1);
  endless[1] = 0x00000013;
  endless[BACK] = 0xff9ff06f; // jal zero,-8
  fence();
  signal(SIGALRM, patch);
  struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &every, NULL);
  long sum = run(endless, 0);
  setitimer(ITIMER_REAL, &never, NULL);
  printf("patched by a handler %d\n", sum > 0 && alarms >= 20);
  signal(SIGUSR1, note);
  unsigned long state = 1;
  for (int i = 0; i < 200; i++) {
    for (int j = 0; j < 50; j++) state = state * 31 + j;
    raise(SIGUSR1);
  }
  printf("raised %d, state %lx\n", raised, state);
}

static void *turning(void *sum) {
  *(long *)sum = run(endless, 0);
  return NULL;
}
static void threads(void) {
  pthread_t thread;
  long sum = 0;
  endless[BACK] = 0xff9ff06f;
  fence();
  pthread_create(&thread, NULL, turning, &sum);
  usleep(3000);
  endless[BACK] = 0x00000013;
  fence();
  pthread_join(thread, NULL);
  printf("patched by a thread %d\n", sum > 0);
}

static sigjmp_buf back;
static void fault(int signal) { siglongjmp(back, signal); }
static void gone(const char *name, int first, int last) {
  signal(SIGSEGV, fault);
  signal(SIGILL, fault);
  char *code = anywhere();
  volatile long sum = 0;
  volatile long faults = 0;
  volatile int way = first;
  for (volatile int i = 0; i < 12; i++, way = way == last ? first : way + 1) {
    make((uint32_t *)code, i);
    fence();
    sum = run(code, sum);
    if (way == 0) mprotect(code, PAGE, PROT_READ | PROT_WRITE);
    if (way == 1) munmap(code, PAGE);
    if (way == 2) memset(code, 0, PAGE), fence();
    if (way == 3) madvise(code, PAGE, MADV_DONTNEED), fence();
    int signal = sigsetjmp(back, 1);
    if (signal == 0) sum = run(code, sum);
    else faults = faults * 10 + (signal == SIGSEGV ? 1 : 2);
    if (way == 1) mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  }
  printf("%s %ld, faults %ld\n", name, sum, faults);
}

int main(void) {
  itself(), alias(), rights(), reading(), forked(), signals(), threads(), gone("gone", 0, 2), gone("given back", 3, 3);
  return 0;
}
