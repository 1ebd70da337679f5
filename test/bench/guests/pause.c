/*
 * pause WHAT    does one thing for ever: what a debugger has to be able to pause.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void loop(void) {
  for (volatile uint64_t i = 0;; i++)
    ;
}

static void floating(void) {
  volatile double x = 1e-310, y = 1.0000001;
  /* Subnormal numbers: the slowest there are. */
  for (;;)
    x = x * y;
}

static void pages(void) {
  enum { PAGES = 16384, PAGE = 4096 };
  for (;;) {
    volatile char *memory = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (long i = 0; i < PAGES; i++)
      memory[i * PAGE] = (char)i;
    munmap((void *)memory, (size_t)PAGES * PAGE);
  }
}

static void calls(void) {
  for (;;)
    syscall(SYS_getppid);
}

static void forks(void) {
  for (;;) {
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
      children[i] = fork();
      if (children[i] == 0) {
        /* Grandchildren, who outlive their parent. */
        if (fork() == 0)
          _exit(0);
        _exit(0);
      }
    }
    for (int i = 0; i < 8; i++)
      waitpid(children[i], NULL, 0);
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"loop", loop}, {"float", floating}, {"pages", pages}, {"calls", calls}, {"forks", forks}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    if (argc > 1 && strcmp(argv[1], cases[i].name) == 0)
      cases[i].run();
  return 2;
}
