// What install.sh of the SDK does: the driver's module, its device node, the disk; and other mounts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICE "/dev/penglai_enclave_dev"
#define TRY(call) (errno = 0, (long)(call) < 0 ? strerror(errno) : "ok")

static long insert(const char *file) {
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  long result = syscall(SYS_finit_module, fd, "", 0);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}
static void put(const char *path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  write(fd, path, strlen(path));
  close(fd);
}

int main(void) {
  printf("insmod %s, again %s, another %s\n", TRY(insert("penglai.ko")), TRY(insert("penglai.ko")), TRY(insert("/proc/self/exe")));
  printf("mknod %s\n", TRY(mknod(DEVICE, S_IFCHR | 0666, makedev(10, 62))));
  printf("beside it %s\n", TRY(mknod("own-node", S_IFCHR | 0600, makedev(10, 62))));
  int fd = open("own-node", O_RDWR);
  printf("opens %d\n", fd >= 0);
  close(fd);
  printf("nothing there %s\n", TRY((mknod("nothing", S_IFCHR | 0600, makedev(99, 1)), open("nothing", O_RDWR))));
  put("/mnt/before");
  printf("mount %s\n", TRY(mount("/dev/vda", "/mnt", "ext4", 0, "")));
  printf("hidden %s\n", TRY(access("/mnt/before", R_OK)));
  put("/mnt/on-disk");
  printf("link across %s, rename across %s\n", TRY(link("/mnt/on-disk", "/tmp/x")), TRY(rename("/mnt/on-disk", "/tmp/x")));
  chdir("/mnt");
  printf("busy %s\n", TRY(umount("/mnt")));
  chdir("..");
  char cwd[64];
  printf("above is %s\n", getcwd(cwd, sizeof cwd));
  printf("umount %s, again %s\n", TRY(umount("/mnt")), TRY(umount("/mnt")));
  printf("back %s %s\n", TRY(access("/mnt/before", R_OK)), TRY(access("/mnt/on-disk", R_OK)));
  mkdir("/media", 0755);
  mount("/dev/vda", "/media", "ext4", MS_RDONLY, "");
  printf("the disk keeps %s, read only %s\n", TRY(access("/media/on-disk", R_OK)), TRY(open("/media/new", O_CREAT | O_RDWR, 0600)));
  printf("tmpfs %s, unknown %s, no disk %s\n", TRY(mount("none", "/tmp", "tmpfs", 0, "")), TRY(mount("none", "/tmp", "nofs", 0, "")), TRY(mount("/dev/null", "/tmp", "ext4", 0, "")));
  FILE *mounts = fopen("/proc/mounts", "r");
  for (char line[128]; fgets(line, sizeof line, mounts);) fputs(line, stdout);
  return 0;
}
