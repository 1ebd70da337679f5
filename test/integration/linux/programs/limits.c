/* Resource limits and nice values: kept, inherited, and those that hold. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *name, int which) {
  struct rlimit l;
  getrlimit(which, &l);
  printf("%s %ld %ld\n", name, (long)l.rlim_cur, (long)l.rlim_max);
}
static int set(int which, long soft, long hard) {
  struct rlimit l = {soft, hard};
  return setrlimit(which, &l) < 0 ? -errno : 0;
}
static void on_xfsz(int s) { printf("signal %d\n", s); }

int main(void) {
  setbuf(stdout, 0);
  show("stack", RLIMIT_STACK), show("core", RLIMIT_CORE), show("files", RLIMIT_NOFILE);
  printf("core %d backwards %d too many %d\n", set(RLIMIT_CORE, -1, -1), set(RLIMIT_CPU, 2, 1), set(RLIMIT_NOFILE, 10, 1 << 21));
  show("core", RLIMIT_CORE);
  printf("files %d\n", set(RLIMIT_NOFILE, 5, 4096));
  int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY), c = open("/dev/null", O_RDONLY);
  printf("%d %d %d %d\n", a, b, c, errno == EMFILE);
  printf("dup2 %d %d\n", dup2(0, 9), errno == EBADF);
  set(RLIMIT_NOFILE, 20, 4096);
  printf("dup2 %d\n", dup2(0, 9));
  signal(SIGXFSZ, on_xfsz);
  set(RLIMIT_FSIZE, 10, -1);
  int fd = open("/tmp/limited", O_RDWR | O_CREAT | O_TRUNC, 0600);
  printf("write %ld", (long)write(fd, "0123456", 7));
  printf(" %ld", (long)write(fd, "0123456", 7));
  printf(" %ld %d\n", (long)write(fd, "0123456", 7), errno == EFBIG);
  printf("truncate %d %d\n", ftruncate(fd, 11), ftruncate(fd, 4));
  if (fork() == 0) {
    show("child", RLIMIT_FSIZE);
    signal(SIGXFSZ, SIG_DFL);
    lseek(fd, 10, SEEK_SET), write(fd, "x", 1);
    _exit(0);
  }
  int status;
  wait(&status);
  printf("ended by %d\n", WTERMSIG(status));
  printf("nice %d\n", nice(5));
  errno = 0;
  printf("%d %d\n", getpriority(PRIO_PROCESS, 0), getpriority(PRIO_USER, 0));
  printf("low %d high %d\n", nice(100), nice(-3));
  printf("none %d %d %d\n", setpriority(PRIO_PROCESS, 4711, 1), errno == ESRCH, setpriority(7, 0, 1));
  if (fork() == 0) _exit(getpriority(PRIO_PROCESS, 0));
  wait(&status);
  printf("child %d\n", WEXITSTATUS(status));
  return 0;
}
