/* epoll with every kind of descriptor, signals of every kind of delivery, and a server of several processes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <setjmp.h>

static volatile int alarms, realtime[4], reals, depth, deepest;
static sigjmp_buf jump;
static void on_alarm(int s) { alarms++; }
static void on_real(int s, siginfo_t *i, void *u) { realtime[reals++] = i->si_value.sival_int * 100 + (s - SIGRTMIN); }
static void on_nested(int s) { depth++; if (depth > deepest) deepest = depth; if (s == SIGUSR1) raise(SIGUSR2); depth--; }
static void on_fault(int s, siginfo_t *i, void *u) { siglongjmp(jump, s == SIGSEGV && i->si_addr == (void *)16 ? 1 : 2); }
static void on_stack(int s) { char here; stack_t old; sigaltstack(0, &old); printf("alternate stack %d\n", (old.ss_flags & SS_ONSTACK) != 0 && &here > (char *)old.ss_sp); }

static void add(int ep, int fd, int events) { struct epoll_event e = {events, {.fd = fd}}; epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e); }

static void kinds(void) {
  int ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK), tm = timerfd_create(CLOCK_MONOTONIC, 0), p[2], s[2], seen = 0;
  sigset_t set; sigemptyset(&set), sigaddset(&set, SIGCHLD), sigaddset(&set, SIGUSR1), sigprocmask(SIG_BLOCK, &set, 0);
  int sg = signalfd(-1, &set, 0);
  struct itimerspec t = {{0, 0}, {0, 150000000}};
  timerfd_settime(tm, 0, &t, 0), pipe(p), socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  add(ep, ev, EPOLLIN), add(ep, tm, EPOLLIN), add(ep, p[0], EPOLLIN | EPOLLET), add(ep, s[0], EPOLLIN | EPOLLRDHUP), add(ep, sg, EPOLLIN);
  if (fork() == 0) { eventfd_write(ev, 5), usleep(30000), write(p[1], "pipe", 4), usleep(30000), write(s[1], "sock", 4), usleep(30000), _exit(3); }
  close(p[1]), close(s[1]);
  while (seen != 31) {
    struct epoll_event e[8]; int n = epoll_wait(ep, e, 8, 5000); char buf[64]; uint64_t v; struct signalfd_siginfo si;
    if (n <= 0) { printf("nothing more: %d\n", n); break; }
    for (int i = 0; i < n; i++) {
      int fd = e[i].data.fd;
      if (fd == ev) eventfd_read(ev, &v), printf("eventfd %ld\n", (long)v), seen |= 1;
      else if (fd == tm) read(tm, &v, 8), printf("timerfd %ld\n", (long)v), seen |= 2;
      else if (fd == p[0]) { int r = read(p[0], buf, 64); if (r > 0) printf("pipe %.*s\n", r, buf); if (e[i].events & EPOLLHUP) seen |= 4, epoll_ctl(ep, EPOLL_CTL_DEL, fd, 0); }
      else if (fd == s[0]) { int r = read(s[0], buf, 64); if (r > 0) printf("socket %.*s\n", r, buf); else seen |= 8, epoll_ctl(ep, EPOLL_CTL_DEL, fd, 0); }
      else { read(sg, &si, sizeof si); if (si.ssi_signo == SIGCHLD) printf("child ended with %d\n", si.ssi_status), seen |= 16; }
    }
  }
  wait(0), close(ep), sigprocmask(SIG_UNBLOCK, &set, 0);
}

static void server(void) {
  struct sockaddr_un a = {AF_UNIX, "/tmp/events.sock"};
  unlink(a.sun_path);
  int l = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(EPOLL_CLOEXEC), served = 0; long bytes = 0;
  bind(l, (void *)&a, sizeof a), listen(l, 16), fcntl(l, F_SETFL, O_NONBLOCK), add(ep, l, EPOLLIN);
  for (int c = 0; c < 8; c++)
    if (fork() == 0) {
      int s = socket(AF_UNIX, SOCK_STREAM, 0); char buf[3000]; long got = 0; memset(buf, 'a' + c, sizeof buf);
      connect(s, (void *)&a, sizeof a);
      for (int i = 0; i < 20; i++) for (long n = 0; n < (long)sizeof buf;) { long w = write(s, buf + n, sizeof buf - n); if (w < 0) _exit(1); n += w; }
      shutdown(s, SHUT_WR); for (long r; (r = read(s, buf, sizeof buf)) > 0;) got += r;
      _exit(got == 20 * 3000 ? 0 : 2);
    }
  char *kept[64] = {0}; long sizes[64] = {0};
  while (served < 8) {
    struct epoll_event e[4]; int n = epoll_wait(ep, e, 4, 5000);
    if (n <= 0) { puts("server waits for nothing"); break; }
    for (int i = 0; i < n; i++) {
      int fd = e[i].data.fd;
      if (fd == l) { int c; while ((c = accept4(l, 0, 0, SOCK_NONBLOCK)) >= 0) add(ep, c, EPOLLIN | EPOLLRDHUP), kept[c] = malloc(70000), sizes[c] = 0; continue; }
      long r;
      while ((r = read(fd, kept[fd] + sizes[fd], 70000 - sizes[fd])) > 0) sizes[fd] += r;
      if (r == 0) { fcntl(fd, F_SETFL, 0); bytes += sizes[fd]; for (long w = 0; w < sizes[fd];) w += write(fd, kept[fd] + w, sizes[fd] - w); close(fd), free(kept[fd]), served++; }
    }
  }
  int bad = 0, status; for (int i = 0; i < 8; i++) wait(&status), bad += status != 0;
  printf("served %d clients, %ld bytes, %d bad\n", served, bytes, bad), unlink(a.sun_path);
}

static void signals(void) {
  struct sigaction sa = {.sa_handler = on_alarm}; sigaction(SIGALRM, &sa, 0);
  struct itimerval it = {{0, 20000}, {0, 20000}}; setitimer(ITIMER_REAL, &it, 0);
  int eintr = 0; while (alarms < 3) eintr += poll(0, 0, 1000) < 0 && errno == EINTR;
  it = (struct itimerval){0}; setitimer(ITIMER_REAL, &it, 0);
  printf("alarms %d interrupted %d\n", alarms >= 3, eintr >= 3);
  int p[2]; pipe(p); sa.sa_flags = SA_RESTART; sigaction(SIGALRM, &sa, 0); alarms = 0;
  if (fork() == 0) { usleep(60000), kill(getppid(), SIGALRM), usleep(60000), write(p[1], "x", 1), _exit(0); }
  char c; printf("restarted read %ld after %d\n", (long)read(p[0], &c, 1), alarms); wait(0);
  struct sigaction rt = {.sa_sigaction = on_real, .sa_flags = SA_SIGINFO}; sigset_t set, old; sigfillset(&rt.sa_mask);
  sigaction(SIGRTMIN, &rt, 0), sigaction(SIGRTMIN + 1, &rt, 0), sigemptyset(&set), sigaddset(&set, SIGRTMIN), sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, &old);
  for (int v = 5; v < 8; v++) sigqueue(getpid(), SIGRTMIN, (union sigval){v});
  sigsuspend(&old), sigprocmask(SIG_SETMASK, &old, 0);
  printf("queued %d %d %d\n", realtime[0], realtime[1], realtime[2]);
  signal(SIGUSR1, on_nested), signal(SIGUSR2, on_nested), raise(SIGUSR1), printf("nested %d\n", deepest);
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}; sigaction(SIGSEGV, &fault, 0);
  if (sigsetjmp(jump, 1) == 0) *(volatile int *)16 = 1; else puts("fault was handled");
  static char stack[16384]; stack_t ss = {stack, 0, sizeof stack}; sigaltstack(&ss, 0);
  struct sigaction on = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK | SA_RESETHAND}; sigaction(SIGUSR2, &on, 0), raise(SIGUSR2);
  sigaction(SIGUSR2, 0, &on), printf("reset %d\n", on.sa_handler == SIG_DFL);
  for (int s = 1; s < 32; s++) {
    if (s == SIGSTOP || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU) continue;
    pid_t pid = fork(); int status;
    if (pid == 0) { signal(s, SIG_DFL), kill(getpid(), s), _exit(0); }
    waitpid(pid, &status, 0), printf("%d%c ", s, WIFSIGNALED(status) ? 'k' : '-');
  }
  puts("");
}

static void spawn(char *self) {
  int status, p[2]; char buf[100]; pipe(p);
  if (fork() == 0) { dup2(p[1], 1), fcntl(p[0], F_SETFD, FD_CLOEXEC), setenv("VALUE", "from the parent", 1), execl(self, "again", "exec", 0); _exit(1); }
  close(p[1]); long n = read(p[0], buf, 100); wait(&status); printf("%.*s -> %d\n", (int)n, buf, WEXITSTATUS(status));
  pid_t v = vfork(); if (v == 0) execl("/no/such", "x", (char *)0), _exit(errno); waitpid(v, &status, 0), printf("vfork %d\n", WEXITSTATUS(status) == ENOENT);
  for (int i = 0; i < 40; i++) if (fork() == 0) { for (int j = 0; j < 2; j++) if (fork() == 0) _exit(1); int s, sum = 0; while (wait(&s) > 0) sum += WEXITSTATUS(s); _exit(sum + i); }
  int sum = 0; while (wait(&status) > 0) sum += WEXITSTATUS(status); printf("40 children, 80 grandchildren: %d\n", sum);
  pid_t st = fork(); if (st == 0) for (;;) pause();
  kill(st, SIGSTOP), waitpid(st, &status, WUNTRACED), printf("stopped %d ", WIFSTOPPED(status)), kill(st, SIGCONT), waitpid(st, &status, WCONTINUED), printf("continued %d ", WIFCONTINUED(status)), kill(st, SIGKILL), waitpid(st, &status, 0), printf("killed %d\n", WTERMSIG(status));
  printf("no child %d %d\n", (int)wait(0), errno == ECHILD);
}

int main(int argc, char **argv) {
  setbuf(stdout, 0);
  if (argc > 1) { printf("%s %s %s", argv[0], argv[1], getenv("VALUE")); return 6; }
  kinds(), server(), signals(), spawn(argv[0]);
  return 12;
}
