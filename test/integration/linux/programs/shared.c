// Locks and memory shared by processes; an owner that dies; sockets, pipes and poll between processes; eventfd as a semaphore.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 4
struct area {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  pthread_barrier_t barrier;
  sem_t semaphore;
  int counter, turn, serial;
};
static struct area *area;

static void start(int protocol, int robust) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutex_init(&area->mutex, &attributes);
  area->counter = area->turn = area->serial = 0;
}
static int children(void (*body)(int)) {
  int sum = 0, status;
  for (int i = 0; i < CHILDREN; i++)
    if (fork() == 0) {
      body(i);
      _exit(1);
    }
  for (int i = 0; i < CHILDREN; i++) wait(&status), sum += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
  return sum;
}
static void count(int me) {
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&area->mutex);
    int seen = area->counter;
    if (i % 16 == 0) sched_yield();
    area->counter = seen + 1;
    pthread_mutex_unlock(&area->mutex);
  }
}
static void take_turns(int me) {
  for (int i = 0; i < 10; i++) {
    pthread_mutex_lock(&area->mutex);
    while (area->turn % CHILDREN != me) pthread_cond_wait(&area->condition, &area->mutex);
    area->turn++;
    pthread_cond_broadcast(&area->condition);
    pthread_mutex_unlock(&area->mutex);
  }
}
static void meet(int me) {
  for (int i = 0; i < 5; i++)
    if (pthread_barrier_wait(&area->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&area->serial, 1, __ATOMIC_SEQ_CST);
}

static void locks(void) {
  area = mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++) {
    start(protocol, PTHREAD_MUTEX_STALLED);
    printf("children %d", children(count));
    printf(" counted %d\n", area->counter);
  }
  pthread_condattr_t shared;
  pthread_condattr_init(&shared);
  pthread_condattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&area->condition, &shared);
  start(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
  printf("children %d", children(take_turns));
  printf(" turns %d\n", area->turn);
  pthread_barrierattr_t meeting;
  pthread_barrierattr_init(&meeting);
  pthread_barrierattr_setpshared(&meeting, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&area->barrier, &meeting, CHILDREN);
  printf("children %d", children(meet));
  printf(" serial %d\n", area->serial);
  sem_init(&area->semaphore, 1, 0);
  pid_t child = fork();
  if (child == 0) {
    usleep(1000);
    sem_post(&area->semaphore);
    _exit(0);
  }
  printf("semaphore %d\n", sem_wait(&area->semaphore));
  waitpid(child, NULL, 0);
}

static void dead_owner(void) {
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++)
    for (int killed = 0; killed < 2; killed++) {
      start(protocol, PTHREAD_MUTEX_ROBUST);
      pid_t child = fork();
      if (child == 0) {
        pthread_mutex_lock(&area->mutex);
        area->counter = 1;
        if (killed) pause();
        usleep(3000);
        _exit(0);
      }
      while (!__atomic_load_n(&area->counter, __ATOMIC_SEQ_CST)) usleep(100);
      if (killed) kill(child, SIGKILL);
      printf("protocol %d killed %d: %d", protocol, killed, pthread_mutex_lock(&area->mutex));
      printf(" consistent %d", pthread_mutex_consistent(&area->mutex));
      printf(" unlock %d\n", pthread_mutex_unlock(&area->mutex));
      waitpid(child, NULL, 0);
    }
}

static volatile int broken;
static void onpipe(int number) { broken++; }
static void pipes(void) {
  int p[2];
  static char block[100000];
  pipe(p);
  printf("size %d", fcntl(p[0], F_GETPIPE_SZ));
  printf(" set %d", fcntl(p[0], F_SETPIPE_SZ, 5000));
  printf(" now %d\n", fcntl(p[1], F_GETPIPE_SZ));
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  printf("fill %zd", write(p[1], block, 6000));
  printf(" small %zd", write(p[1], block, 4000));
  int waiting;
  ioctl(p[0], FIONREAD, &waiting);
  printf(" waiting %d\n", waiting);
  fcntl(p[1], F_SETFL, 0);
  close(p[0]), close(p[1]);

  // Whole small writes of several processes, one large one that has to wait for the reader.
  pipe(p);
  for (int i = 0; i < 3; i++)
    if (fork() == 0) {
      char line[512];
      memset(line, 'a' + i, sizeof line);
      for (int j = 0; j < 40; j++) (void)!write(p[1], line, sizeof line);
      _exit(0);
    }
  close(p[1]);
  int mixed = 0, total = 0;
  char line[512];
  for (;;) {
    int have = 0, n;
    while (have < 512 && (n = read(p[0], line + have, 512 - have)) > 0) have += n;
    if (have == 0) break;
    total += have;
    for (int i = 1; i < have; i++) mixed += line[i] != line[0];
  }
  printf("total %d mixed %d\n", total, mixed);
  close(p[0]);
  while (wait(NULL) > 0);
  pipe(p);
  pid_t child = fork();
  if (child == 0) {
    close(p[1]);
    long sum = 0;
    for (int n; (n = read(p[0], block, 7777)) > 0;) sum += n;
    _exit(sum == 300000 ? 3 : 1);
  }
  close(p[0]);
  for (int i = 0; i < 3; i++) printf("wrote %zd\n", write(p[1], block, 100000));
  close(p[1]);
  int status;
  waitpid(child, &status, 0);
  printf("exit %d\n", WEXITSTATUS(status));
  signal(SIGPIPE, onpipe);
  pipe(p);
  close(p[0]);
  struct pollfd look = {.fd = p[1], .events = POLLOUT};
  printf("poll %d", poll(&look, 1, -1));
  printf(" %x", look.revents);
  long n = write(p[1], "x", 1);
  printf(" write %ld %d signals %d\n", n, errno, broken);
}

static void polls(void) {
  int p[2], e = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
  uint64_t value = 0;
  printf("semaphore");
  while (read(e, &value, 8) == 8) printf(" %llu", (unsigned long long)value);
  printf(" %d\n", errno);
  value = -2;
  (void)!write(e, &value, 8);
  struct pollfd full = {.fd = e, .events = POLLIN | POLLOUT};
  poll(&full, 1, 0);
  printf("full %x", full.revents);
  value = 1;
  long n = write(e, &value, 8);
  printf(" %ld %d", n, errno);
  value = -1;
  n = write(e, &value, 8);
  printf(" %ld %d\n", n, errno);
  pipe(p);
  struct pollfd looks[6] = {{-1, POLLIN}, {p[0], POLLIN}, {p[1], POLLOUT}, {99, POLLIN}, {p[0], 0}, {e, POLLRDNORM | POLLWRNORM}};
  n = poll(looks, 6, -1);
  printf("poll %ld:", n);
  for (int i = 0; i < 6; i++) printf(" %x", looks[i].revents);
  printf("\n");
  fd_set in, out, except;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_ZERO(&except);
  FD_SET(p[0], &in), FD_SET(p[1], &out), FD_SET(p[1], &in), FD_SET(e, &in), FD_SET(p[0], &except);
  struct timeval time = {0, 1000};
  n = select(64, &in, &out, &except, &time);
  printf("select %ld: %d %d %d %d %d\n", n, !!FD_ISSET(p[0], &in), !!FD_ISSET(p[1], &out), !!FD_ISSET(p[1], &in),
         !!FD_ISSET(e, &in), !!FD_ISSET(p[0], &except));
  close(p[1]);
  poll(looks + 4, 1, 0);
  printf("hang-up %x", looks[4].revents);
  FD_ZERO(&in);
  FD_SET(p[0], &in);
  n = select(64, &in, NULL, NULL, NULL);
  printf(" select %ld", n);
  FD_SET(70, &in);
  n = select(80, &in, NULL, NULL, NULL);
  printf(" bad %ld %d", n, errno);
  n = poll(NULL, 0, 2);
  printf(" sleep %ld\n", n);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  locks(), dead_owner(), pipes(), polls();
  return 0;
}
