// Handlers with SA_SIGINFO, masks, an alternate stack, interrupted calls, and a handler that repairs a fault.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t seen;
static char *page;
static sigjmp_buf back;

static void count(int number) { seen += number; }
static void repair(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  if (info->si_addr == page + 100) mprotect(page, 4096, PROT_READ | PROT_WRITE);
}
static void leave(int number) { siglongjmp(back, number); }
static void *interrupt_main(void *argument) {
  usleep(20000);
  pthread_kill(*(pthread_t *)argument, SIGUSR2);
  return 0;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction action = {.sa_handler = count};
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  printf("seen %d\n", seen);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR1);
  printf("blocked %d\n", seen);
  sigprocmask(SIG_SETMASK, &old, 0);
  printf("unblocked %d\n", seen);

  page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction fixing = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &fixing, 0);
  page[100] = 5;
  printf("repaired %d\n", page[100]);

  stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&alternate, 0);
  struct sigaction leaving = {.sa_handler = leave, .sa_flags = SA_ONSTACK};
  sigaction(SIGSEGV, &leaving, 0);
  if (sigsetjmp(back, 1) == 0) *(volatile int *)8 = 1;
  printf("left the handler\n");

  struct sigaction plain = {.sa_handler = count};
  sigaction(SIGUSR2, &plain, 0);
  pthread_t self = pthread_self(), other;
  pthread_create(&other, 0, interrupt_main, &self);
  int result = usleep(10000000);
  printf("sleep %d %d\n", result, errno == EINTR);
  pthread_join(other, 0);
  double value = 1.5;
  raise(SIGUSR1);
  printf("double %.2f seen %d\n", value * 2, seen);
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  pipe(ends);
  close(ends[0]);
  printf("epipe %d\n", write(ends[1], "x", 1) < 0 && errno == EPIPE);
  abort();
}
