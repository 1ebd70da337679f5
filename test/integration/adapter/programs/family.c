// A host of several processes: a child by fork, a program executed in a child, a child that is stopped.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int value = 1;

static int work(int number) {
  value += number;
  return value * 2; // bp: work
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "again") == 0) {
    int result = work(40);
    return result == 82 ? 3 : 1; // bp: again
  }
  int status, ends[2];
  pipe(ends);
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(ends[1]);
    int result = work(20);
    read(ends[0], &byte, 1);
    exit(result == 42 ? 2 : 1);
  }
  close(ends[0]);
  int mine = work(10);
  close(ends[1]);
  waitpid(child, &status, 0);
  printf("child %d, %d\n", WEXITSTATUS(status), mine); // bp: waited
  child = vfork();
  if (child == 0) {
    execl(argv[0], argv[0], "again", (char *)0);
    _exit(99);
  }
  waitpid(child, &status, 0);
  printf("again %d, %d\n", WEXITSTATUS(status), value); // bp: end
  return 0;
}
