// Odds and ends: environment, limits, system names, thread-local storage, calls with bad pointers, an unknown call.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

static __thread int mine = 11;
static void *change(void *argument) {
  mine = 22;
  return (void *)(long)(mine + (argument != 0));
}

int main(int argc, char **argv) {
  printf("%d %s %s\n", argc, argc > 1 ? argv[1] : "-", getenv("GREETING") ? getenv("GREETING") : "none");
  struct utsname names;
  uname(&names);
  printf("%s %s\n", names.sysname, names.machine);
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, change, argv);
  pthread_join(thread, &result);
  printf("tls %d %ld\n", mine, (long)result);
  char bytes[16] = {0}, zero[16] = {0};
  printf("random %zd %d\n", getrandom(bytes, 16, 0), memcmp(bytes, zero, 16) != 0);
  errno = 0;
  printf("write bad %ld %s\n", (long)write(1, (void *)8, 5), strerror(errno));
  errno = 0;
  printf("read kernel %ld %s\n", syscall(SYS_write, 1, 0xffffffd800400000ul, 64), strerror(errno));
  struct iovec parts[2] = {{"ab", 2}, {"cd\n", 3}};
  fflush(stdout);
  printf("writev %ld\n", (long)writev(1, parts, 2));
  errno = 0;
  printf("huge iov %ld %s\n", syscall(SYS_writev, 1, parts, 1 << 20), strerror(errno));
  errno = 0;
  printf("unknown %ld %s\n", syscall(4000), strerror(errno));
  struct rlimit limit;
  getrlimit(RLIMIT_STACK, &limit);
  printf("stack %ld\n", (long)limit.rlim_cur);
  printf("cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
  return 42;
}
