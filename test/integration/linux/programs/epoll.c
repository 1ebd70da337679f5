// epoll(7): level and edge triggering, one-shot, removal, nesting; what each wait reports, and in which order.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

/** A result, or the error number below zero. */
static int result(int value) { return value < 0 ? -errno : value; }
static int add(int ep, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
}
static int modify(int ep, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event);
}
static void show(const char *what, int ep, int max) {
  struct epoll_event events[16];
  int n = epoll_wait(ep, events, max, 0);
  printf("%s: %d", what, n);
  for (int i = 0; i < n; i++) printf(" %llu:%x", (unsigned long long)events[i].data.u64, events[i].events);
  printf("\n");
}

static int pipes[2];
static void *writer(void *arg) {
  usleep(2000);
  (void)!write(pipes[1], "late", 4);
  return NULL;
}
static void *closer(void *arg) {
  usleep(2000);
  close(pipes[1]);
  return NULL;
}
static volatile int alarms;
static void onalarm(int number) { alarms++; }

static void levels(void) {
  int ep = epoll_create1(EPOLL_CLOEXEC), p[2], q[2];
  pipe(p), pipe(q);
  printf("add %d %d\n", add(ep, p[0], EPOLLIN, 1), add(ep, q[0], EPOLLIN, 2));
  printf("again %d\n", result(add(ep, p[0], EPOLLIN, 1)));
  show("nothing", ep, 8);
  (void)!write(q[1], "q", 1), (void)!write(p[1], "pp", 2);
  show("both, as they came", ep, 8);
  show("one of two", ep, 1);
  show("the other one", ep, 1);
  char c;
  (void)!read(p[0], &c, 1);
  show("still both", ep, 8);
  (void)!read(p[0], &c, 1), (void)!read(q[0], &c, 1);
  show("drained", ep, 8);
  close(p[1]);
  show("hang-up", ep, 8);
  close(p[0]);
  show("closed", ep, 8);
  printf("mod %d\n", result(modify(ep, p[0], EPOLLIN, 1)));
  add(ep, q[1], EPOLLOUT, 3);
  show("room", ep, 8);
  close(q[0]);
  show("no reader", ep, 8);
  close(q[1]), close(ep);
}

static void edges(void) {
  int ep = epoll_create1(0), p[2], ev = eventfd(0, EFD_NONBLOCK);
  pipe2(p, O_NONBLOCK);
  char c[8];
  (void)!write(p[1], "x", 1);
  add(ep, p[0], EPOLLIN | EPOLLET, 1);
  show("was there", ep, 8);
  show("no news", ep, 8);
  (void)!write(p[1], "y", 1);
  show("news", ep, 8);
  (void)!read(p[0], c, 1);
  show("reading is no news", ep, 8);
  modify(ep, p[0], EPOLLIN | EPOLLET, 4);
  show("modified", ep, 8);
  add(ep, ev, EPOLLIN | EPOLLOUT | EPOLLET, 2);
  show("eventfd", ep, 8);
  uint64_t one = 1;
  (void)!write(ev, &one, 8);
  (void)!write(ev, &one, 8);
  show("eventfd written", ep, 8);
  (void)!read(ev, &one, 8);
  printf("value %llu\n", (unsigned long long)one);
  add(ep, p[1], EPOLLOUT | EPOLLONESHOT, 5);
  show("once", ep, 8);
  show("not twice", ep, 8);
  modify(ep, p[1], EPOLLOUT | EPOLLONESHOT, 6);
  show("armed again", ep, 8);
  int twin = dup(p[0]);
  close(p[0]);
  (void)!write(p[1], "z", 1);
  show("a duplicate keeps it", ep, 8);
  close(twin);
  show("gone", ep, 8);
  close(ep), close(ev), close(p[1]);
}

static void nesting(void) {
  int e[8], p[2];
  pipe(p);
  for (int i = 0; i < 8; i++) e[i] = epoll_create1(0);
  for (int i = 0; i < 7; i++) {
    int result = add(e[i + 1], e[i], EPOLLIN, i);
    printf("nest %d: %d %d\n", i, result, result ? errno : 0);
  }
  printf("loop %d\n", result(add(e[0], e[1], EPOLLIN, 9)));
  printf("self %d\n", result(add(e[0], e[0], EPOLLIN, 9)));
  printf("pipe %d\n", add(e[0], p[0], EPOLLIN, 42));
  show("outer", e[2], 8);
  (void)!write(p[1], "n", 1);
  show("outer", e[2], 8);
  show("middle", e[1], 8);
  show("inner", e[0], 8);
  struct pollfd look = {.fd = e[3], .events = POLLIN};
  printf("poll %d", poll(&look, 1, 0));
  printf(" %x\n", look.revents);
  char c;
  (void)!read(p[0], &c, 1);
  show("outer", e[2], 8);
  printf("file %d\n", result(add(e[0], fileno(fopen("/proc/self/exe", "r")), EPOLLIN, 1)));
  printf("bad %d\n", result(add(e[0], 99, EPOLLIN, 1)));
  printf("no epoll %d\n", result(add(p[0], p[1], EPOLLIN, 1)));
  printf("exclusive %d\n", result(add(e[7], p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1)));
  printf("exclusive %d\n", add(e[7], p[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
  printf("exclusive %d\n", result(modify(e[7], p[0], EPOLLIN, 1)));
  struct epoll_event event;
  printf("zero %d\n", result(epoll_wait(e[0], &event, 0, 0)));
  printf("delete %d\n", epoll_ctl(e[7], EPOLL_CTL_DEL, p[0], NULL));
  printf("delete %d\n", result(epoll_ctl(e[7], EPOLL_CTL_DEL, p[0], NULL)));
}

static void waiting(void) {
  int ep = epoll_create1(0);
  struct epoll_event event;
  pthread_t thread;
  pipe(pipes);
  add(ep, pipes[0], EPOLLIN, 7);
  pthread_create(&thread, NULL, writer, NULL);
  printf("wait %d", epoll_wait(ep, &event, 1, -1));
  printf(" %llu:%x\n", (unsigned long long)event.data.u64, event.events);
  pthread_join(thread, NULL);
  char text[8];
  (void)!read(pipes[0], text, 8);
  printf("timeout %d\n", epoll_wait(ep, &event, 1, 3));
  pthread_create(&thread, NULL, closer, NULL);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ep, &set);
  printf("select %d", select(ep + 1, &set, NULL, NULL, NULL));
  printf(" %d", FD_ISSET(ep, &set) != 0);
  printf(" %d", epoll_wait(ep, &event, 1, -1));
  printf(" %x\n", event.events);
  pthread_join(thread, NULL);

  struct sigaction action = {.sa_handler = onalarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  int quiet = epoll_create1(0);
  ualarm(3000, 0);
  int n = epoll_wait(quiet, &event, 1, -1);
  printf("signal %d %d %d\n", n, errno, alarms);
  sigset_t none, block;
  sigemptyset(&none), sigemptyset(&block), sigaddset(&block, SIGALRM);
  sigprocmask(SIG_BLOCK, &block, NULL);
  ualarm(1000, 0);
  usleep(3000);
  printf("blocked %d\n", alarms);
  n = epoll_pwait(quiet, &event, 1, -1, &none);
  printf("pwait %d %d %d\n", n, errno, alarms);
  ualarm(1000, 0);
  n = ppoll(NULL, 0, &(struct timespec){.tv_sec = 5}, &none);
  printf("ppoll %d %d %d\n", n, errno, alarms);
  sigprocmask(SIG_UNBLOCK, &block, NULL);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  levels(), edges(), nesting(), waiting();
  return 0;
}
