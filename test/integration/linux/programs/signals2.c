// Signals between processes and threads: siginfo of children, realtime queues, waiting for signals, restarts, groups, exec from a thread.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, long got, long wanted) {
  if (got == wanted) printf("%s: ok\n", what);
  else printf("%s: got %ld, not %ld (errno %d)\n", what, got, wanted, errno);
  fflush(stdout);
}

static volatile int order[64], seen;
static siginfo_t last;
static void note(int number, siginfo_t *info, void *context) {
  if (seen < 64) order[seen++] = number * 1000 + (info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
  last = *info;
}
static void handle(int number, int flags) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
  sigaction(number, &action, 0);
}
static sigset_t set_of(int a, int b) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, a);
  if (b) sigaddset(&set, b);
  return set;
}

static void children(void) {
  handle(SIGCHLD, 0);
  pid_t child = fork();
  if (child == 0) exit(9);
  while (seen == 0) pause();
  check("SIGCHLD code", last.si_code, CLD_EXITED);
  check("SIGCHLD status", last.si_status, 9);
  check("SIGCHLD pid", last.si_pid, child);
  wait(0);
  seen = 0;
  child = fork();
  if (child == 0) for (;;) pause();
  kill(child, SIGSTOP);
  while (seen == 0) pause();
  check("CLD_STOPPED", last.si_code, CLD_STOPPED);
  check("by", last.si_status, SIGSTOP);
  seen = 0;
  kill(child, SIGCONT);
  while (seen == 0) pause();
  check("CLD_CONTINUED", last.si_code, CLD_CONTINUED);
  seen = 0;
  handle(SIGCHLD, SA_NOCLDSTOP);
  int status;
  kill(child, SIGSTOP);
  check("stopped", waitpid(child, &status, WUNTRACED), child);
  check("not told", seen, 0);
  kill(child, SIGKILL);
  check("killed", waitpid(child, &status, 0), child);
  check("CLD_KILLED", last.si_code * 100 + last.si_status, CLD_KILLED * 100 + SIGKILL);
  seen = 0;
  struct sigaction none = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NOCLDWAIT};
  sigaction(SIGCHLD, &none, 0);
  child = fork();
  if (child == 0) exit(1);
  check("SA_NOCLDWAIT", waitpid(child, &status, 0), -1);
  check("its errno", errno, ECHILD);
  signal(SIGCHLD, SIG_DFL);
  sigset_t block = set_of(SIGCHLD, 0);
  siginfo_t info;
  sigprocmask(SIG_BLOCK, &block, 0);
  child = fork();
  if (child == 0) exit(4);
  check("sigwaitinfo of SIGCHLD", sigwaitinfo(&block, &info), SIGCHLD);
  check("its status", info.si_status, 4);
  wait(0);
  sigprocmask(SIG_UNBLOCK, &block, 0);
  seen = 0;
}

static void queues(void) {
  sigset_t all = set_of(SIGRTMIN, SIGRTMIN + 1);
  sigaddset(&all, SIGUSR1);
  handle(SIGRTMIN, 0), handle(SIGRTMIN + 1, 0), handle(SIGUSR1, 0);
  sigprocmask(SIG_BLOCK, &all, 0);
  for (int i = 1; i <= 3; i++) {
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 10 + i});
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 20 + i});
  }
  struct timespec none = {0, 0};
  siginfo_t info;
  check("sigtimedwait takes the lowest", sigtimedwait(&all, &info, &none), SIGUSR1);
  check("the first of its kind", info.si_value.sival_int, 21);
  check("realtime in order", sigtimedwait(&all, &info, &none) * 100 + info.si_value.sival_int, SIGRTMIN * 100 + 11);
  sigprocmask(SIG_UNBLOCK, &all, 0);
  check("the rest is delivered", seen, 5);
  // The last one is handled first: frames lie on one another, each interrupted at its start.
  int sum = 0;
  for (int i = 0; i < 5; i++) sum += order[i] % 1000;
  check("with their values", sum, 12 + 13 + 1 + 2 + 3);
  seen = 0;
}

static void *interrupter(void *target) {
  usleep(2000);
  pthread_kill(*(pthread_t *)target, SIGUSR2);
  return 0;
}
static int ends[2];
static void *writer(void *target) {
  usleep(2000);
  pthread_kill(*(pthread_t *)target, SIGUSR2);
  usleep(2000);
  write(ends[1], "x", 1);
  return 0;
}

static void restarts(void) {
  pthread_t self = pthread_self(), other;
  char byte;
  pipe(ends);
  handle(SIGUSR2, 0);
  pthread_create(&other, 0, interrupter, &self);
  check("read is interrupted", read(ends[0], &byte, 1), -1);
  check("EINTR", errno, EINTR);
  pthread_join(other, 0);
  handle(SIGUSR2, SA_RESTART);
  pthread_create(&other, 0, writer, &self);
  check("read is restarted", read(ends[0], &byte, 1), 1);
  pthread_join(other, 0);
  pthread_create(&other, 0, interrupter, &self);
  struct timespec time = {10, 0}, left;
  check("nanosleep is interrupted", nanosleep(&time, &left), -1);
  check("and says what is left", left.tv_sec, 9);
  pthread_join(other, 0);
  check("handlers ran", seen, 3);
  // Stopped and continued, a sleep ends when it would have.
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  pid_t child = fork();
  if (child == 0) {
    struct timespec nap = {0, 20000000};
    exit(nanosleep(&nap, 0) == 0 ? 0 : 1);
  }
  int status;
  usleep(1000);
  kill(child, SIGSTOP);
  waitpid(child, &status, WUNTRACED);
  kill(child, SIGCONT);
  waitpid(child, &status, 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  check("a stopped sleep is no error", status, 0);
  long took = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  check("and takes its time", took >= 19 && took < 60, 1);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  check("EPIPE", write(ends[1], "x", 1), -1);
  signal(SIGPIPE, SIG_DFL);
  child = fork();
  if (child == 0) {
    write(ends[1], "x", 1);
    exit(1);
  }
  waitpid(child, &status, 0);
  check("SIGPIPE", status, SIGPIPE);
  close(ends[1]);
  seen = 0;
}

static void groups(void) {
  int status, count = 0;
  pid_t leader = 0;
  for (int i = 0; i < 3; i++) {
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    if (i == 0) leader = pid;
    setpgid(pid, leader);
  }
  check("a group", getpgid(leader), leader);
  check("kill a group", kill(-leader, SIGTERM), 0);
  while (waitpid(-leader, &status, 0) > 0) count += WTERMSIG(status) == SIGTERM;
  check("all of them", count, 3);
  check("nobody left", kill(-leader, 0), -1);
  check("setsid of a leader", setsid(), -1);
  check("no such process", getsid(99999), -1);
  pid_t child = fork();
  if (child == 0) exit(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid() ? 0 : 1);
  waitpid(child, &status, 0);
  check("setsid", status, 0);
}

static char *path;
static void *execute(void *unused) {
  execl(path, path, "alone", (char *)0);
  return 0;
}
static void *linger(void *unused) {
  for (;;) pause();
}
static void *spin(void *unused) {
  for (;;) {}
}

static void threads(void) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    pthread_t a, b, c;
    pthread_create(&a, 0, linger, 0);
    pthread_create(&b, 0, spin, 0);
    pthread_create(&c, 0, execute, 0);
    pthread_join(c, 0);
    exit(1);
  }
  waitpid(child, &status, 0);
  check("a thread executes", WEXITSTATUS(status), 5);
  child = fork();
  if (child == 0) {
    pthread_t a;
    pthread_create(&a, 0, linger, 0);
    usleep(1000);
    raise(SIGABRT);
  }
  waitpid(child, &status, 0);
  check("abort ends all threads", status, SIGABRT);
  child = fork();
  if (child == 0) {
    pthread_t a;
    pthread_create(&a, 0, (void *(*)(void *))usleep, (void *)3000);
    syscall(SYS_exit, 7);
  }
  waitpid(child, &status, 0);
  check("the last thread's status counts", WIFEXITED(status), 1);
  child = fork();
  if (child == 0) *(volatile int *)8 = 1;
  waitpid(child, &status, 0);
  check("a fault", status, SIGSEGV);
}

int main(int argc, char **argv) {
  path = argv[0];
  if (argc > 1) {
    char name[64] = {0};
    readlink("/proc/self/exe", name, 63);
    return getpid() == syscall(SYS_gettid) ? 5 : 6;
  }
  children();
  queues();
  restarts();
  groups();
  threads();
  return 0;
}
