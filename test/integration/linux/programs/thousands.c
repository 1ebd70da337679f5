/* Many threads that all wait for one thing, again and again; argv[1] says how many. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int count, arrived, words[4], pipes[2];
static struct timespec deadline, later;

static long futex(int *word, int op, int value, long value2, int *other, int value3) {
  return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, value2, other, value3);
}

static void arrive(void) { __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST); }

static void await(int *word) {
  arrive();
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) futex(word, FUTEX_WAIT, 0, 0, 0, 0);
}

static void *thread(void *argument) {
  char byte;
  await(&words[0]);
  arrive();
  if (__atomic_load_n(&words[1], __ATOMIC_SEQ_CST) == 0) futex(&words[1], FUTEX_WAIT, 0, 0, 0, 0);
  await(&words[3]);
  arrive();
  if (read(pipes[0], &byte, 1) != 0) abort();
  arrive();
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, 0);
  arrive();
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &later, 0);
  arrive();
  for (;;) pause();
}

/* All have come to stage `number`, and most have begun to wait. */
static void all(int number) {
  while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < count * number) sched_yield();
  for (int i = 0; i < 4; i++) sched_yield();
}

static void in(struct timespec *when, long ms) {
  clock_gettime(CLOCK_MONOTONIC, when);
  when->tv_nsec += ms * 1000000;
  when->tv_sec += when->tv_nsec / 1000000000;
  when->tv_nsec %= 1000000000;
}

static void set(int *word) {
  __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
  futex(word, FUTEX_WAKE, 1 << 30, 0, 0, 0);
}

static void child(void) {
  pthread_attr_t attributes;
  pthread_t id;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 16384);
  pthread_attr_setguardsize(&attributes, 0);
  if (pipe(pipes)) abort();
  for (int i = 0; i < count; i++)
    if (pthread_create(&id, &attributes, thread, 0)) abort();
  all(1);
  set(&words[0]);
  puts("woken");
  all(2);
  __atomic_store_n(&words[1], 1, __ATOMIC_SEQ_CST);
  long moved = futex(&words[1], FUTEX_CMP_REQUEUE, 1, 1 << 30, &words[2], 1);
  printf("%s\n", moved > count / 2 ? "moved" : "too few moved");
  futex(&words[2], FUTEX_WAKE, 1 << 30, 0, 0, 0);
  all(3);
  set(&words[3]);
  all(4);
  in(&deadline, 40);
  close(pipes[1]);
  puts("end of file");
  all(5);
  in(&later, 100);
  all(6);
  puts("slept");
  kill(getpid(), SIGSTOP);
  all(7);
  puts("continued");
  kill(getpid(), SIGKILL);
}

int main(int argc, char **argv) {
  int status;
  setvbuf(stdout, 0, _IONBF, 0);
  count = atoi(argv[1]);
  pid_t pid = fork();
  if (pid == 0) child();
  waitpid(pid, &status, WUNTRACED);
  printf("stopped %d\n", WIFSTOPPED(status));
  usleep(300000);
  kill(pid, SIGCONT);
  waitpid(pid, &status, 0);
  printf("killed by %d\n", WTERMSIG(status));
  return 0;
}
