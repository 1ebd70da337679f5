// Processes: fork trees, memory of their own, pipes between them, every way to wait, exec, vfork, posix_spawn, system, popen.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int value = 1;
static char self[64];

static void check(const char *what, long got, long wanted) {
  if (got == wanted) printf("%s: ok\n", what);
  else printf("%s: got %ld, not %ld (errno %d)\n", what, got, wanted, errno);
  fflush(stdout);
}

static void own_memory(void) {
  int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {
    value = 2;
    shared[0] = getppid() == parent && getpid() != parent;
    shared[1] = 17;
    exit(value + 5);
  }
  int status;
  check("wait names the child", waitpid(child, &status, 0), child);
  check("exit status", WIFEXITED(status) ? WEXITSTATUS(status) : -1, 7);
  check("the parent's variable", value, 1);
  check("the child knew its parent", shared[0], 1);
  check("shared memory", shared[1], 17);
  check("no child left", wait(&status), -1);
  check("no child left, errno", errno, ECHILD);
  munmap(shared, 4096);
}

/** Every process of a tree adds its leaves. */
static int tree(int depth) {
  if (depth == 0) return 1;
  int sum = 0;
  for (int i = 0; i < 2; i++)
    if (fork() == 0) exit(tree(depth - 1));
  for (int i = 0; i < 2; i++) {
    int status;
    if (wait(&status) > 0 && WIFEXITED(status)) sum += WEXITSTATUS(status);
  }
  return sum;
}

static void pipeline(void) {
  int first[2], second[2];
  char text[64] = {0};
  pipe(first);
  pipe(second);
  if (fork() == 0) {
    close(first[0]);
    for (int i = 0; i < 1000; i++) dprintf(first[1], "%d\n", i);
    exit(0);
  }
  if (fork() == 0) {
    close(first[1]);
    FILE *in = fdopen(first[0], "r");
    long sum = 0, n;
    while (fscanf(in, "%ld", &n) == 1) sum += n;
    dprintf(second[1], "%ld", sum);
    exit(0);
  }
  close(first[0]);
  close(first[1]);
  close(second[1]);
  ssize_t got = 0, count;
  while ((count = read(second[0], text + got, sizeof text - got)) > 0) got += count;
  check("a pipeline", atol(text), 499500);
  close(second[0]);
  while (wait(0) > 0) {}
}

static void waits(void) {
  int status;
  siginfo_t info;
  pid_t slow = fork();
  if (slow == 0) {
    usleep(20000);
    exit(3);
  }
  check("WNOHANG", waitpid(slow, &status, WNOHANG), 0);
  memset(&info, 1, sizeof info);
  check("waitid WNOHANG", waitid(P_PID, slow, &info, WEXITED | WNOHANG), 0);
  check("waitid WNOHANG pid", info.si_pid, 0);
  check("waitid WNOWAIT", waitid(P_PID, slow, &info, WEXITED | WNOWAIT), 0);
  check("si_code", info.si_code, CLD_EXITED);
  check("si_status", info.si_status, 3);
  check("a zombie takes a signal", kill(slow, SIGKILL), 0);
  check("a zombie has a group", getpgid(slow), getpgrp());
  struct rusage usage;
  check("wait4", wait4(slow, &status, 0, &usage), slow);
  check("it is gone", kill(slow, 0), -1);
  pid_t killed = fork();
  if (killed == 0) for (;;) pause();
  kill(killed, SIGTERM);
  check("wait killed", waitpid(0, &status, 0), killed);
  check("its signal", WIFSIGNALED(status) ? WTERMSIG(status) : -1, SIGTERM);
  pid_t other = fork();
  if (other == 0) {
    setpgid(0, 0);
    usleep(1000);
    exit(4);
  }
  setpgid(other, other);
  check("wait for no such group", waitpid(-12345, &status, 0), -1);
  check("wait for a group", waitpid(-other, &status, 0), other);
  check("wait for another's child", waitpid(1, &status, 0), -1);
  check("bad options", waitpid(-1, &status, 0x100), -1);
  check("bad options, errno", errno, EINVAL);
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) exit(1);
  check("children that are not cared for", wait(&status), -1);
  check("their errno", errno, ECHILD);
  signal(SIGCHLD, SIG_DFL);
}

static void orphans(void) {
  int ends[2];
  char answer = 0;
  pipe(ends);
  pid_t middle = fork();
  if (middle == 0) {
    pid_t mine = getpid();
    if (fork() == 0) {
      while (getppid() == mine) usleep(1000);
      answer = getppid() == 1 ? 'y' : 'n';
      write(ends[1], &answer, 1);
      exit(0);
    }
    exit(0);
  }
  waitpid(middle, 0, 0);
  close(ends[1]);
  read(ends[0], &answer, 1);
  close(ends[0]);
  check("an orphan's parent is init", answer, 'y');
}

static void executes(void) {
  int status;
  pid_t child = vfork();
  if (child == 0) {
    value = 9;
    execl(self, "fork", "echo", "one two", "three", (char *)0);
    _exit(99);
  }
  check("vfork shares memory", value, 9);
  value = 1;
  waitpid(child, &status, 0);
  check("exec status", WEXITSTATUS(status), 3);
  char *argv[] = {"fork", "env", 0};
  char *envp[] = {"NAME=value", 0};
  check("posix_spawn", posix_spawn(&child, self, 0, 0, argv, envp), 0);
  waitpid(child, &status, 0);
  check("spawned status", WEXITSTATUS(status), 0);
  check("posix_spawn of nothing", posix_spawn(&child, "/no/such/file", 0, 0, argv, envp), ENOENT);
  child = fork();
  if (child == 0) {
    execl("/home", "home", (char *)0);
    if (errno != EACCES) exit(1);
    execl("/home/data", "data", (char *)0);
    if (errno != EACCES) exit(2);
    execl("/home/text", "text", (char *)0);
    if (errno != ENOEXEC) exit(3);
    execl("/home/loop", "loop", (char *)0);
    exit(errno == ELOOP ? 0 : 4);
  }
  waitpid(child, &status, 0);
  check("what can't be executed", WEXITSTATUS(status), 0);
  child = fork();
  if (child == 0) {
    execl("/home/script", "ignored", "last", (char *)0);
    exit(99);
  }
  waitpid(child, &status, 0);
  check("a script", WEXITSTATUS(status), 3);
  int kept = open("/home/data", O_RDONLY), closed = open("/home/data", O_RDONLY | O_CLOEXEC);
  char a[16], b[16];
  sprintf(a, "%d", kept);
  sprintf(b, "%d", closed);
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, (void (*)(int))check);
  child = fork();
  if (child == 0) {
    execl(self, "fork", "inherit", a, b, (char *)0);
    exit(99);
  }
  waitpid(child, &status, 0);
  check("what exec keeps", WEXITSTATUS(status), 0);
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
  close(kept);
  close(closed);
  size_t size = 200000;
  char *large = malloc(size);
  memset(large, 'x', size);
  large[size - 1] = 0;
  child = fork();
  if (child == 0) {
    execl(self, "fork", "length", large, (char *)0);
    if (errno != E2BIG) exit(98);
    large[100000] = 0;
    execl(self, "fork", "length", large, large, large, (char *)0);
    exit(99);
  }
  waitpid(child, &status, 0);
  check("long arguments", WEXITSTATUS(status), 0);
}

static int child_main(int argc, char **argv) {
  if (strcmp(argv[1], "echo") == 0) {
    for (int i = 1; i < argc; i++) printf("[%s]", argv[i]);
    printf("\n");
    return argc - 1;
  }
  if (strcmp(argv[1], "env") == 0) {
    for (char **at = environ; *at; at++) puts(*at);
    return 0;
  }
  if (strcmp(argv[1], "length") == 0) return strlen(argv[2]) == 100000 && strlen(argv[4]) == 100000 ? 0 : 1;
  if (strcmp(argv[1], "inherit") == 0) {
    struct sigaction action;
    if (fcntl(atoi(argv[2]), F_GETFD) < 0) return 1;
    if (fcntl(atoi(argv[3]), F_GETFD) >= 0) return 2;
    sigaction(SIGUSR1, 0, &action);
    if (action.sa_handler != SIG_IGN) return 3;
    sigaction(SIGUSR2, 0, &action);
    return action.sa_handler == SIG_DFL ? 0 : 4;
  }
  return 100;
}

int main(int argc, char **argv) {
  if (argc > 1) return child_main(argc, argv);
  readlink("/proc/self/exe", self, sizeof self - 1);
  setvbuf(stdout, 0, _IOLBF, 0);
  own_memory();
  check("a tree of 15 processes", tree(3), 8);
  pipeline();
  waits();
  orphans();
  executes();
  return 0;
}
