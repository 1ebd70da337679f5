// timerfd, POSIX timers, interval timers and signalfd: order and counts, never exact times.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const long MS = 1000000;
static struct itimerspec every(long first, long interval) {
  return (struct itimerspec){{interval / 1000000000, interval % 1000000000}, {first / 1000000000, first % 1000000000}};
}

static void timerfds(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  uint64_t count = 0;
  printf("unset %zd %d\n", read(fd, &count, 8), errno);
  struct itimerspec set = every(3 * MS, 0), old;
  printf("set %d\n", timerfd_settime(fd, 0, &set, &old));
  printf("old %ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec);
  struct pollfd look = {.fd = fd, .events = POLLIN};
  printf("early %d\n", poll(&look, 1, 0));
  printf("poll %d", poll(&look, 1, -1));
  printf(" %x\n", look.revents);
  printf("read %zd %llu\n", read(fd, &count, 8), (unsigned long long)count);
  timerfd_gettime(fd, &old);
  printf("off %ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec);
  set = every(2 * MS, 2 * MS);
  timerfd_settime(fd, 0, &set, NULL);
  usleep(11000);
  printf("several %zd %d\n", read(fd, &count, 8), count >= 5);
  int short_read = read(fd, &count, 4);
  printf("short %d %d\n", short_read, errno);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int real = timerfd_create(CLOCK_REALTIME, 0);
  set = every(0, 0);
  set.it_value = now;
  set.it_value.tv_nsec += 4 * MS;
  if (set.it_value.tv_nsec >= 1000000000) set.it_value.tv_sec++, set.it_value.tv_nsec -= 1000000000;
  timerfd_settime(real, TFD_TIMER_ABSTIME, &set, NULL);
  printf("absolute %zd", read(real, &count, 8));
  printf(" %llu\n", (unsigned long long)count);
  struct timespec after;
  clock_gettime(CLOCK_REALTIME, &after);
  printf("not before %d\n", after.tv_sec > set.it_value.tv_sec ||
                                (after.tv_sec == set.it_value.tv_sec && after.tv_nsec >= set.it_value.tv_nsec));
  set = every(1, 0), set.it_value.tv_nsec = 1000000000;
  int bad = timerfd_settime(real, 0, &set, NULL);
  printf("bad %d %d\n", bad, errno);
  bad = timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0);
  printf("bad clock %d %d\n", bad, errno);

  int ep = epoll_create1(0);
  int timers[3];
  for (int i = 0; i < 3; i++) {
    timers[i] = timerfd_create(CLOCK_MONOTONIC, 0);
    set = every((9 - 3 * i) * MS, 0);
    timerfd_settime(timers[i], 0, &set, NULL);
    epoll_ctl(ep, EPOLL_CTL_ADD, timers[i], &(struct epoll_event){.events = EPOLLIN | EPOLLET, .data.u32 = i});
  }
  for (int i = 0; i < 3; i++) {
    struct epoll_event event;
    int n = epoll_wait(ep, &event, 1, -1);
    printf("timer %d %u\n", n, event.data.u32);
  }
  close(ep), close(fd), close(real);
}

static volatile int ticks, values[8], threads_seen;
static pid_t receiver;
static void tick(int number, siginfo_t *info, void *context) {
  if (ticks < 8) values[ticks] = info->si_code == SI_TIMER ? info->si_value.sival_int : -1;
  threads_seen += syscall(SYS_gettid) == receiver;
  ticks++;
}
static void *notified(void *arg) { return NULL; }
static volatile int called;
static void notify(union sigval value) { __atomic_add_fetch(&called, value.sival_int, __ATOMIC_SEQ_CST); }

static void posix(void) {
  struct sigaction action = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
  timer_t a, b;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 11};
  printf("create %d\n", timer_create(CLOCK_MONOTONIC, &event, &a));
  event.sigev_value.sival_int = 22;
  timer_create(CLOCK_REALTIME, &event, &b);
  struct itimerspec set = every(6 * MS, 0), old;
  timer_settime(a, 0, &set, NULL);
  set = every(2 * MS, 0);
  timer_settime(b, 0, &set, NULL);
  while (ticks < 2) pause();
  printf("values %d %d\n", values[0], values[1]);
  timer_gettime(a, &old);
  printf("done %ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec);

  sigset_t block;
  sigemptyset(&block), sigaddset(&block, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &block, NULL);
  set = every(1 * MS, 1 * MS);
  timer_settime(a, 0, &set, NULL);
  usleep(10000);
  siginfo_t info;
  int number = sigwaitinfo(&block, &info);
  printf("waited %d code %d value %d overrun %d %d\n", number == SIGRTMIN, info.si_code, info.si_value.sival_int,
         info.si_overrun >= 8, timer_getoverrun(a) == info.si_overrun);
  set = every(0, 0);
  timer_settime(a, 0, &set, NULL);
  struct timespec soon = {0, 3 * MS};
  while (sigtimedwait(&block, &info, &soon) > 0);
  printf("stopped %d\n", errno);
  sigprocmask(SIG_UNBLOCK, &block, NULL);

  receiver = syscall(SYS_gettid);
  ticks = threads_seen = 0;
  struct sigevent direct = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
  direct._sigev_un._tid = receiver;
  timer_create(CLOCK_MONOTONIC, &direct, &b);
  set = every(1 * MS, 1 * MS);
  timer_settime(b, 0, &set, NULL);
  while (ticks < 5) pause();
  printf("to the thread %d\n", threads_seen >= 5);
  printf("delete %d %d", timer_delete(a), timer_delete(b));
  printf(" %d\n", timer_delete(b));

  struct sigevent calls = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 3};
  printf("thread %d\n", timer_create(CLOCK_MONOTONIC, &calls, &a));
  set = every(2 * MS, 0);
  timer_settime(a, 0, &set, NULL);
  while (called == 0) usleep(1000);
  printf("called %d\n", called);
  timer_delete(a);

  ticks = 0;
  struct itimerval interval = {{0, 2000}, {0, 1000}}, before;
  setitimer(ITIMER_REAL, &interval, NULL);
  while (ticks < 4) pause();
  interval = (struct itimerval){{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &interval, &before);
  printf("interval %ld %ld left %d\n", before.it_interval.tv_sec, before.it_interval.tv_usec,
         before.it_value.tv_sec == 0 && before.it_value.tv_usec <= 2000);
  printf("alarm %u", alarm(100));
  printf(" %d\n", alarm(0) > 98);

  sigaction(SIGPROF, &action, NULL);
  sigaction(SIGVTALRM, &action, NULL);
  for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
    ticks = 0;
    interval = (struct itimerval){{0, 3000}, {0, 3000}};
    setitimer(which, &interval, NULL);
    while (ticks < 3);
    interval = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(which, &interval, NULL);
    printf("cpu %d\n", ticks >= 3);
  }
  struct sigevent cpu = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
  ticks = 0;
  printf("cpu timer %d\n", timer_create(CLOCK_PROCESS_CPUTIME_ID, &cpu, &a));
  set = every(3 * MS, 0);
  timer_settime(a, 0, &set, NULL);
  while (ticks < 1);
  timer_delete(a);
  printf("cpu %d\n", ticks);
  int bad = timer_create(12345, &cpu, &a);
  printf("bad %d %d\n", bad, errno);
}

static void signalfds(void) {
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGCHLD), sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int fd = signalfd(-1, &set, SFD_NONBLOCK);
  struct signalfd_siginfo info[4];
  printf("none %zd %d\n", read(fd, info, sizeof info), errno);
  kill(getpid(), SIGUSR1), kill(getpid(), SIGUSR1), kill(getpid(), SIGCHLD);
  union sigval value = {.sival_int = 77};
  sigqueue(getpid(), SIGRTMIN + 1, value);
  struct pollfd look = {.fd = fd, .events = POLLIN};
  printf("ready %d\n", poll(&look, 1, 0));
  ssize_t n = read(fd, info, sizeof info);
  printf("read %zd:", n / (ssize_t)sizeof *info);
  for (int i = 0; i < n / (ssize_t)sizeof *info; i++)
    printf(" %d %d %d", info[i].ssi_signo == SIGRTMIN + 1 ? 100 : info[i].ssi_signo, info[i].ssi_code, info[i].ssi_pid == getpid());
  printf(" %d\n", info[2].ssi_int);
  fcntl(fd, F_SETFL, 0);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  struct itimerspec at = every(2 * MS, 0);
  timer_settime(timer, 0, &at, NULL);
  printf("timer %d", read(fd, info, sizeof info) == sizeof *info);
  printf(" %d %d %d\n", info[0].ssi_signo, info[0].ssi_code, info[0].ssi_int);
  sigset_t other;
  sigemptyset(&other), sigaddset(&other, SIGUSR2);
  printf("change %d\n", signalfd(fd, &other, 0) == fd);
  kill(getpid(), SIGUSR1);
  printf("other %d\n", poll(&look, 1, 0));
  printf("bad %d", signalfd(0, &set, 0));
  printf(" %d\n", errno);
}

static void clocks(void) {
  struct timespec resolution, a, b;
  clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                     CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
  for (int i = 0; i < 9; i++) {
    clock_gettime(ids[i], &a), clock_gettime(ids[i], &b);
    printf("%d", clock_getres(ids[i], &resolution) == 0 &&
                     (b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec)));
  }
  clock_gettime(CLOCK_MONOTONIC, &a);
  a.tv_nsec += 3 * MS;
  if (a.tv_nsec >= 1000000000) a.tv_sec++, a.tv_nsec -= 1000000000;
  printf(" %d", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf(" %d", b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
  printf(" %d\n", clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 1000000000}, NULL));
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  timerfds(), posix(), signalfds(), clocks();
  return 0;
}
