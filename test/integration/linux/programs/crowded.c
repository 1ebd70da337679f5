// As many children as there may be, and what happens then.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *volatile memory;

int main(int argc, char **argv) {
  // Memory that is written before and after, so that children need frames of their own.
  size_t size = argc > 1 ? atol(argv[1]) : 4096;
  memory = malloc(size);
  memset(memory, 1, size);
  for (int round = 0; round < 3; round++) {
    int count = 0, reaped = 0, status;
    pid_t pid;
    while ((pid = fork()) > 0) count++;
    if (pid == 0) {
      memset(memory, 2, size);
      for (;;) pause();
    }
    int error = errno;
    printf("%s %s\n", count > 5 ? "many" : "few", error == EAGAIN || error == ENOMEM ? "refused" : strerror(error));
    usleep(300000);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    signal(SIGTERM, SIG_DFL);
    while (wait(&status) > 0) reaped += WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL;
    printf("%d\n", count - reaped);
  }
  return 0;
}
