// Files and directories of the in-memory root file system.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

int main(int argc, char **argv) {
  const char *top = argc > 1 ? argv[1] : "/tmp/files-test";
  printf("mkdir %d\n", mkdir(top, 0755));
  if (chdir(top)) return 1;
  FILE *file = fopen("numbers", "w+");
  for (int i = 0; i < 20000; i++) fprintf(file, "%d\n", i * 7);
  long size = ftell(file);
  rewind(file);
  long sum = 0;
  int value;
  while (fscanf(file, "%d", &value) == 1) sum += value;
  fclose(file);
  printf("size %ld sum %ld\n", size, sum);
  struct stat status;
  stat("numbers", &status);
  printf("stat %ld %o\n", (long)status.st_size, (unsigned)(status.st_mode & 0170777));
  int fd = open("numbers", O_RDWR);
  char text[16] = {0};
  printf("pread %zd %.4s\n", pread(fd, text, 4, 10), text);
  char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  map[0] = 'Z';
  munmap(map, 8192);
  lseek(fd, 0, SEEK_SET);
  read(fd, text, 1);
  printf("shared %c\n", text[0]);
  printf("truncate %d\n", ftruncate(fd, 3));
  fstat(fd, &status);
  printf("now %ld\n", (long)status.st_size);
  close(fd);
  mkdir("sub", 0755);
  symlink("../numbers", "sub/link");
  rename("numbers", "renamed");
  printf("dangling %d\n", open("sub/link", O_RDONLY) < 0 && errno == ENOENT);
  rename("renamed", "numbers");
  fd = open("sub/link", O_RDONLY);
  printf("link %d\n", fd >= 0);
  struct dirent **names;
  int count = scandir(".", &names, 0, by_name);
  for (int i = 0; i < count; i++) printf("%s ", names[i]->d_name);
  printf("\nunlink %d rmdir %d\n", unlink("numbers"), rmdir("sub") < 0 && errno == ENOTEMPTY);
  printf("still %zd\n", read(fd, text, 3));
  unlink("sub/link");
  rmdir("sub");
  int ends[2];
  if (pipe(ends)) return 1;
  write(ends[1], "through", 7);
  printf("pipe %zd\n", read(ends[0], text, sizeof text));
  FILE *none = fopen("/no/such", "r");
  printf("none %d %s\n", none == 0, strerror(errno));
  char cwd[256];
  printf("cwd ends %d\n", strcmp(getcwd(cwd, sizeof cwd), top));
  chdir("/");
  rmdir(top);
  return 0;
}
