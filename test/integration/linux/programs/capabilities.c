/* capget and capset, and the texts of /proc that can be written. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct __user_cap_data_struct data[2];

static long get(unsigned version, int pid) {
  struct __user_cap_header_struct header = {version, pid};
  long result = syscall(SYS_capget, &header, data);
  if (header.version != version) printf("use version %x\n", header.version);
  return result < 0 ? -errno : result;
}
static long set(unsigned version, int pid) {
  struct __user_cap_header_struct header = {version, pid};
  return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
static void show(const char *when) {
  printf("%s: effective %x%08x permitted %x%08x\n", when, data[1].effective, data[0].effective, data[1].permitted,
         data[0].permitted);
}
static void line(const char *file, const char *start) {
  char text[256];
  FILE *f = fopen(file, "r");
  while (fgets(text, sizeof text, f))
    if (strncmp(text, start, strlen(start)) == 0) fputs(text, stdout);
  fclose(f);
}
static void put(const char *file, const char *text) {
  int fd = open(file, O_WRONLY | O_TRUNC);
  long result = write(fd, text, strlen(text));
  printf("%s <- %s: %ld\n", file, text, result < 0 ? -errno : result);
  close(fd);
}

int main(void) {
  setbuf(stdout, 0);
  printf("get %ld\n", get(_LINUX_CAPABILITY_VERSION_3, 0));
  show("root");
  printf("no version %ld\n", get(1, 0));
  printf("no process %ld, %ld\n", get(_LINUX_CAPABILITY_VERSION_3, 4711), get(_LINUX_CAPABILITY_VERSION_3, -1));
  get(_LINUX_CAPABILITY_VERSION_3, getpid());
  data[0].effective &= ~(1u << CAP_KILL);
  printf("without CAP_KILL %ld\n", set(_LINUX_CAPABILITY_VERSION_3, 0));
  data[0].permitted &= ~(1u << CAP_KILL);
  printf("for ever %ld\n", set(_LINUX_CAPABILITY_VERSION_3, getpid()));
  get(_LINUX_CAPABILITY_VERSION_3, 0);
  show("less");
  line("/proc/self/status", "CapEff");
  data[0].permitted |= 1u << CAP_KILL;
  printf("back %ld\n", set(_LINUX_CAPABILITY_VERSION_3, 0));
  data[0].permitted &= ~(1u << CAP_KILL);
  printf("another's %ld\n", set(_LINUX_CAPABILITY_VERSION_3, 4711));
  if (fork() == 0) {
    get(_LINUX_CAPABILITY_VERSION_3, 0);
    show("child");
    return 0;
  }
  wait(0);
  put("/proc/self/oom_score_adj", "-1000");
  line("/proc/self/oom_score_adj", "");
  put("/proc/self/oom_score_adj", "1001");
  put("/proc/self/oom_score_adj", "much");
  put("/proc/self/comm", "renamed");
  line("/proc/self/status", "Name");
  return 0;
}
